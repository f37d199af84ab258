"""A slider over the steps of a grid that also takes any number between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from ui.shell.component import Component

_component = Component("components/slider/steps")


def step_slider(
    label: str,
    steps: Sequence[float],
    value: float,
    key: str,
    on_settle: Callable[[float], None],
    *,
    live: bool,
) -> float:
    """The value under the thumb; `on_settle` is called when it is let go, or a number has been typed.

    Args:
        label: shown before it.
        steps: ascending, evenly spaced on screen.
        value: from the URL; it wins whenever it has changed. It need not be a step.
        key: of the component.
        on_settle: receives the final value, 0 to 100.
        live: whether steps answer while it is dragged.
    """
    base = f"{key}_base"
    if st.session_state.get(base) != value:
        # The URL moved on (another link, Undo): what was dragged before no longer counts.
        st.session_state[base] = value
        st.session_state[f"{key}_drag"] = value

    def inside(raw: object) -> float:
        return min(100.0, max(0.0, float(raw))) if isinstance(raw, int | float) else value

    def moved() -> None:
        st.session_state[f"{key}_drag"] = inside(st.session_state[key].get("value"))

    def settled() -> None:
        final = round(inside(st.session_state[key].get("settled")), 3)
        st.session_state[f"{key}_drag"] = final
        on_settle(final)

    now = float(st.session_state[f"{key}_drag"])
    _component(
        key=key,
        data={"label": label, "steps": list(steps), "value": now, "live": live},
        on_value_change=moved,
        on_settled_change=settled,
    )
    return now
