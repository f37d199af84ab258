"""Do the units that overlap a class's object most matter most for the class? The paper's Table I.

Axes: U units of a layer, C classes, L layers. Two marks per unit and class: among the top k by IoU with the
class's concept, and among the top k by relevance for the class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from interpret_core.errors import ParameterError
from interpret_core.measures.permutations import permutation_p
from interpret_core.numbers import mean, share
from interpret_core.options import AGREEMENT_PERMUTATIONS, TOP_SHARE


class Cell(IntEnum):
    """Whether a class counts in a layer."""

    KEPT = 0
    NO_OVERLAP = 1  # the k-th largest IoU is 0: fewer than k units overlap the concept at all
    NO_RELEVANCE = 2  # the k-th largest relevance is 0


@dataclass(frozen=True, eq=False)
class LayerAgreement:
    """One layer's cells, one per class. A number of a cell that is left out is NaN.

    Attributes:
        iou: (U, C) float64 in [0, 1], with the concept of each class.
        relevance: (U, C) float64 ≥ 0, R for each class.
        count: k, the marks of either kind.
        by_iou, by_relevance: (U, C) bool, k True per column.
        state: (C,) uint8, a `Cell`.
        spearman: (C,) Spearman's ρ over all U units, ties averaged; also NaN where a side is constant.
    """

    iou: NDArray[np.float64]
    relevance: NDArray[np.float64]
    count: int
    by_iou: NDArray[np.bool_]
    by_relevance: NDArray[np.bool_]
    state: NDArray[np.uint8]
    spearman: NDArray[np.float64]

    @property
    def units(self) -> int:
        """U."""
        return len(self.iou)

    @cached_property
    def kept(self) -> NDArray[np.bool_]:
        """(C,) classes that count in this layer."""
        return np.asarray(self.state == Cell.KEPT)

    @cached_property
    def both(self) -> NDArray[np.int64]:
        """(C,) units with both marks, of cells left out too."""
        return (self.by_iou & self.by_relevance).sum(0)

    @property
    def error(self) -> NDArray[np.float64]:
        """(C,) share of the units whose two marks differ: 2 (k − both) / U, at most 2k/U."""
        return np.where(self.kept, 2 * (self.count - self.both) / self.units, np.nan)

    @property
    def chance(self) -> float:
        """The error to expect of marks set at random: 2 (k/U) (1 − k/U)."""
        return 2 * self.count * (self.units - self.count) / self.units**2

    @property
    def overlap(self) -> NDArray[np.float64]:
        """(C,) overlap@k: both / k."""
        return np.where(self.kept, self.both / self.count, np.nan)

    @cached_property
    def p_value(self) -> NDArray[np.float64]:
        """(C,) probability that k random marks meet the other k in as many units or more."""
        return np.where(self.kept, overlap_tail(self.units, self.count)[self.both], np.nan)

    @property
    def mean_error(self) -> float:
        """Mean over the classes that count; NaN without one."""
        return mean(self.error)


@dataclass(frozen=True, eq=False)
class NetworkAgreement:
    """A row of Table I, and the layers behind it; every kept cell of layer and class weighs the same.

    Attributes:
        layers: in forward order.
        error: mean over the kept cells, a share; NaN without any.
        error_sd: population standard deviation of the layers' mean errors, over layers with a kept cell.
        chance: mean over the kept cells of what random marks would give.
        p_value: share of permutations with an error as small or smaller; NaN where none were drawn.
        overlap: mean overlap@k over the kept cells.
        spearman: mean ρ over the kept cells that have one.
    """

    layers: tuple[LayerAgreement, ...]
    error: float
    error_sd: float
    chance: float
    p_value: float
    overlap: float
    spearman: float

    @cached_property
    def errors(self) -> NDArray[np.float64]:
        """(L, C) error of each cell, NaN where it is left out."""
        return np.stack([layer.error for layer in self.layers])

    def cells(self, state: Cell) -> int:
        """Cells in a state."""
        return sum(int((layer.state == state).sum()) for layer in self.layers)


def agree(iou: NDArray[np.float64], relevance: NDArray[np.float64], top: float = TOP_SHARE) -> LayerAgreement:
    """Compare one layer's two rankings of its units, class by class.

    Equal values rank by the lower unit. A cell is left out where the k-th largest IoU is 0, since the marks
    below it would go by the units' numbers alone; for the same reason where the k-th largest relevance is 0.

    Args:
        iou: (U, C) in [0, 1], of each unit with the concept of each class.
        relevance: (U, C) ≥ 0, finite, of each unit for each class.
        top: share of the units to mark, above 0 and at most 1; k = `marks_of(top, U)`.

    Raises:
        ParameterError: top out of range.
        ValueError: shapes that do not fit, no unit, negative or non-finite numbers.
    Source: Islam & Tushar 2021, Table I, which does not define its measure further. Left out, chance, p,
        overlap and ρ are our addition.
    """
    iou, relevance = np.asarray(iou, np.float64), np.asarray(relevance, np.float64)
    if iou.ndim != 2 or iou.shape != relevance.shape or len(iou) == 0:
        raise ValueError(
            f"Expected iou and relevance of one shape (U, C) with U > 0, but got {iou.shape} and "
            f"{relevance.shape}."
        )
    for name, values in (("iou", iou), ("relevance", relevance)):
        if not (np.isfinite(values) & (values >= 0)).all():
            raise ValueError(f"Expected {name} finite and from 0 upward, but got {_odd(values)}.")
    count = marks_of(top, len(iou))
    state = np.full(iou.shape[1], Cell.KEPT, np.uint8)
    state[_nth(relevance, count) == 0] = Cell.NO_RELEVANCE
    state[_nth(iou, count) == 0] = Cell.NO_OVERLAP
    return LayerAgreement(
        iou,
        relevance,
        count,
        top_marks(iou, count),
        top_marks(relevance, count),
        state,
        np.where(state == Cell.KEPT, spearman(iou, relevance), np.nan),
    )


def combine(
    layers: Sequence[LayerAgreement], permutations: int = AGREEMENT_PERMUTATIONS, seed: int = 0
) -> NetworkAgreement:
    """A network's row: means, deviation and p over its layers.

    Args:
        layers: of the same classes, in forward order.
        permutations: K of the p-value; 0 leaves it out.
        seed: of the permutations.
    """
    kept = np.stack([layer.kept for layer in layers])
    chance = np.array([layer.chance for layer in layers])
    marks = [(layer.by_iou[:, layer.kept], layer.by_relevance[:, layer.kept]) for layer in layers]
    by_layer = [layer.mean_error for layer in layers if layer.kept.any()]
    return NetworkAgreement(
        tuple(layers),
        mean(np.concatenate([layer.error for layer in layers])),
        float(np.std(by_layer)) if by_layer else math.nan,
        mean(np.where(kept, chance[:, None], np.nan).ravel()),
        permutation_p(marks, permutations, seed),
        mean(np.concatenate([layer.overlap for layer in layers])),
        mean(np.concatenate([layer.spearman for layer in layers])),
    )


def marks_of(top: float, units: int) -> int:
    """k = max(1, round(top · U)); a half goes to the even number, as Python's round and the thresholds do.

    Raises:
        ParameterError: top is not above 0 and at most 1.
    """
    if not 0 < top <= 1:
        raise ParameterError(
            f"top is {top!r}, but expected a share above 0 and at most 1, such as {TOP_SHARE}."
        )
    return max(1, round(top * units))


def top_marks(values: NDArray[np.floating], count: int) -> NDArray[np.bool_]:
    """(U, C) bool: the `count` largest of each column of values (U, C), of equal ones the lower unit."""
    marks = np.zeros(values.shape, np.bool_)
    np.put_along_axis(marks, np.argsort(-values, axis=0, kind="stable")[:count], True, axis=0)
    return marks


def common_ways(units: int, one: int, other: int) -> list[int]:
    """Of all sets of `other` units among U, how many have x = 0, 1, … in common with a given set of `one`.

    Their sum is the binomial coefficient of U over `other`: the hypergeometric distribution in whole numbers.
    """
    return [math.comb(one, x) * math.comb(units - one, other - x) for x in range(min(one, other) + 1)]


def overlap_tail(units: int, count: int) -> NDArray[np.float64]:
    """(k + 1,) P(X ≥ x), x = 0 … k, of the units that two random sets of k among U have in common.

    Summed in whole numbers, then divided once.
    """
    whole, tail, above = math.comb(units, count), [], 0
    for ways in reversed(common_ways(units, count, count)):
        above += ways
        tail.append(above / whole)
    return np.array(tail[::-1])


def spearman(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """(C,) Spearman's ρ of the columns of two (U, C), ties averaged; NaN where a column is constant."""
    from scipy.stats import rankdata

    # Twice the ranks less their mean are whole numbers, so a constant column is exactly 0.
    left, right = (2 * rankdata(values, axis=0) - (len(values) + 1) for values in (one, other))
    spread = np.sqrt((left**2).sum(0) * (right**2).sum(0))
    found = share((left * right).sum(0), spread)
    return np.clip(found, -1, 1)


def _nth(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """(C,) the `count`-th largest of each column."""
    return np.sort(values, axis=0)[-count]


def _odd(values: NDArray[np.float64]) -> str:
    """The first value that should not be there, and where."""
    unit, column = np.argwhere(~(np.isfinite(values) & (values >= 0)))[0]
    return f"{values[unit, column]} (unit {unit}, class {column})"
