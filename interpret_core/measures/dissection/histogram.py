"""Where a unit's responses lie: exact counts in equal bins from its smallest to its largest response."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.dissection.counts import BLOCK

DISPLAY_BINS = 64


def display_edges(minimum: NDArray[np.float32], maximum: NDArray[np.float32]) -> NDArray[np.float32]:
    """(U, DISPLAY_BINS + 1) float32 edges; a unit that never varies gets narrow bins above its value."""
    low = minimum.astype(np.float64)
    high = np.maximum(maximum.astype(np.float64), low + np.maximum(np.abs(low), 1e-30) * 1e-5)
    edges = np.linspace(low, high, DISPLAY_BINS + 1, axis=1).astype(np.float32)
    edges[:, 0] = minimum
    return edges


def add_to_histogram(
    histogram: NDArray[np.int64],
    responses: NDArray[np.float32],
    valid: NDArray[np.bool_],
    edges: NDArray[np.float32],
) -> None:
    """Count one batch.

    Args:
        histogram: (U, DISPLAY_BINS) int64, added to; a value at an inner edge belongs to the bin above it,
            the largest to the last bin.
        responses: (n, P, U) float32, C-contiguous.
        valid: (n,) bool.
        edges: (U, DISPLAY_BINS + 1) float32, covering every response.
    """
    span = (edges[:, -1].astype(np.float64) - edges[:, 0]).astype(np.float64)
    _add(histogram, responses, valid, edges, DISPLAY_BINS / span)


@nb.njit(parallel=True, cache=True)
def _add(histogram, responses, valid, edges, scale):  # type: ignore[no-untyped-def]
    images, positions, units = responses.shape
    bins = histogram.shape[1]
    for block in nb.prange((units + BLOCK - 1) // BLOCK):
        first, last = block * BLOCK, min(block * BLOCK + BLOCK, units)
        for n in range(images):
            if not valid[n]:
                continue
            for p in range(positions):
                for u in range(first, last):
                    v = responses[n, p, u]
                    if v <= edges[u, 0]:  # after a ReLU, most of them
                        histogram[u, 0] += 1
                        continue
                    slot = min(int((v - edges[u, 0]) * scale[u]), bins - 1)
                    # The product may round across an edge; the edges themselves decide.
                    if v < edges[u, slot]:
                        slot -= 1
                    elif slot < bins - 1 and v >= edges[u, slot + 1]:
                        slot += 1
                    histogram[u, slot] += 1
