"""Colours and number formats that stay the same on every page and in both colour schemes."""

from __future__ import annotations

import math
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


EVIDENCE = {
    "trained": ("green", "trained", "Weights from training: what you see was learned."),
    "random weights": (
        "orange",
        "random weights",
        "Nothing here was learned: use it as a baseline, not as a finding.",
    ),
    "weights as given": (
        "gray",
        "weights as given",
        "Nobody says what these weights learned. Its factory can: NetworkParts(evidence=“trained”).",
    ),
    "demo": (
        "blue",
        "demo",
        "Rendered scenes: for learning the tool and teaching, not for conclusions about photographs.",
    ),
}


def asset(name: str) -> str:
    """Text of a file of the dashboard, by its path from `ui/`."""
    return (ROOT / name).read_text(encoding="utf-8")


def iou_text(value: float) -> str:
    """An IoU with three digits, as in the paper."""
    return "—" if math.isnan(value) else f"{value:.3f}"


def percent_text(share: float) -> str:
    """A share in whole per cents."""
    return "less than 1\u00a0%" if 0 < share < 0.005 else f"{100 * share:.0f}\u00a0%"


def p_text(value: float, floor: float | None = None) -> str:
    """A p-value; at its floor it is a bound, so it reads ≤."""
    if math.isnan(value):
        return "—"
    if floor is not None and value <= floor * (1 + 1e-9):
        return f"≤ {_short(value)}"
    return _short(value)


def number_text(value: float) -> str:
    """A response or a threshold: four significant digits, no exponent where it can be avoided."""
    if math.isnan(value) or math.isinf(value):
        return "—"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.4g}"
    return f"{value:.2e}"


def count_text(count: int, noun: str, plural: str | None = None) -> str:
    """`1 unit`, `256 units`, `1,024 units`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def expected_text(level: float | None) -> str:
    """The chance level in words: whole detectors, or one digit where there are few."""
    if level is None:
        return "chance not computed"
    number = f"{level:,.0f}" if level >= 10 else f"{level:.1f}"
    return f"chance alone would give {number} units"


def _short(value: float) -> str:
    return f"{value:.1g}" if value < 0.001 else f"{value:.3f}"
