"""Which units the grid shows and in which order: pure functions over a layer's view."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.image_labels.result import LabelledLayer
from interpret_core.analyses.relevance.result import LayerRelevance
from interpret_core.numbers import share
from ui.session import unit_rows
from ui.session.view import DEAD, TIED, LayerView

SORTS = {
    "iou": "IoU, highest first",
    "relative": "IoU / ceiling",
    "z": "z against chance",
    "lift": "lift of the label",
    "colour": "assessment, colour before object",
    "shade": "shade, dark to light",
    "firing": "share of positions firing",
    "relevance": "influence on a class",
    "label": "label of whole images, z",
    "index": "unit number",
}
STATES = {"": "all", "live": "live", "dead": "dead", "tied": "tied"}


class Filters(NamedTuple):
    """What the sidebar asks for."""

    categories: tuple[str, ...] = ()
    concept: str = ""
    low: float = 0.0
    high: float = 1.0
    significant: bool = False
    detectors: bool = False
    state: str = ""
    responds: str = ""
    sort: str = "iou"
    class_name: str = ""
    influence: str = ""
    label: str = ""


def choose(
    view: LayerView,
    filters: Filters,
    relevance: LayerRelevance | None = None,
    labelled: LabelledLayer | None = None,
) -> NDArray[np.int64]:
    """Units that pass the filters, in order; ties by unit number.

    Args:
        view: the layer.
        filters: what is asked for.
        relevance: of the layer for the class of the filters; needed by that order alone.
        labelled: which labels of whole images its units tell; needed by that filter and order alone.
    """
    keep = (view.iou >= filters.low - 1e-9) & (view.iou <= filters.high + 1e-9)
    if filters.label and labelled is not None:
        keep &= labelled["best"] == labelled.labels.index(filters.label)
    if filters.categories:
        keep &= np.array([view.category(unit) in filters.categories for unit in range(view.layer.units)])
    if filters.concept:
        # A unit is found by any of its top concepts, not only by its label.
        keep &= (view.summary.top_concept == view.find(filters.concept)).any(1)
    if filters.significant:
        keep &= view.summary.significant
    if filters.detectors:
        keep &= view.detector
    if filters.state == "dead":
        keep &= view.state == DEAD
    elif filters.state == "tied":
        keep &= view.state == TIED
    elif filters.state == "live":
        keep &= (view.state != DEAD) & (view.state != TIED)
    if filters.responds:
        words = [view.assessment(unit) for unit in range(view.layer.units)]
        keep &= np.array([word is not None and word.name.lower() == filters.responds for word in words])
    if filters.sort == "relevance" and relevance is not None:
        keep &= unit_rows.on_side(relevance, filters.influence)
        score = relevance.relevance
    elif filters.sort == "label" and labelled is not None:
        score = _of_labels(labelled)
    else:
        score = _score(view, filters.sort)
    kept = np.flatnonzero(keep)
    return kept[np.argsort(-score[kept], kind="stable")]


def _of_labels(labelled: LabelledLayer) -> NDArray[np.float64]:
    """(U,) z of each unit's best label; units that answer all images alike come last."""
    best = labelled["best"]
    score = labelled["z"][np.arange(best.size), np.maximum(best, 0)]
    return np.where(best < 0, -np.inf, np.nan_to_num(score, nan=-np.inf))


def _score(view: LayerView, sort: str) -> NDArray[np.float64]:
    if sort == "index":
        return -np.arange(view.layer.units, dtype=np.float64)
    if sort == "firing":
        return view.firing
    if sort == "z":
        return np.nan_to_num(view.summary.z, nan=-np.inf)
    assessment = view.summary.assessment
    if sort == "lift" and assessment is not None:
        return np.nan_to_num(assessment.arrays["lift"], nan=-np.inf)
    if sort == "colour" and assessment is not None:
        precision = assessment.arrays["precision"]
        return np.asarray(precision[:, 0] - precision[:, 1])
    if sort == "shade":
        shades = [view.best_shade(unit) for unit in range(view.layer.units)]
        return np.array([-np.inf if shade is None else -shade for shade in shades], np.float64)
    if sort == "relative":
        ceiling = view.summary.ceiling
        return share(view.iou, ceiling, 0.0)
    return view.iou


def neighbours(order: NDArray[np.int64], unit: int) -> tuple[int | None, int | None]:
    """Units before and after this one in the order shown; None at an end or when it is filtered out."""
    at = np.flatnonzero(order == unit)
    if not at.size:
        return (int(order[-1]), int(order[0])) if order.size else (None, None)
    here = int(at[0])
    return (
        int(order[here - 1]) if here > 0 else None,
        int(order[here + 1]) if here + 1 < order.size else None,
    )


def concept_options(view: LayerView) -> dict[str, int]:
    """Every included concept with the number of units that have it among their top three, most first."""
    numbers, counts = np.unique(view.summary.top_concept, return_counts=True)
    found = {int(n): int(c) for n, c in zip(numbers, counts, strict=True)}
    order = sorted(range(len(view.concepts)), key=lambda c: (-found.get(c, 0), view.concepts[c].name))
    return {view.concepts[c].name: found.get(c, 0) for c in order if view.summary.included[c]}
