"""What an ablation costs each class, as bars that stay on the page while the setting changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from interpret_core.analyses.ablation.comparison import ACCURACY, ClassChange
from interpret_core.figures.colours import ACCENT, CATEGORY_COLOURS
from interpret_core.figures.template import headline
from interpret_core.numbers import known
from ui.components.imprint import PICTURE, imprint
from ui.shell.component import Component, Written

MOST = 24  # classes drawn
OTHER = CATEGORY_COLOURS["object"]
SPACE = "\N{NO-BREAK SPACE}"

_component = Component(
    "components/bars/bars", "components/common/svg.js", *PICTURE, "components/common/focus.js"
)


def class_bars(
    shown: dict[str, Any],
    key: str,
    on_pick: Callable[[str], None],
    *,
    at: str = "",
    ahead: Written | None = None,
) -> None:
    """A bar per class with units silenced, a stroke where the intact network is, random controls behind.

    Args:
        shown: by `drawn`.
        key: of the component.
        on_pick: receives the name of a class whose bar is pressed.
        at: the step of the slider that is shown.
        ahead: `steps`, by step what `drawn` says of it: the browser shows one while the slider is moved.
    """
    names = {row["name"] for row in shown["rows"]}

    def picked() -> None:
        name = st.session_state[key].get("picked")
        if name in names:
            on_pick(str(name))

    _component(key=key, data={**shown, "at": at}, more=ahead, on_picked_change=picked)


def drawn(rows: Sequence[ClassChange], metric: str, whose: str) -> dict[str, Any]:
    """What the component draws; NaN becomes null, which is no number in JSON either.

    Args:
        rows: the target first; the first ones are drawn.
        metric: "accuracy" or "probability".
        whose: network, data set and evidence, and what was silenced; part of the saved picture.
    """
    shown = list(rows)[:MOST]
    seeds = shown[0].seeds if shown else 0
    title = headline(f"{'Accuracy' if metric == ACCURACY else 'Mean probability'} by class", whose)
    return {
        "axis": "accuracy, % of the class’s images"
        if metric == ACCURACY
        else "mean probability of the class, %",
        "tone": OTHER,
        "silenced": "silenced",
        "random": f"random units, mean ± sd of {seeds}" if seeds else "",
        "rows": [_drawn(row, metric) for row in shown],
        "imprint": imprint(title),
    }


def _drawn(row: ClassChange, metric: str) -> dict[str, Any]:
    low, high = row.limits(metric)
    wide = not math.isnan(low) and not math.isnan(high) and high - low > 1e-9
    control = row.control(metric)
    return {
        "name": row.name,
        "target": row.target,
        "few": row.few,
        "tone": ACCENT if row.target else OTHER,
        "value": known(row.value(metric)),
        "before": known(row.value_before(metric)),
        "limits": [low, high] if wide else None,
        "random": _band(*control) if control else None,
        "numbers": _numbers(row, metric),
        "note": _note(row, metric),
    }


def _band(mean: float, deviation: float) -> list[float]:
    sd = 0.0 if math.isnan(deviation) else deviation
    return [max(0.0, mean - sd), min(1.0, mean + sd)]


def _numbers(row: ClassChange, metric: str) -> list[str]:
    """Before, after (set bold) and of how many, as they stand at the right of the row."""
    if not row.images:
        return ["no image yet"]
    if metric == ACCURACY:
        return [f"{row.before} → ", str(row.right), f" of {row.images}"]
    return [f"{row.probability_before:.2f} → ", f"{row.probability:.2f}"]


def _note(row: ClassChange, metric: str) -> list[str]:
    """Everything of a class, for whoever points at it."""
    if not row.images:
        return ["no image yet"]
    low, high = row.limits(metric)
    lines = [
        f"{row.before} → {row.right} of {row.images} images right"
        + (f" (of {row.population} in all)" if row.images < row.population else ""),
        f"mean probability {row.probability_before:.3f} → {row.probability:.3f}",
    ]
    if not math.isnan(low) and high - low > 1e-9:
        lines.append(f"95{SPACE}% interval {100 * low:.0f} to {100 * high:.0f}{SPACE}%")
    control = row.control(metric)
    if control:
        deviation = "" if math.isnan(control[1]) else f" ± {100 * control[1]:.1f}"
        lines.append(f"random units: {100 * control[0]:.1f}{deviation}{SPACE}% ({row.seeds} seeds)")
    return [*lines, "units are silenced for this class"] if row.target else lines
