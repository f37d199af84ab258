"""Counts in the narrowest integers that are sure to hold them: a wide layer has millions of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

COUNT = np.int32  # what counting begins with
_STORED = (np.uint8, np.uint16, np.uint32)


def room_for(counts: NDArray[Any], most: int) -> NDArray[Any]:
    """The counts, with room for numbers up to `most`: themselves, or a copy in 64 bits."""
    return counts if most <= np.iinfo(counts.dtype).max else counts.astype(np.int64)


def added(counts: NDArray[Any], more: NDArray[Any]) -> NDArray[Any]:
    """Counts with others added: in their place where there is room for the largest sum there can be."""
    most = int(counts.max(initial=0)) + int(more.max(initial=0))
    counts = room_for(counts, most)
    counts += more.astype(counts.dtype, copy=False)  # each is at most that sum
    return counts


def narrowed(counts: NDArray[Any]) -> NDArray[Any]:
    """The same counts (≥ 0), in the narrowest kind that holds the largest of them."""
    most = int(counts.max(initial=0))
    kind = next((kind for kind in _STORED if most <= np.iinfo(kind).max), np.int64)
    return counts.astype(kind)


def widened(counts: NDArray[Any]) -> NDArray[Any]:
    """A copy of narrowed counts that can be added to."""
    kind = COUNT if int(counts.max(initial=0)) <= np.iinfo(COUNT).max else np.int64
    return np.array(counts, kind, order="C")
