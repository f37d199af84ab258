"""Exact masks as run lengths: for the gallery of strongest images, and for the chance level."""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.dissection.bilinear import axis
from interpret_core.measures.dissection.counts import BLOCK
from interpret_core.positions import GridLines

TOP = 30  # images kept per unit


@dataclass(frozen=True)
class Runs:
    """Masks of several maps on the annotation grid, flattened row by row.

    Attributes:
        offsets: (maps + 1,) int64; map i has runs[offsets[i]:offsets[i + 1]].
        runs: (M, 2) int32: first pixel, length.
        peaks: (maps,) int32, index y·w + x of the largest response on the activation grid.
    """

    offsets: NDArray[np.int64]
    runs: NDArray[np.int32]
    peaks: NDArray[np.int32]


def encode(
    responses: NDArray[np.float32],
    threshold: NDArray[np.float32],
    wanted: NDArray[np.bool_],
    size: tuple[int, int],
    lines: GridLines | None = None,
) -> Runs:
    """Masks of the wanted maps of one batch.

    Args:
        responses: (n, h, w, U) float32, C-contiguous.
        threshold: (U,) float32, exact.
        wanted: (n, U) bool; other maps get no runs.
        size: (H, W) of the annotation grid.
        lines: where the grid lies in the picture; without them it is spread evenly.
    Returns:
        Runs of n·U maps, image by image.
    """
    _, height, width, _ = responses.shape
    lines = lines or GridLines.evenly((height, width))
    rows, columns = axis(height, size[0], lines.rows), axis(width, size[1], lines.columns)
    tables = (rows.low, rows.weight, columns.start, columns.weight)
    maps = wanted.size
    number, peaks = np.zeros(maps, np.int64), np.zeros(maps, np.int32)
    offsets, runs = np.zeros(maps + 1, np.int64), np.zeros((0, 2), np.int32)
    _encode(responses, threshold, wanted, tables, (number, peaks), (offsets, runs))
    np.cumsum(number, out=offsets[1:])
    runs = np.empty((int(offsets[-1]), 2), np.int32)
    _encode(responses, threshold, wanted, tables, (number, peaks), (offsets, runs))
    return Runs(offsets, runs, peaks)


@nb.njit(parallel=True, cache=True)
def _encode(responses, threshold, wanted, tables, facts, out):  # type: ignore[no-untyped-def]
    images, height, width, units = responses.shape
    number, peaks = facts
    offsets, runs = out
    for block in nb.prange((units + BLOCK - 1) // BLOCK):
        grid = np.empty((height, width), np.float32)
        for n in range(images):
            for u in range(block * BLOCK, min(block * BLOCK + BLOCK, units)):
                if not wanted[n, u]:
                    continue
                place = n * units + u
                peak, largest = 0, -np.inf
                for y in range(height):
                    for x in range(width):
                        grid[y, x] = responses[n, y, x, u]
                        if grid[y, x] > largest:
                            largest, peak = grid[y, x], y * width + x
                peaks[place] = peak
                number[place] = _runs(grid, threshold[u], tables, runs[offsets[place] : offsets[place + 1]])


@nb.njit(inline="always")
def _runs(grid, threshold, tables, out):  # type: ignore[no-untyped-def]
    """Write (or, where `out` is empty, count) the runs of one mask; a run may go on into the next row."""
    row_low, row_weight, column_start, column_weight = tables
    height, width = grid.shape
    across = column_weight.shape[0]
    count, end = 0, -1  # runs so far, and the pixel after the last one
    for row in range(row_low.shape[0]):
        y = row_low[row]
        below = min(y + 1, height - 1)
        for x in range(width):
            beside = min(x + 1, width - 1)
            a, b = grid[y, x], grid[y, beside]
            c, d = grid[below, x], grid[below, beside]
            if max(max(a, b), max(c, d)) <= threshold:
                continue  # a convex combination of values at or below the threshold stays there
            left = a + (c - a) * row_weight[row]
            right = b + (d - b) * row_weight[row]
            for column in range(column_start[x], column_start[x + 1]):
                if left + (right - left) * column_weight[column] > threshold:
                    pixel = row * across + column
                    if pixel != end:
                        if count < out.shape[0]:
                            out[count, 0], out[count, 1] = pixel, 0
                        count += 1
                    end = pixel + 1
                    if count <= out.shape[0]:
                        out[count - 1, 1] += 1
    return count


def decode(runs: NDArray[np.integer], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The (H, W) bool mask of (R, 2) runs."""
    change = np.zeros(size[0] * size[1] + 1, np.int32)
    np.add.at(change, runs[:, 0].astype(np.int64), 1)
    np.add.at(change, runs.astype(np.int64).sum(1), -1)
    return (np.cumsum(change[:-1]) > 0).reshape(size)


def runs_of(bits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The (R, 2) runs of a mask of any shape, flattened row by row; `decode` is the inverse."""
    edges = np.flatnonzero(np.diff(bits.ravel().astype(np.int8), prepend=0, append=0))
    pairs = edges.reshape(-1, 2)
    pairs[:, 1] -= pairs[:, 0]
    return pairs


def strongest(
    best: tuple[NDArray[np.float32], NDArray[np.int32]],
    more: tuple[NDArray[np.float32], NDArray[np.int32]],
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The TOP strongest images of each unit, ties to the lower image index.

    Args:
        best: so far, (U, TOP) float32 maxima and (U, TOP) int32 images (−inf and −1 where there are fewer).
        more: the same of further images, (U, k) each.
    """
    reaching = more[0].max(1, initial=-np.inf) >= best[0][:, -1]  # after some batches, few units have news
    value, index = (np.concatenate([a[reaching], b[reaching]], 1) for a, b in zip(best, more, strict=True))
    order = np.lexsort((np.where(index < 0, np.iinfo(np.int32).max, index), -value))[:, :TOP]
    found = best[0].copy(), best[1].copy()
    found[0][reaching] = np.take_along_axis(value, order, 1)
    found[1][reaching] = np.take_along_axis(index, order, 1)
    return found


def no_images(units: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The starting point of `strongest`."""
    return np.full((units, TOP), -np.inf, np.float32), np.full((units, TOP), -1, np.int32)
