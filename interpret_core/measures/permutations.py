"""How often random units would agree as well: a network's p-value by permutations.

Axes: U units of a layer, C classes, m marked units, K permutations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Marks = tuple[NDArray[np.bool_], NDArray[np.bool_]]


def permutation_p(layers: Sequence[Marks], permutations: int, seed: int) -> float:
    """How often a network's error would be as small if relevance said nothing of the units.

    Each layer's units change places, the same way for all classes, so that classes which share units do so
    in every permutation too. p = (1 + #{error ≤ observed}) / (1 + K). Since the number of cells and k do not
    change, an error is as small exactly where Σ both/U over the cells is as large, `both` being the units
    with two marks: that is compared in whole numbers, so equal errors are equal.

    Args:
        layers: of one network, in forward order: (U, C) bool by IoU and (U, C) by relevance, of the classes
            that count in the layer; C may differ and be 0.
        permutations: K.
        seed: layer l draws from (seed, l).

    Returns:
        p in (0, 1]; NaN without permutations or without any class.
    """
    if permutations < 1 or not any(by_iou.shape[1] for by_iou, _ in layers):
        return math.nan
    unit = math.lcm(*(len(by_iou) for by_iou, _ in layers))  # 1/U is this many times 1/unit
    observed, drawn = 0, np.zeros(permutations, object)  # object: Python's integers, which do not overflow
    for number, (by_iou, by_relevance) in enumerate(layers):
        weight = unit // len(by_iou)
        observed += weight * int((by_iou & by_relevance).sum())
        random = np.random.default_rng((seed, number))
        drawn += weight * permuted_both(by_iou, by_relevance, permutations, random).astype(object)
    return (1 + int((drawn >= observed).sum())) / (1 + permutations)


def permuted_both(
    by_iou: NDArray[np.bool_],
    by_relevance: NDArray[np.bool_],
    permutations: int,
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """(K,) units with both marks, summed over the classes, for every permutation of one layer's units.

    Only the places of marked units matter, so only those are drawn, for all permutations at once: the first m
    steps of Fisher and Yates's shuffle. Moving one kind of marks or the other is the same in distribution;
    the one with fewer marked units is moved.

    Args:
        by_iou: (U, C) bool.
        by_relevance: (U, C) bool.
        permutations: K.
        random: where the places are drawn from.
    """
    sides = [marks.astype(np.int64) for marks in (by_relevance, by_iou)]
    moved, fixed = sorted(sides, key=lambda marks: int(marks.any(1).sum()))
    gain = moved[moved.any(1)] @ fixed.T  # (m, U): classes won where the row's unit comes to that place
    units = len(by_iou)
    start = np.arange(units, dtype=np.min_scalar_type(units))
    places = np.tile(start[:, None], (1, permutations))
    flat, column = places.reshape(-1), np.arange(permutations)
    total = np.zeros(permutations, np.int64)
    for step, won in enumerate(gain):
        chosen = random.integers(step, units, permutations) * permutations + column
        place = flat.take(chosen)
        flat[chosen] = places[step]
        places[step] = place
        total += won.take(place)
    return total
