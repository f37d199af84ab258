"""IoUs and lifts of resampled images: how certain a unit's label, its IoU and its being a detector are.

Source: docs/method.md, "Uncertainty"; Efron 1979 (the bootstrap), over images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from interpret_core.measures.assessment.label_sets import LabelSets
from interpret_core.measures.assessment.pixel_groups import ActivePixels, PixelGroups
from interpret_core.measures.assessment.resamples import Resamples


@dataclass(frozen=True, eq=False)
class Areas:
    """Pixels of concepts and of categories in the images as they are (column 0) and in each resample.

    Attributes:
        category_of: (C,) int64, each concept's category.
        concept: (C, 1 + R) int64; category: (K, 1 + R) int64, all pixels of the images that annotate it.
        weights: (N, 1 + R) int32.
        scenes: (C,) int64, of the images that show a concept.
    """

    category_of: NDArray[np.int64]
    concept: NDArray[np.int64]
    category: NDArray[np.int64]
    weights: NDArray[np.int32]
    scenes: NDArray[np.int64]


def areas(groups: PixelGroups, sets: LabelSets, category_of: NDArray[np.int64], drawn: Resamples) -> Areas:
    """Count the pixels of some images.

    Args:
        groups: of the images' pixels.
        sets: of the images' pixels.
        category_of: (C,) of each concept.
        drawn: resamples of the images.
    """
    images, concepts = len(drawn.weights), len(category_of)
    weights = np.concatenate([np.ones((images, 1), np.int32), drawn.weights], 1)
    shape = (len(sets), images)
    by_set = csr_array((groups.pixels, (groups.label_set, groups.image)), shape=shape).tocsr()
    ones = np.ones(len(sets.concepts), np.int32)
    set_of = np.repeat(np.arange(len(sets)), np.diff(sets.offsets))
    shown = csr_array((ones, (sets.concepts, set_of)), shape=(concepts, len(sets))) @ by_set
    annotated = csr_array(sets.categories.T.astype(np.int32)) @ by_set
    return Areas(
        category_of,
        (shown @ weights).astype(np.int64),
        (annotated @ weights).astype(np.int64),
        weights,
        drawn.scenes_of(shown),
    )


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Overlaps of units with concepts in the images (place 0) and in each resample.

    Attributes:
        iou: (U, 2, 1 + R) float32, with each unit's label and its runner-up; NaN where there is none.
        lift: (U, 1 + R) float32, of the label: share of active pixels inside it over that outside it, in
            the images of its category; NaN where either has no pixel, or nothing is active.
        best: (U, 1 + R) float32, the largest IoU of all concepts that count.
        of_concept: (U, 1 + R) int32, whose it is, the lowest among equals; −1 where nothing overlaps.
    """

    iou: NDArray[np.float32]
    lift: NDArray[np.float32]
    best: NDArray[np.float32]
    of_concept: NDArray[np.int32]


def overlaps(
    active: ActivePixels,
    groups: PixelGroups,
    sets: LabelSets,
    found: Areas,
    labels: NDArray[np.int64],
    counted: NDArray[np.bool_],
) -> Overlaps:
    """Overlaps of every unit.

    Args:
        active: active pixels of U units by group.
        groups: of the images' pixels.
        sets: of the images' pixels.
        found: of the images' pixels.
        labels: (U, 2) int64, each unit's label and its runner-up, −1 for none.
        counted: (C,) bool, concepts that may be a label.
    """
    units, places = len(active.offsets) - 1, found.weights.shape[1]
    iou = np.full((units, 2, places), np.nan, np.float32)
    lift, best = np.full((units, places), np.nan, np.float32), np.zeros((units, places), np.float32)
    of_concept = np.full((units, places), -1, np.int32)
    _overlaps(
        (active.offsets, active.group, active.pixels),
        (groups.image, groups.label_set, sets.offsets, sets.concepts, sets.categories),
        (found.category_of, found.concept, found.category, found.weights, counted),
        labels,
        (iou, lift, best, of_concept),
    )
    return Overlaps(iou, lift, best, of_concept)


@nb.njit(parallel=True, cache=True)
def _overlaps(active, pixels, found, labels, out):  # type: ignore[no-untyped-def]
    offsets, group, count = active
    iou, lift, best, of_concept = out
    for u in nb.prange(labels.shape[0]):
        there = group[offsets[u] : offsets[u + 1]], count[offsets[u] : offsets[u + 1]]
        inside, within = _counts(there, pixels, found)
        _best(inside, within, found, best[u], of_concept[u])
        for place in range(2):
            if labels[u, place] >= 0:
                _iou(labels[u, place], inside, within, found, iou[u, place])
        if labels[u, 0] >= 0:
            _lift(labels[u, 0], inside, within, found, lift[u])


@nb.njit
def _counts(active, pixels, found):  # type: ignore[no-untyped-def]
    """Active pixels inside each concept, and within the images of each category."""
    group, count = active
    image, label_set, offsets, concepts, categories = pixels
    _, concept_area, category_area, weights, _ = found
    inside = np.zeros(concept_area.shape, np.int64)
    within = np.zeros(category_area.shape, np.int64)
    for i in range(group.shape[0]):
        s, row = label_set[group[i]], weights[image[group[i]]]
        for c in concepts[offsets[s] : offsets[s + 1]]:
            for r in range(row.shape[0]):
                inside[c, r] += count[i] * row[r]
        for k in range(within.shape[0]):
            if categories[s, k]:
                for r in range(row.shape[0]):
                    within[k, r] += count[i] * row[r]
    return inside, within


@nb.njit
def _best(inside, within, found, best, of_concept):  # type: ignore[no-untyped-def]
    category_of, concept_area, _, _, counted = found
    for c in range(inside.shape[0]):
        if not counted[c]:
            continue
        for r in range(inside.shape[1]):
            if inside[c, r] > 0:
                value = np.float32(
                    inside[c, r] / (within[category_of[c], r] + concept_area[c, r] - inside[c, r])
                )
                if value > best[r]:
                    best[r], of_concept[r] = value, c


@nb.njit
def _iou(c, inside, within, found, out):  # type: ignore[no-untyped-def]
    category_of, concept_area = found[0], found[1]
    for r in range(out.shape[0]):
        union = within[category_of[c], r] + concept_area[c, r] - inside[c, r]
        out[r] = inside[c, r] / union if union > 0 else 0.0


@nb.njit
def _lift(c, inside, within, found, out):  # type: ignore[no-untyped-def]
    category_of, concept_area, category_area = found[0], found[1], found[2]
    k = category_of[c]
    for r in range(out.shape[0]):
        around, active_around = category_area[k, r] - concept_area[c, r], within[k, r] - inside[c, r]
        if concept_area[c, r] == 0 or around == 0 or within[k, r] == 0:
            continue
        share, share_around = inside[c, r] / concept_area[c, r], active_around / around
        out[r] = share / share_around if share_around > 0 else np.inf
