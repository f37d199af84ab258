"""What some of the images say of all of them: values with 95 % intervals that shrink to nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

CONFIDENCE = 0.95
TINY = 1e-9  # of an image: what floating point makes of a whole number


class Interval(NamedTuple):
    """Estimates with their limits, arrays of one shape; NaN where nothing is known."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def proportion(right: ArrayLike, images: ArrayLike, population: ArrayLike) -> Interval:
    """The share of a finite population, from a sample of it.

    Args:
        right: k, of the images seen.
        images: n, seen.
        population: N, all there are; at n = N the share is known and the interval has no width.

    Returns:
        k / n and Wilson's limits with n·(N − 1)/(N − n) in place of n, moved outward to whole images (a share
        of N images is a multiple of 1/N; without it, a share of one image would often be missed), and cut
        off at what the images not yet seen could make of the share: k / N and (k + N − n) / N.
    Source: Wilson 1927; the effective size is that of the finite population correction (Cochran 1977, §2.6).
    """
    k, n, whole = (np.asarray(values, np.float64) for values in (right, images, population))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(n > 0, k / n, np.nan)
        size = np.where(whole > n, n * (whole - 1) / (whole - n), np.inf)
        z2 = special.ndtri(0.5 + CONFIDENCE / 2) ** 2
        ratio = z2 / size  # 0 where all have been seen
        middle = (value + ratio / 2) / (1 + ratio)
        half = np.sqrt(ratio * value * (1 - value) + ratio**2 / 4) / (1 + ratio)
        low = np.clip(np.floor((middle - half) * whole + TINY) / whole, k / whole, value)
        high = np.clip(np.ceil((middle + half) * whole - TINY) / whole, value, (k + whole - n) / whole)
    return Interval(value, low, high)


def mean(values: NDArray[np.floating], population: int) -> Interval:
    """The mean of a finite population, from a sample of it.

    Args:
        values: (n,) seen, such as paired differences.
        population: N ≥ n.

    Returns:
        x̄ and x̄ ± t·s/√n·√(1 − n/N), t of n − 1 degrees of freedom; without limits (NaN) for n = 1 < N.
    Source: Cochran 1977, §2.
    """
    n = len(values)
    if n == 0:
        return Interval(*(np.asarray(np.nan) for _ in range(3)))
    centre = np.asarray(np.mean(values, dtype=np.float64))
    if n >= population:
        return Interval(centre, centre, centre)
    if n == 1:
        return Interval(centre, np.asarray(np.nan), np.asarray(np.nan))
    error = np.std(values, ddof=1, dtype=np.float64) / np.sqrt(n) * np.sqrt(1 - n / population)
    half = special.stdtrit(n - 1, 0.5 + CONFIDENCE / 2) * error
    return Interval(centre, np.asarray(centre - half), np.asarray(centre + half))
