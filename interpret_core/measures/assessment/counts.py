"""How many detectors, of how many concepts, other photographs of the kind would have given."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.assessment.resamples import INTERVAL


class Between(NamedTuple):
    """A number with the interval in which 95 % of resamples of the images put it."""

    value: int
    low: int
    high: int


def detectors_again(
    best: NDArray[np.floating], of_concept: NDArray[np.integer], concepts: int, cutoff: float
) -> NDArray[np.int64]:
    """(R, C) detectors of each concept in each resample.

    Args:
        best: (U, R) largest IoU of each unit in each resample, of a concept that may be a label.
        of_concept: (U, R) whose it is, −1 for none.
        concepts: C.
        cutoff: a unit is a detector above it.
    """
    resamples = best.shape[1]
    counted = (best.astype(np.float64) > cutoff) & (of_concept >= 0)
    place = np.arange(resamples)[None] * concepts + of_concept
    found = np.bincount(place[counted].astype(np.int64), minlength=resamples * concepts)
    return found.reshape(resamples, concepts)


def between(value: int, again: NDArray[np.integer], least: int | None = 0) -> Between:
    """The interval of a count.

    A largest IoU over many concepts is larger in a resample than in the whole, so counts of detectors lean
    upwards: the interval is that of the resamples, moved until their median is the count itself.

    Args:
        value: the count on all images.
        again: (R,) the same count in each resample.
        least: no end lies below it; None for differences.
    """
    low, middle, high = np.percentile(again, [INTERVAL[0], 50, INTERVAL[1]])
    ends = (value + low - middle, value + high - middle)
    lowest, highest = (round(float(end)) for end in ends)
    if least is not None:
        lowest = max(least, lowest)
    return Between(value, lowest, highest)
