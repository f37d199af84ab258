"""What is read off the tallies: IoU, ceilings, top concepts, detectors, sensitivity.

Axes: U units, C concepts. Counts are int64, IoU is float64 from one division; 0/0 is 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def ratio(numerator: int, denominator: int) -> float:
    """One division of two counts; 0/0 is 0."""
    return int(numerator) / int(denominator) if denominator else 0.0


def category_positions(concepts: Sequence[tuple[int, str]], categories: Sequence[str]) -> np.ndarray:
    """(C,) position of every concept's category in `categories`."""
    return np.array([list(categories).index(name) for _, name in concepts], dtype=np.int64)


def iou(
    intersection: np.ndarray, active: np.ndarray, concept_pixels: np.ndarray, category_of: np.ndarray
) -> np.ndarray:
    """(U, C): |M ∩ L| / |M ∪ L|, the union being active + concept − intersection."""
    units, concepts = intersection.shape
    out = np.zeros((units, concepts))
    for unit in range(units):
        for concept in range(concepts):
            both = intersection[unit, concept]
            union = active[unit, category_of[concept]] + concept_pixels[concept] - both
            out[unit, concept] = ratio(both, union)
    return out


def ceiling(active: np.ndarray, concept_pixels: np.ndarray, category_of: np.ndarray) -> np.ndarray:
    """(U, C): the largest IoU these two areas allow, min(a, c)/max(a, c); 0 where both are empty."""
    units, concepts = len(active), len(concept_pixels)
    out = np.zeros((units, concepts))
    for unit in range(units):
        for concept in range(concepts):
            pair = active[unit, category_of[concept]], concept_pixels[concept]
            out[unit, concept] = ratio(min(pair), max(pair))
    return out


def mask_area(active_total: np.ndarray, valid_images: int, size: tuple[int, int]) -> np.ndarray:
    """(U,): share of all pixels of the valid images that are active."""
    return np.array([ratio(count, valid_images * size[0] * size[1]) for count in active_total])


def included(concept_images: np.ndarray, min_images: int) -> np.ndarray:
    """(C,) bool: concepts that may be a label or enter a count. The tallies themselves do not change."""
    return np.asarray(concept_images) >= min_images


def top_concepts(scores: np.ndarray, keep: np.ndarray, count: int = 3) -> list[list[int]]:
    """Per unit the included concepts with the highest IoU, equal ones by lower index.

    Concepts with IoU 0 are ranked like any other; fewer than `count` concepts give a shorter list.
    """
    candidates = [int(index) for index in np.flatnonzero(keep)]
    return [sorted(candidates, key=lambda c, row=row: (-row[c], c))[:count] for row in scores]


def best_per_category(
    scores: np.ndarray, keep: np.ndarray, category_of: np.ndarray, categories: int
) -> list[list[int]]:
    """Per unit and category the included concept with the highest IoU (lower index wins), −1 if none."""
    rows = []
    for position in range(categories):
        ranked = top_concepts(scores, keep & (category_of == position), 1)
        rows.append([entry[0] if entry else -1 for entry in ranked])
    return [list(column) for column in zip(*rows, strict=True)]


def best_iou(scores: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """(U,): each unit's highest IoU over the included concepts; 0 if there are none."""
    return np.array([max([row[c] for c in np.flatnonzero(keep)], default=0.0) for row in scores])


def detectors(scores: np.ndarray, keep: np.ndarray, cutoff: float = 0.04) -> dict[int, int]:
    """{unit: its best concept} for the units whose best IoU is strictly above the cut-off."""
    found = {}
    for unit, ranked in enumerate(top_concepts(scores, keep, 1)):
        if ranked and scores[unit, ranked[0]] > cutoff:
            found[unit] = ranked[0]
    return found


def unique_detectors(found: dict[int, int]) -> int:
    """Number of distinct concepts among the detectors."""
    return len(set(found.values()))


def detectors_by_category(
    found: dict[int, int], category_of: np.ndarray, categories: int
) -> list[tuple[int, int]]:
    """Per category (detectors, unique detectors): where the best concept of a detector belongs."""
    out = []
    for position in range(categories):
        inside = {unit: concept for unit, concept in found.items() if category_of[concept] == position}
        out.append((len(inside), unique_detectors(inside)))
    return out


def mean_top_iou(scores: np.ndarray, keep: np.ndarray, count: int) -> float:
    """The paper's Q^t: mean over units of the mean of each unit's t highest IoUs.

    Dead units take part (with 0). With fewer than t included concepts the missing ones count as 0.
    For a network, stack the units of all its layers: every unit weighs the same.
    """
    per_unit = []
    for row, ranked in zip(scores, top_concepts(scores, keep, count), strict=True):
        per_unit.append(sum(float(row[c]) for c in ranked) / count)
    return sum(per_unit) / len(per_unit) if per_unit else 0.0


def sensitivity(best: np.ndarray, cutoffs: Sequence[float]) -> list[int]:
    """Number of detectors at every cut-off (strictly above it)."""
    return [sum(1 for value in best if value > cutoff) for cutoff in cutoffs]
