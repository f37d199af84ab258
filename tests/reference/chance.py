"""What IoU chance reaches: annotations permuted among the images of a category, by brute force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from . import summary
from .profile import Annotation, Concept, tally


def members(
    annotations: Sequence[Annotation], category: str, valid: Sequence[bool] | None = None
) -> list[int]:
    """The valid images with at least one labelled pixel in the category, ascending."""
    return [
        image
        for image, annotation in enumerate(annotations)
        if (valid is None or valid[image])
        and any(labels.any() for name, labels in annotation if name == category)
    ]


def permuted(
    annotations: Sequence[Annotation],
    orders: Mapping[str, Sequence[int]],
    valid: Sequence[bool] | None = None,
) -> list[Annotation]:
    """The category's j-th image carries all maps of that category of its orders[category][j]-th image."""
    out: list[list[tuple[str, np.ndarray]]] = [[] for _ in annotations]
    for category, order in orders.items():
        images = members(annotations, category, valid)
        if sorted(order) != list(range(len(images))):
            raise ValueError(f"{category}: not a permutation of {len(images)} images")
        for place, origin in enumerate(order):
            out[images[place]] += [pair for pair in annotations[images[origin]] if pair[0] == category]
    return out


def null_maxima(
    mask: np.ndarray,
    annotations: Sequence[Annotation],
    concepts: Sequence[Concept],
    permutations: Mapping[str, np.ndarray],
    *,
    keep: np.ndarray,
    valid: Sequence[bool] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The observed statistic (U,) and its null values (U, K): a unit's highest IoU over all concepts.

    Args:
        mask: (N, U, H, W) bool.
        annotations: one per image, as for `profile.tally`.
        concepts: (label number, category); the categories are the keys of `permutations`.
        permutations: per category (K, images of the category); the k-th permutations of all
            categories belong together and are shared by all units.
        keep: (C,) bool, the concepts that enter the maximum.
        valid: (N,); none given means all.
    """
    categories = list(permutations)
    category_of = summary.category_positions(concepts, categories)

    def statistic(labels: Sequence[Annotation]) -> np.ndarray:
        counts = tally(mask, labels, concepts, categories, valid)
        scores = summary.iou(counts["intersection"], counts["active"], counts["concept_pixels"], category_of)
        return summary.best_iou(scores, keep)

    rounds = {len(orders) for orders in permutations.values()}
    if len(rounds) != 1:
        raise ValueError("every category needs the same number of permutations")
    null = []
    for turn in range(rounds.pop()):
        orders = {category: list(permutations[category][turn]) for category in categories}
        null.append(statistic(permuted(annotations, orders, valid)))
    return statistic(annotations), np.stack(null, axis=1)


def standardise(observed: np.ndarray, null: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """z of the observed values (U,) and of the null values (U, K), by each unit's own null distribution.

    Population deviation (divided by K). A unit whose null values are all the same has null z of 0; its
    own z is 0 if it equals them, +∞ above them and −∞ below.
    """
    z, z_null = np.zeros(len(observed)), np.zeros(null.shape)
    for unit, values in enumerate(null):
        if (values == values[0]).all():
            difference = observed[unit] - values[0]
            z[unit] = 0.0 if difference == 0 else np.copysign(np.inf, difference)
        else:
            mean = sum(float(value) for value in values) / len(values)
            deviation = (sum((float(value) - mean) ** 2 for value in values) / len(values)) ** 0.5
            z[unit] = (observed[unit] - mean) / deviation
            z_null[unit] = (values - mean) / deviation
    return z, z_null


def p_values(z: np.ndarray, z_null: np.ndarray, live: np.ndarray) -> np.ndarray:
    """p = (1 + #{z_null ≥ z})/(1 + K·U), the null pooled over the U live units; 1 for the others.

    Live means not dead: a tied unit has a mask and takes part.
    """
    pool = [float(value) for unit in np.flatnonzero(live) for value in z_null[unit]]
    p = np.ones(len(z))
    for unit in np.flatnonzero(live):
        p[unit] = (1 + sum(1 for value in pool if value >= z[unit])) / (1 + len(pool))
    return p


def q_values(p: np.ndarray, live: np.ndarray) -> np.ndarray:
    """Benjamini–Hochberg over the live units: the smallest level at which a unit is rejected; else 1."""
    q = np.ones(len(p))
    order = sorted((int(unit) for unit in np.flatnonzero(live)), key=lambda unit: (p[unit], unit))
    for rank, unit in enumerate(order, start=1):
        later = [p[other] * len(order) / place for place, other in enumerate(order, start=1) if place >= rank]
        q[unit] = min(1.0, *later)
    return q


def significant(q: np.ndarray, level: float = 0.05) -> np.ndarray:
    """(U,) bool: q ≤ level."""
    return q <= level


def expected_by_chance(null: np.ndarray, cutoff: float) -> float:
    """Detectors expected if the annotations were shuffled: null maxima above the cut-off, over K."""
    return sum(1 for value in null.ravel() if value > cutoff) / null.shape[1]
