"""Numbers that may not be known: one division, one mean, and one way to None."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def share(part: ArrayLike, whole: ArrayLike, nothing: float = math.nan) -> NDArray[np.float64]:
    """part / whole in double precision, divided once.

    Args:
        part: of shapes that broadcast; whole ≥ 0.
        whole: of shapes that broadcast; whole ≥ 0.
        nothing: what stands where the whole is 0; NaN, since a share of nothing is not known, or 0 where a
            formula says so.
    """
    top, bottom = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    shape = np.broadcast_shapes(top.shape, bottom.shape)
    return np.divide(top, bottom, out=np.full(shape, nothing), where=bottom > 0)


def known(value: Any) -> float | None:
    """A float, or None for NaN and infinity, which neither JSON nor a table has a place for."""
    return float(value) if math.isfinite(value) else None


def mean(values: Iterable[float]) -> float:
    """Mean of the values that are known, each added exactly; NaN where none is."""
    there = [float(value) for value in values if not math.isnan(value)]
    return math.fsum(there) / len(there) if there else math.nan
