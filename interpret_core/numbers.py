"""Numbers that may not be known: one division, and one way from NaN to None."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def share(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    """part / whole in double precision; NaN where the whole is 0: a share of nothing is not known."""
    top, bottom = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    shape = np.broadcast_shapes(top.shape, bottom.shape)
    return np.divide(top, bottom, out=np.full(shape, np.nan), where=bottom != 0)


def known(value: Any) -> float | None:
    """A float, or None for NaN, which neither JSON nor a table has a place for."""
    return None if math.isnan(value) else float(value)


def mean(values: NDArray[np.floating]) -> float:
    """Mean of the values that are known, each added exactly; NaN where none is."""
    given = values[~np.isnan(values)]
    return math.fsum(given) / len(given) if len(given) else math.nan
