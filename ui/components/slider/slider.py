"""A slider that answers while it is dragged, for results that are cheap to redraw."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from ui.shell.component import Component

_component = Component("components/slider/slider")


class Bounds(NamedTuple):
    """Where a slider runs, and how its value is written."""

    low: float
    high: float
    step: float
    digits: int = 3
    suffix: str = ""


def live_slider(
    label: str, bounds: Bounds, value: float, key: str, on_settle: Callable[[float], None]
) -> float:
    """The value under the thumb; `on_settle` is called when it is let go.

    Args:
        label: shown before it.
        bounds: where it runs.
        value: from the URL; it wins whenever it has changed.
        key: of the component.
        on_settle: receives the final value.
    """
    low, high, *_ = bounds
    base = f"{key}_base"
    if st.session_state.get(base) != value:
        # The URL moved on (another link, the sidebar): what was dragged before no longer counts.
        st.session_state[base] = value
        st.session_state[f"{key}_drag"] = value

    def inside(raw: object) -> float:
        return min(high, max(low, float(raw))) if isinstance(raw, int | float) else value

    def moved() -> None:
        st.session_state[f"{key}_drag"] = inside(st.session_state[key].get("value"))

    def settled() -> None:
        final = inside(st.session_state[key].get("settled"))
        st.session_state[f"{key}_drag"] = final
        on_settle(final)

    now = float(st.session_state[f"{key}_drag"])
    _component(
        key=key,
        data={"label": label, **bounds._asdict(), "value": now},
        on_value_change=moved,
        on_settled_change=settled,
    )
    return now
