"""A slider that answers while it is dragged, for results that are cheap to redraw."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ui.components.slider.dragged import Range, dragged
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
    within = Range(bounds.low, bounds.high, 6)
    return dragged(_component, key, {"label": label, **bounds._asdict()}, value, within, on_settle)
