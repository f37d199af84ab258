"""How well numbers tell some images from others: AUC, Mann–Whitney's z, average precision.

Which image bears which label is a sparse matrix: of 1,000 labels an image bears a few.
Axes: N images, U units, T labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from interpret_core.numbers import share


@dataclass(frozen=True, eq=False)
class RankedResponses:
    """The images by each unit's largest response.

    Attributes:
        rank: (N, U) float64 mid-ranks from 1, the weakest first; whole numbers and halves, so that their sums
            are exact in any order.
        ties: (U,) Σ(t³ − t) over the groups of t images with one response.
    """

    rank: NDArray[np.float64]
    ties: NDArray[np.float64]

    @classmethod
    def of(cls, responses: NDArray[np.float32]) -> RankedResponses:
        """Rank (N, U) responses, unit by unit."""
        rank = np.empty(responses.shape, np.float64)
        ties = np.zeros(responses.shape[1])
        for unit, column in enumerate(responses.T):
            _, where, count = np.unique(column, return_inverse=True, return_counts=True)
            last = np.cumsum(count)
            rank[:, unit] = (last - (count - 1) / 2)[where]
            ties[unit] = (count.astype(np.float64) ** 3 - count).sum()
        return cls(rank, ties)

    @property
    def constant(self) -> NDArray[np.bool_]:
        """(U,) units that answer all images alike, by which nothing can be told."""
        return self.ties == len(self.rank) ** 3 - float(len(self.rank))


Borne: TypeAlias = NDArray[np.bool_] | csr_array  # (N, T), which image bears which label
ENTRIES = 1 << 22  # pairs of an image and a label that are handled at a time, some 64 bytes each at most


def separation(
    ranked: RankedResponses, shows: Borne, taken: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AUC and z of every unit for every label.

    AUC is the share of pairs of an image with the label and one without in which the former has the larger
    response, ties counting a half. z is the sum of the former's ranks, less its mean and divided by its
    deviation where the label says nothing: σ² = P(N − P)/12 · (N + 1 − Σ(t³ − t)/(N(N − 1))).

    Args:
        ranked: N images by U units.
        shows: (images, T) bool, dense or sparse, who bears each label.
        taken: (N,) rows of `shows`, whose labels each image has; by default those of the same place.
    Returns:
        auc, z: (U, T) float64. A label of all images or none, and a unit that answers all alike, have AUC
        1/2 and z 0: nothing is told.
    Source: Mann and Whitney 1947; the correction for ties as in scipy.stats.mannwhitneyu (asymptotic,
        without a correction for continuity).
    """
    images = len(ranked.rank)
    positive, sums = _sums(ranked, csr_array(shows), np.arange(images) if taken is None else taken)
    pairs = positive * (images - positive)
    above = sums - positive * (positive + 1) / 2
    correction = ranked.ties / (images * (images - 1.0)) if images > 1 else np.zeros(len(ranked.ties))
    variance = pairs / 12 * (images + 1 - np.where(ranked.constant, images + 1.0, correction)[:, None])
    deviation = np.sqrt(np.maximum(variance, 0.0))
    told = deviation > 0
    z = np.where(told, (above - pairs / 2) / np.where(told, deviation, 1.0), 0.0)
    return share(above, np.broadcast_to(pairs, above.shape), 0.5), z


def _sums(
    ranked: RankedResponses, shows: csr_array, taken: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How many images bear each label, (T,), and the sums of their ranks, (U, T).

    Whole numbers and halves: exact, whatever the order of a sum, so images are added some at a time.
    """
    labels = shows.shape[1]
    positive, sums = np.zeros(labels), np.zeros((labels, ranked.rank.shape[1]))
    for rows in _at_a_time(np.diff(shows.indptr)[taken]):
        some = shows[taken[rows]]
        positive += np.bincount(some.indices, minlength=labels)
        sums += some.T @ ranked.rank[rows]
    return positive, sums.T


def _at_a_time(entries: NDArray[np.int64]) -> list[slice]:
    """Rows of so many entries each, in stretches of at most ENTRIES together, or of one row."""
    ends = np.cumsum(entries)
    found, first = [], 0
    while first < len(ends):
        before = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, before + ENTRIES, side="right")), first + 1)
        found.append(slice(first, last))
        first = last
    return found


def average_precision(responses: NDArray[np.float32], shows: Borne) -> NDArray[np.float64]:
    """Mean precision over the images that bear a label, each at its own response.

    The precision at a response is the share of images with the label among those that answer at least as
    strongly, so that ties count alike in any order. Its value by chance is about the label's share of the
    images.

    Args:
        responses: (N, U).
        shows: (N, T) bool, dense or sparse.
    Returns:
        (U, T) float64; NaN for a label of no image.
    """
    by_label = csr_array(shows).tocsc()
    positive = np.diff(by_label.indptr)
    found = np.empty((responses.shape[1], len(positive)))
    for unit, column in enumerate(responses.T):
        ascending = np.sort(column)
        as_strong = len(column) - np.searchsorted(ascending, column, side="left")
        for some in _at_a_time(positive):
            borne = by_label.indices[by_label.indptr[some.start] : by_label.indptr[some.stop]]
            label = np.repeat(np.arange(some.stop - some.start), positive[some])
            # By label, the strongest first: one number for both sorts faster than two.
            ordered = np.sort(label * (len(column) + 1) + as_strong[borne])
            label, strong = np.divmod(ordered, len(column) + 1)
            precision = np.bincount(label, _bearing(label, strong) / strong, some.stop - some.start)
            found[unit, some] = share(precision, positive[some])
    return found


def _bearing(labels: NDArray[np.int64], as_strong: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many images with its label respond at least as strongly; pairs by label, the strongest first."""
    places = np.arange(len(labels))
    opens = np.append(True, labels[1:] != labels[:-1])[: len(labels)]
    first = np.maximum.accumulate(np.where(opens, places, 0))
    ends = np.append(opens[1:] | (as_strong[1:] != as_strong[:-1]), True)[: len(labels)]
    # Of those that respond alike, the last one's place tells.
    last = np.minimum.accumulate(np.where(ends, places, len(labels))[::-1])[::-1]
    return np.asarray(last - first + 1)


def tail(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """p of one label alone, one-sided: how often a normal number is at least so large."""
    from scipy.special import ndtr  # not scipy.stats, which takes most of a second

    found: NDArray[np.float64] = ndtr(-z)
    return found
