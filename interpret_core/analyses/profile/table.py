"""The table behind `profile --out`, one row per unit and label."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from interpret_core.analyses.profile.summary import LayerSummary
from interpret_core.measures.assessment.words import TELLING
from interpret_core.measures.dissection.thresholds import State
from interpret_core.numbers import known

# What a unit responds to, and what says so; in the files of the pages, too.
ASSESSMENT = (
    "assessment",
    "clear",
    "shade",
    "shade_iou",
    "base_rate",
    "colour_ap",
    "annotation_ap",
    "both_ap",
    "difference_low",
    "difference_high",
    "lift",
    "lift_low",
    "lift_high",
)
COLUMNS = (
    "layer",
    "unit",
    "scope",
    "rank",
    "category",
    "concept",
    "iou",
    "intersection",
    "union",
    "ceiling",
    "threshold",
    "tail_mass",
    "mask_area",
    "state",
    "p_value",
    "q_value",
    "detector",
    *ASSESSMENT,
)


def rows(summary: LayerSummary) -> Iterator[dict[str, Any]]:
    """Rows in the order of COLUMNS: per unit the best concepts overall, then the best of each category.

    A unit that overlaps no concept has one row without a concept, so that no unit is missing.
    """
    for unit in range(summary.profile.units):
        common = _unit_facts(summary, unit)
        for rank, concept in enumerate(summary.top_concept[unit], 1):
            if concept >= 0 or rank == 1:
                yield common | _label(summary, unit, int(concept), "overall", rank)
        for concept in summary.category_concept[unit]:
            if concept >= 0:
                yield common | _label(summary, unit, int(concept), "category", 1)


def _unit_facts(summary: LayerSummary, unit: int) -> dict[str, Any]:
    profile = summary.profile
    return dict.fromkeys(COLUMNS) | {
        "layer": profile.layer,
        "unit": unit,
        "threshold": float(profile.arrays["threshold"][unit]),
        "tail_mass": float(profile.tail_mass[unit]),
        "mask_area": float(profile.mask_area[unit]),
        "state": State(int(profile.arrays["state"][unit])).name.lower(),
        "p_value": known(summary.p_value[unit]),
        "q_value": known(summary.q_value[unit]),
        "detector": bool(summary.detector[unit]),
        **assessment_facts(summary, unit),
    }


def assessment_facts(summary: LayerSummary, unit: int) -> dict[str, Any]:
    """A unit's values under ASSESSMENT, in that order; None for what is not known."""
    return dict.fromkeys(ASSESSMENT) | _shade(summary, unit) | _assessment(summary, unit)


def _shade(summary: LayerSummary, unit: int) -> dict[str, Any]:
    """The shade that a unit overlaps most."""
    profile, best = summary.profile, int(summary.profile.nearest_shade[unit])
    if best < 0:
        return {}
    return {"shade": profile.metadata["shade_names"][best], "shade_iou": float(profile.shade_iou[unit, best])}


def _assessment(summary: LayerSummary, unit: int) -> dict[str, Any]:
    """What it responds to, and the numbers behind that."""
    if summary.assessment is None or summary.assessed is None:
        return {}
    arrays = summary.assessment.arrays
    held_out = summary.assessment.independent
    colour, annotation, both = arrays["precision"][unit] if held_out else [math.nan] * 3
    (low, high), (least, most) = arrays["difference"][unit], arrays["lift_interval"][unit]
    if not len(summary.included):  # without annotation its guess is the blind one, which is no score of it
        annotation = both = low = high = math.nan
    numbers = {
        "base_rate": arrays["base_rate"][unit],
        "colour_ap": colour,
        "annotation_ap": annotation,
        "both_ap": both,
        "difference_low": low,
        "difference_high": high,
    }
    lifts = {"lift": arrays["lift"][unit], "lift_low": least, "lift_high": most}
    word = summary.assessed[unit].name.lower().replace("_", " ")
    clear = not summary.faint[unit] if summary.assessed[unit] in TELLING else None
    said = {"assessment": word, "clear": clear} | {name: known(value) for name, value in numbers.items()}
    return said | {name: _lift(float(value)) for name, value in lifts.items()}


def _lift(value: float) -> float | str | None:
    """A number, or the text inf: nothing is active outside the label."""
    return "inf" if value == math.inf else known(value)


def _label(summary: LayerSummary, unit: int, concept: int, scope: str, rank: int) -> dict[str, Any]:
    label: dict[str, Any] = {"scope": scope, "rank": rank}
    if concept < 0:
        return label
    profile = summary.profile
    category = int(profile.concept_category[concept])
    both = int(profile.arrays["intersection"][unit, concept])
    active = int(profile.arrays["active"][unit, category])
    return label | {
        "category": profile.categories[category],
        "concept": profile.concept_names[concept],
        "iou": profile.table_of_iou.at(unit, concept),
        "intersection": both,
        "union": active + int(profile.arrays["concept_pixels"][concept]) - both,
        "ceiling": float(profile.table_of_iou.ceiling(unit, concept)),
    }
