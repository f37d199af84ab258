"""Single units: what the silence of each does to every class; estimated for all, measured for some."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from interpret_core.analyses.effects.result import BOTH_WAYS, Effects, rows
from interpret_core.figures.colours import ACCENT, NEUTRAL
from interpret_core.figures.figure import Figure
from interpret_core.figures.template import finish
from interpret_core.figures.text import figure_text
from ui.ablation import losses, offers
from ui.ablation.sliders import Choice
from ui.components.chart.chart import chart, finished
from ui.components.table.table import Cell, Column, rows_of, table
from ui.session.ablations import Bench
from ui.shell import addresses, links, state
from ui.shell.how import how
from ui.shell.names import key_of
from ui.shell.theme import count_text

SHOWN = 12
POINTS = 100  # percentage points
COLUMNS = (
    Column("unit", help="opens its page", share=1.2, named=False),
    Column("needed by", help="the class that loses most without it"),
    Column("its loss", number=True),
    Column("in the way of", help="the class that gains most without it"),
    Column("its gain", number=True),
    Column("for the class", help="that is chosen above", number=True),
)
MINUS = "\N{MINUS SIGN}"


def section(bench: Bench, choice: Choice) -> None:
    """Draw what is known, or the offer to compute it."""
    found = bench.effects()
    if found is None:
        offers.effects(bench)
        return
    st.markdown(sentence(found))
    if choice.name in found.classes:
        key = key_of("effects", choice.name)
        figure = scatter(found, choice.name, badge=f"{losses.title_of(bench)} · one unit silenced at a time")
        what = f"Single units and {choice.name}"
        chart(finished(figure, what), key, partial(_unit_chosen, key), rows=lambda: list(rows(found)))
    links.follow()
    _table(bench, measured(found, choice.name))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            "All units and classes are in the file. A press on a point opens its unit.", width="content"
        )
        how("effects")


def sentence(found: Effects) -> str:
    """How many units there are, and how many help one class while they hurt another."""
    units, faces = len(found.units), found.two_faced()
    agreed = found.correlation()
    words = "" if math.isnan(agreed) else f" Estimate and measurement correlate with r = {agreed:.2f}."
    return (
        f"Of the **{len(found.strongest)}** strongest of {count_text(units, 'unit')}, **{len(faces)}** help "
        f"one class and hurt another, each by at least {POINTS * BOTH_WAYS:g} point.{words}"
    )


def scatter(found: Effects, name: str, badge: str) -> Figure:
    """The measured units by estimated and measured change of a class's mean probability."""
    number = found.classes.index(name)
    faces = set(found.two_faced().tolist())
    figure = Figure()
    for two, label, symbol, colour in (
        (False, "one direction", "circle", NEUTRAL),
        (True, "helps one class, hurts another", "diamond", ACCENT),
    ):
        mine = [place for place in range(len(found.strongest)) if (place in faces) == two]
        figure.add_scatter(
            x=[POINTS * float(found.first_order[found.strongest[place], number]) for place in mine],
            y=[POINTS * float(found.exact[place, number]) for place in mine],
            mode="markers",
            name=f"{label} ({len(mine)})",
            marker={"symbol": symbol, "size": 9, "color": colour, "line": {"width": 0.8, "color": "#20242c"}},
            customdata=[_point(found, place) for place in mine],
            hovertemplate="<b>%{customdata[0]}:%{customdata[1]}</b><br>estimated %{x:+.2f}, "
            "measured %{y:+.2f} points<br>%{customdata[2]}<extra></extra>",
            cliponaxis=False,
        )
    title = figure_text(name)
    figure.update_xaxes(title=f"estimated change of the mean probability of {title}, points")
    figure.update_yaxes(title="measured, points")
    figure.add_hline(y=0, line={"color": NEUTRAL, "width": 1})
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1})
    figure.update_layout(hovermode="closest")
    return finish(figure, height=380, badge=badge)


def _point(found: Effects, place: int) -> list[Any]:
    unit = found.units[int(found.strongest[place])]
    worst, best = _ends(found, place)
    told = f"{_side(found, place, worst)} · {_side(found, place, best)}"
    return [figure_text(unit.layer), unit.unit, figure_text(told), unit.layer]


def _ends(found: Effects, place: int) -> tuple[int, int]:
    """Classes whose probability falls and rises most."""
    return int(np.nanargmin(found.exact[place])), int(np.nanargmax(found.exact[place]))


def _side(found: Effects, place: int, number: int) -> str:
    change = POINTS * float(found.exact[place, number])
    return f"{found.classes[number]} {f'{change:+.1f}'.replace('-', MINUS)}"


def _unit_chosen(key: str) -> None:
    chosen = links.chosen(key)
    if chosen:
        _, unit, _, layer = chosen[0]
        links.to_unit(layer=str(layer), unit=int(unit))


def measured(found: Effects, name: str) -> list[dict[str, Any]]:
    """The measured units: those that help one class and hurt another first, then by strength."""
    faces = found.two_faced().tolist()
    order = [*faces, *(place for place in range(len(found.strongest)) if place not in set(faces))]
    number = found.classes.index(name) if name in found.classes else None
    rows = []
    for place in order:
        unit = found.units[int(found.strongest[place])]
        worst, best = _ends(found, place)
        rows.append(
            {
                "layer": unit.layer,
                "unit": unit.unit,
                "needed by": found.classes[worst] if found.exact[place, worst] < 0 else "",
                "its loss": POINTS * float(found.exact[place, worst])
                if found.exact[place, worst] < 0
                else None,
                "in the way of": found.classes[best] if found.exact[place, best] > 0 else "",
                "its gain": POINTS * float(found.exact[place, best])
                if found.exact[place, best] > 0
                else None,
                "for the class": None if number is None else POINTS * float(found.exact[place, number]),
            }
        )
    return rows


def _table(bench: Bench, rows: Sequence[dict[str, Any]]) -> None:
    entry = {**state.entry(), "network": bench.case.network}
    st.caption(
        "Change of a class’s mean probability by the unit’s silence, measured, in percentage points: first "
        "the units that help one class and hurt another."
    )
    table(
        rows_of(COLUMNS, (_cells(row, entry) for row in rows)),
        "effects_table",
        "Effects of single units",
        height=38 + 35 * SHOWN,
    )


def _cells(row: dict[str, Any], entry: dict[str, str]) -> list[str | Cell]:
    where = f"{row['layer']} #{row['unit']}"
    href = addresses.page("units", **entry, layer=row["layer"], unit=row["unit"])
    return [
        Cell(where, where, href=href),
        row["needed by"],
        _points(row["its loss"]),
        row["in the way of"],
        _points(row["its gain"]),
        _points(row["for the class"]),
    ]


def _points(change: float | None) -> Cell:
    return Cell("—") if change is None else Cell(f"{change:+.2f}".replace("-", MINUS), change)
