"""A heat map: its cells, scale and marks, whoever draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from interpret_core.figures.figure import Figure
from interpret_core.figures.scales import KINDS
from interpret_core.figures.template import finish, headline, titled
from interpret_core.figures.text import BREAK, figure_text

NOTCH, HOLLOW = 1, 2  # marks of a cell; both are shapes
NOTCHED, HOLLOWED = "▾", "○"  # signs for them where a cell is text alone


class HeatCell(NamedTuple):
    """One number of a heat map.

    Attributes:
        value: what the colour says; NaN where it is not known.
        text: the same in words, drawn inside where there is room.
        note: further lines for whoever points at it.
        marks: NOTCH, HOLLOW or both.
    """

    value: float
    text: str
    note: str = ""
    marks: int = 0


class Heat(NamedTuple):
    """A heat map.

    Attributes:
        what: it shows; `whose`: network, data set and evidence. Both are part of the saved picture.
        rows, columns: names.
        cells: by row, then by column.
        low, high: ends of the scale; a diverging one is centred between them.
        scale: what the colours say, in words.
        kind: "sequential" or "diverging".
        unit: behind a number when it is pointed at.
        column_marks: a sign before each column's name, empty for none.
        floor: where a logarithmic scale begins; 0 for an even one.
        notch, hollow, absent: what the marks and hatching mean, for the key; empty where they do not occur.
    """

    what: str
    whose: str
    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[HeatCell]]
    low: float
    high: float
    scale: str
    kind: str = "sequential"
    unit: str = ""
    column_marks: Sequence[str] = ()
    floor: float = 0.0
    notch: str = ""
    hollow: str = ""
    absent: str = ""

    @property
    def title(self) -> str:
        """Above it, in its files and in their names."""
        return headline(self.what, self.whose)


def heat_figure(heat: Heat) -> Figure:
    """The same for Plotly, in the colours of a light page; signs stand beside the numbers of marked cells."""
    figure = Figure()
    values = [[_shown(cell.value, heat.floor) for cell in row] for row in heat.cells]
    low, high = (_shown(end, heat.floor) for end in (heat.floor or heat.low, heat.high))
    stops = KINDS[heat.kind]["light"]
    bar: dict[str, object] = {"title": {"text": figure_text(heat.unit), "side": "right"}, "thickness": 12}
    if heat.floor:
        bar |= {"tickvals": [low, high], "ticktext": [f"≤ {heat.floor:.2g}", f"{heat.high:.3g}"]}
    signs = heat.column_marks or [""] * len(heat.columns)
    figure.add_heatmap(
        x=[figure_text(f"{sign} {name}".strip()) for sign, name in zip(signs, heat.columns, strict=True)],
        y=[figure_text(name) for name in heat.rows],
        z=values,
        zmin=low,
        zmax=high,
        colorscale=[[at / (len(stops) - 1), stop] for at, stop in enumerate(stops)],
        colorbar=bar,
        text=[[figure_text(cell.text + _signs(cell)) for cell in row] for row in heat.cells],
        texttemplate="%{text}",
        customdata=[[figure_text(cell.note).replace("\n", BREAK) for cell in row] for row in heat.cells],
        hovertemplate="%{y} · %{x}: %{text}<br>%{customdata}<extra></extra>",
        hoverongaps=False,
        xgap=1,
        ygap=1,
    )
    figure.update_yaxes(type="category", autorange="reversed")
    marked = {mark for row in heat.cells for cell in row for mark in (NOTCH, HOLLOW) if cell.marks & mark}
    told = [heat.scale, f"{NOTCHED} {heat.notch}" if NOTCH in marked else ""]
    told.append(f"{HOLLOWED} {heat.hollow.lstrip(HOLLOWED).strip()}" if HOLLOW in marked else "")
    figure.update_xaxes(type="category", title=figure_text("; ".join(filter(None, told))))
    finish(figure, height=150 + 30 * max(3, len(heat.rows)), badge=heat.whose)
    titled(figure, heat.what)
    return figure


def _shown(value: float, floor: float) -> float | None:
    if math.isnan(value):
        return None
    return math.log10(max(value, floor)) if floor else value


def _signs(cell: HeatCell) -> str:
    return f"{f' {NOTCHED}' if cell.marks & NOTCH else ''}{f' {HOLLOWED}' if cell.marks & HOLLOW else ''}"
