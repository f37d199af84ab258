"""How well numbers tell some images from others: AUC, Mann–Whitney's z, average precision.

Axes: N images, U units, T labels.
"""

from __future__ import annotations

from dataclasses import dataclass

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


def separation(
    ranked: RankedResponses, shows: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AUC and z of every unit for every label.

    AUC is the share of pairs of an image with the label and one without in which the former has the larger
    response, ties counting a half. z is the sum of the former's ranks, less its mean and divided by its
    deviation where the label says nothing: σ² = P(N − P)/12 · (N + 1 − Σ(t³ − t)/(N(N − 1))).

    Args:
        ranked: N images by U units.
        shows: (N, T) bool, the images that bear each label.
    Returns:
        auc, z: (U, T) float64. A label of all images or none, and a unit that answers all alike, have AUC
        1/2 and z 0: nothing is told.
    Source: Mann and Whitney 1947; the correction for ties as in scipy.stats.mannwhitneyu (asymptotic,
        without a correction for continuity).
    """
    images = len(shows)
    positive = shows.sum(0).astype(np.float64)
    pairs = positive * (images - positive)
    # Whole numbers and halves: exact, whatever the order of a sum.
    sums = (csr_array(shows.T.astype(np.float64)) @ ranked.rank).T
    above = sums - positive * (positive + 1) / 2
    correction = ranked.ties / (images * (images - 1.0)) if images > 1 else np.zeros(len(ranked.ties))
    variance = pairs / 12 * (images + 1 - np.where(ranked.constant, images + 1.0, correction)[:, None])
    deviation = np.sqrt(np.maximum(variance, 0.0))
    told = deviation > 0
    z = np.where(told, (above - pairs / 2) / np.where(told, deviation, 1.0), 0.0)
    return share(above, np.broadcast_to(pairs, above.shape), 0.5), z


def average_precision(responses: NDArray[np.float32], shows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean precision over the images that bear a label, each at its own response.

    The precision at a response is the share of images with the label among those that answer at least as
    strongly, so that ties count alike in any order. Its value by chance is about the label's share of the
    images.

    Args:
        responses: (N, U).
        shows: (N, T) bool.
    Returns:
        (U, T) float64; NaN for a label of no image.
    """
    images, labels = np.nonzero(shows)  # each image bears few of what may be many labels
    positive = shows.sum(0).astype(np.float64)
    found = np.empty((responses.shape[1], shows.shape[1]))
    for unit, column in enumerate(responses.T):
        ascending = np.sort(column)
        as_strong = len(column) - np.searchsorted(ascending, column[images], side="left")
        order = np.lexsort((as_strong, labels))
        precision = _bearing(labels[order], as_strong[order]) / as_strong[order]
        found[unit] = share(np.bincount(labels[order], precision, len(positive)), positive)
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
