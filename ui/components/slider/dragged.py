"""What all sliders that answer while they are dragged have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st

from ui.shell.component import Component


class Range(NamedTuple):
    """Where a slider runs, and how many digits its value has."""

    low: float
    high: float
    digits: int


def dragged(
    component: Component,
    key: str,
    data: dict[str, Any],
    value: float,
    within: Range,
    on_settle: Callable[[float], None],
) -> float:
    """Draw it; the value under the thumb. `on_settle` is called when it is let go.

    Args:
        component: tells `value` while it is dragged, and `settled`.
        key: of the component.
        data: what it draws besides the value.
        value: from the URL; it wins whenever it has changed.
        within: where it runs.
        on_settle: receives the final value.
    """
    base, drag = f"{key}_base", f"{key}_drag"
    if st.session_state.get(base) != value:
        # The URL moved on (another link, the sidebar): what was dragged before no longer counts.
        st.session_state[base] = value
        st.session_state[drag] = value

    def inside(raw: object) -> float:
        return min(within.high, max(within.low, float(raw))) if isinstance(raw, int | float) else value

    def moved() -> None:
        st.session_state[drag] = inside(st.session_state[key].get("value"))

    def settled() -> None:
        final = round(inside(st.session_state[key].get("settled")), within.digits)
        st.session_state[drag] = final
        on_settle(final)

    now = float(st.session_state[drag])
    component(key=key, data={**data, "value": now}, on_value_change=moved, on_settled_change=settled)
    return now
