"""A slider over the steps of a grid that also takes any number between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ui.components.slider.dragged import Range, dragged
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
    data = {"label": label, "steps": list(steps), "live": live}
    return dragged(_component, key, data, value, Range(0.0, 100.0, 3), on_settle)
