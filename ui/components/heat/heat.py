"""A heat map whose cells can be clicked: Plotly's fire no events. Drawn in the browser as one SVG."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from interpret_core.figures.heat import Heat
from interpret_core.figures.scales import KINDS
from interpret_core.numbers import known
from ui.components.imprint import PICTURE, imprint
from ui.shell.component import Component

_component = Component(
    "components/heat/heat", "components/common/svg.js", *PICTURE, "components/common/focus.js"
)


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
