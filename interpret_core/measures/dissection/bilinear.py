"""Bilinear resampling as tables, shared by every kernel so that they agree to the last bit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from interpret_core.positions import GridLine, coordinates


@dataclass(frozen=True)
class Axis:
    """One axis of the resampling, from `source` grid points to `target` pixels.

    Attributes:
        low: (target,) int32, the grid point at or before each pixel.
        weight: (target,) float32 in [0, 1), the share of the next grid point.
        start: (source + 1,) int32; pixels start[i] … start[i+1] − 1 have low == i.
    """

    low: NDArray[np.int32]
    weight: NDArray[np.float32]
    start: NDArray[np.int32]


@lru_cache(maxsize=256)
def axis(source: int, target: int, line: GridLine | None = None) -> Axis:
    """Bilinear interpolation between the positions of a line, constant beyond its ends, never antialiased.

    Args:
        source: grid points of the response, ≥ 1.
        target: pixels of the annotation grid, ≥ 1; may be smaller than `source` (VGG11's conv1).
        line: where they lie; without it they are spread evenly, which is the convention of
            torch.nn.functional.interpolate(align_corners=False).
    """
    position = coordinates(line or GridLine(source, 0.5), source, target)
    low = np.floor(position).astype(np.int32)
    weight = (position - low).astype(np.float32)
    start = np.searchsorted(low, np.arange(source + 1)).astype(np.int32)
    for array in (low, weight, start):
        array.setflags(write=False)
    return Axis(low, weight, start)
