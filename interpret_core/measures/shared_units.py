"""Which units several classes rely on: overlap of the classes' sets of units, and units in many sets.

Axes: U units of a layer, C classes, L layers. A class's set holds its k most relevant units of every layer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.agreement import common_ways, marks_of, top_marks
from interpret_core.numbers import share
from interpret_core.options import TOP_SHARE

DECIMALS = 9  # of an expectation, where it is compared with a whole number


class Hub(NamedTuple):
    """A unit in the sets of several classes: its layer's number, its own, and the classes' numbers."""

    layer: int
    unit: int
    classes: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Overlap:
    """How far the sets of every two classes overlap.

    Chance: every class has as many units in each layer as it does, drawn at random and independently of the
    other classes.

    Attributes:
        sizes: (C,) int64, units in each set.
        both: (C, C) int64, units in both sets.
        jaccard: (C, C) both / units in either; of two empty sets 0.
        chance: (C, C) Jaccard to expect by chance; NaN on the diagonal, where there is nothing to expect.
        p_value: (C, C) probability of as many units in both by chance, or more; NaN on the diagonal.
    """

    sizes: NDArray[np.int64]
    both: NDArray[np.int64]
    jaccard: NDArray[np.float64]
    chance: NDArray[np.float64]
    p_value: NDArray[np.float64]

    @property
    def mean_jaccard(self) -> float:
        """Mean over the pairs of different classes; NaN with fewer than two classes."""
        return _over_pairs(self.jaccard)

    @property
    def mean_chance(self) -> float:
        """The same of what chance would give."""
        return _over_pairs(self.chance)


@dataclass(frozen=True, eq=False)
class SharedUnits:
    """The sets of C classes in L layers, and what they share.

    Attributes:
        members: by layer, (U, C) bool: the unit is in the class's set.
        counts: by layer, k; a set has fewer where fewer units have any relevance.
        whole: overlap of the sets of all layers.
        by_layer: overlap within each layer.
        observed: (L, C + 1) int64, units in at least m sets, m = 0 … C.
        expected: (L, C + 1) float64, what chance would give: see `Overlap`.
    """

    members: tuple[NDArray[np.bool_], ...]
    counts: tuple[int, ...]
    whole: Overlap
    by_layer: tuple[Overlap, ...]
    observed: NDArray[np.int64]
    expected: NDArray[np.float64]

    @cached_property
    def many(self) -> int:
        """The least number of sets, from 2, that chance would give to fewer than one unit of the network.

        C + 1 where chance alone fills all of them.
        """
        rare = np.flatnonzero(np.round(self.expected.sum(0), DECIMALS) < 1)  # 1 may come out as 1 ± 2⁻⁵²
        return max(2, int(rare[0])) if len(rare) else self.expected.shape[1]

    def hubs(self, least: int | None = None) -> list[Hub]:
        """Units in at least so many sets (default `many`): most sets first, then by layer and unit."""
        least = self.many if least is None else least
        found = [
            Hub(layer, int(unit), tuple(int(number) for number in np.flatnonzero(marks[unit])))
            for layer, marks in enumerate(self.members)
            for unit in np.flatnonzero(marks.sum(1) >= least)
        ]
        return sorted(found, key=lambda hub: -len(hub.classes))


def share_units(relevance: Sequence[NDArray[np.floating]], top: float = TOP_SHARE) -> SharedUnits:
    """The classes' sets of units, and what they share.

    A class's set holds, of every layer, its k = `marks_of(top, U)` most relevant units, of equal ones the
    lower; a unit without relevance is in no set. Relevance is never compared across layers.

    Args:
        relevance: by layer in forward order, (U, C) ≥ 0, finite, of each unit for each class.
        top: share of a layer's units, above 0 and at most 1.

    Raises:
        ParameterError: top out of range.
        ValueError: no layer, shapes that do not fit, negative or non-finite numbers.
    Source: our measure (docs/method.md); expectations are exact, see `overlap_of` and `expected_members`.
    """
    layers = [np.asarray(values, np.float64) for values in relevance]
    _check(layers)
    counts = tuple(marks_of(top, len(values)) for values in layers)
    members = tuple(
        top_marks(values, count) & (values > 0) for values, count in zip(layers, counts, strict=True)
    )
    classes = layers[0].shape[1]
    return SharedUnits(
        members,
        counts,
        overlap_of(members),
        tuple(overlap_of([marks]) for marks in members),
        np.stack([_at_least(marks.sum(1), classes) for marks in members]),
        np.stack([expected_members(marks.sum(0), len(marks)) for marks in members]),
    )


def overlap_of(members: Sequence[NDArray[np.bool_]]) -> Overlap:
    """Overlap of the classes' sets, united over the given layers.

    The number of units in both of two independent random sets is hypergeometric in each layer, and the
    layers' numbers add up; so the expectation of the Jaccard index and the tail are sums over one
    distribution, without approximation.

    Args:
        members: by layer, (U, C) bool.
    """
    by_layer = np.stack([marks.sum(0) for marks in members])  # (L, C)
    sizes = by_layer.sum(0)
    both = np.stack([marks.astype(np.int64).T @ marks.astype(np.int64) for marks in members]).sum(0)
    jaccard = _quotient(both, sizes[:, None] + sizes - both)
    chance, p_value = np.full(both.shape, np.nan), np.full(both.shape, np.nan)
    units = [len(marks) for marks in members]
    known: dict[Any, NDArray[np.float64]] = {}  # mostly all pairs have k units each in every layer
    for one, other in zip(*np.triu_indices(len(sizes), 1), strict=True):
        pair = tuple(sorted((tuple(by_layer[:, one].tolist()), tuple(by_layer[:, other].tolist()))))
        if pair not in known:
            known[pair] = _common(units, *pair)
        likely, number = known[pair], np.arange(len(known[pair]))
        index = _quotient(number, sizes[one] + sizes[other] - number)
        chance[one, other] = chance[other, one] = likely @ index
        p_value[one, other] = p_value[other, one] = min(1.0, likely[both[one, other] :].sum())
    return Overlap(sizes, both, jaccard, chance, p_value)


def expected_members(sizes: NDArray[np.integer], units: int) -> NDArray[np.float64]:
    """(C + 1,) units of a layer to expect in at least m = 0 … C random sets.

    A unit is in a random set of s among U with probability s/U, in each set independently of the others: the
    number of its sets is Poisson-binomial (with equal sizes binomial), and U units expect U times as many.

    Args:
        sizes: (C,) of the classes' sets in the layer.
        units: U.
    """
    likely = np.ones(1)
    for size in sizes:
        likely = np.convolve(likely, [1 - size / units, size / units])
    return units * np.cumsum(likely[::-1])[::-1]


def _common(units: Sequence[int], one: Sequence[int], other: Sequence[int]) -> NDArray[np.float64]:
    """P(so many units in both), 0 … Σ min: random sets of so many units in each layer."""
    likely = np.ones(1)
    for number, left, right in zip(units, one, other, strict=True):
        whole = math.comb(number, right)
        likely = np.convolve(likely, [ways / whole for ways in common_ways(number, left, right)])
    return likely


def _at_least(sets: NDArray[np.integer], classes: int) -> NDArray[np.int64]:
    """(C + 1,) units in at least m sets; `sets` (U,) is each unit's number of sets."""
    return np.cumsum(np.bincount(sets, minlength=classes + 1)[::-1])[::-1]


def _quotient(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """part / whole; 0/0 is 0."""
    return share(part, whole, 0.0)


def _over_pairs(values: NDArray[np.float64]) -> float:
    pairs = values[np.triu_indices(len(values), 1)]
    return float(pairs.mean()) if len(pairs) else float("nan")


def _check(layers: Sequence[NDArray[np.float64]]) -> None:
    shapes = [values.shape for values in layers]
    if not layers or any(len(shape) != 2 or shape[0] == 0 for shape in shapes):
        raise ValueError(f"Expected one (U, C) with U > 0 per layer, but got {shapes}.")
    if len({shape[1] for shape in shapes}) > 1:
        raise ValueError(f"Expected the same classes in every layer, but got shapes {shapes}.")
    if not all((np.isfinite(values) & (values >= 0)).all() for values in layers):
        raise ValueError("Expected relevance finite and from 0 upward, but got something else.")
