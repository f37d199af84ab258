"""A heat map whose cells can be clicked: Plotly's fire no events. Drawn in the browser as one SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import streamlit as st

from interpret_core.numbers import known
from ui.components.imprint import PICTURE, headline, imprint
from ui.shell.component import Component
from ui.shell.scales import KINDS

NOTCH, HOLLOW = 1, 2  # marks of a cell; both are shapes

_component = Component(
    "components/heat/heat", "components/common/svg.js", *PICTURE, "components/common/focus.js"
)


class Cell(NamedTuple):
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
    cells: Sequence[Sequence[Cell]]
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


def drawn(heat: Heat, selected: tuple[int, int] | None, *, clickable: bool = True) -> dict[str, Any]:
    """What the component draws; NaN becomes null, which is no number in JSON either."""
    each = [[cell._asdict() for cell in row] for row in heat.cells]
    return {
        "rows": list(heat.rows),
        "columns": list(heat.columns),
        "values": [[known(cell["value"]) for cell in row] for row in each],
        "texts": [[cell["text"] for cell in row] for row in each],
        "notes": [[cell["note"] for cell in row] for row in each],
        "marks": [[cell["marks"] for cell in row] for row in each],
        "columnMarks": list(heat.column_marks) or [""] * len(heat.columns),
        "low": heat.low,
        "high": heat.high,
        "floor": heat.floor,
        "lowText": f"≤ {heat.floor:.2g}" if heat.floor else f"{heat.low:.3g}".replace("-", "\u2212"),
        "highText": f"{heat.high:.3g}",
        "scale": heat.scale,
        "unit": heat.unit,
        "stops": {scheme: list(stops) for scheme, stops in KINDS[heat.kind].items()},
        "selected": list(selected) if selected else None,
        "notch": heat.notch,
        "hollow": heat.hollow,
        "absent": heat.absent,
        "clickable": clickable,
        "imprint": imprint(heat.title),
    }


def heat_map(
    heat: Heat,
    key: str,
    on_cell: Callable[[int, int], None] | None = None,
    selected: tuple[int, int] | None = None,
) -> None:
    """Draw it; a click or Enter calls `on_cell` with row and column.

    Args:
        heat: what to draw.
        key: of the component.
        on_cell: without it the cells only tell their numbers.
        selected: the cell that is outlined.
    """

    def picked() -> None:
        cell = st.session_state[key].get("cell")
        found = _inside(cell, len(heat.rows), len(heat.columns))
        if found and on_cell:
            on_cell(*found)

    _component(key=key, data=drawn(heat, selected, clickable=on_cell is not None), on_cell_change=picked)


def _inside(cell: object, rows: int, columns: int) -> tuple[int, int] | None:
    """Row and column out of what the browser sent, None where they name no cell."""
    if not isinstance(cell, list) or len(cell) != 2 or not all(isinstance(at, int) for at in cell):
        return None
    row, column = cell
    return (row, column) if 0 <= row < rows and 0 <= column < columns else None
