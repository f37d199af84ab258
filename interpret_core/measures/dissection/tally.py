"""Second pass: masks against annotations, counted in integers.

Bilinear interpolation is a convex combination, so a cell whose four corners are at or below the bracket
cannot be active and is skipped. Pixels whose value falls inside the bracket are listed with their labels and
counted once the threshold is exact: two passes give what would otherwise take three.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.dissection.bilinear import axis
from interpret_core.measures.dissection.brackets import Brackets
from interpret_core.measures.dissection.counts import BLOCK
from interpret_core.measures.dissection.listed import Annotated, Buffers, ListedResponses
from interpret_core.measures.dissection.widths import COUNT, added, room_for
from interpret_core.positions import GridLines

ROOM = 512  # responses and pixels of a unit and batch listed at once; units with more are listed again


@dataclass
class Tally:
    """Integer counts of a set of images.

    Attributes:
        intersection: (U, columns) int32 (int64 once there are too many pixels); column 0 collects unlabelled.
        active: (U, categories) int64, active pixels in the images that have the category.
        active_total: (U,) int64.
        exceeding: (U,) int64, responses at or above the bracket.
        colour_sum: (U, 3) int64.
    """

    intersection: NDArray[Any]
    active: NDArray[np.int64]
    active_total: NDArray[np.int64]
    exceeding: NDArray[np.int64]
    colour_sum: NDArray[np.int64]

    @classmethod
    def empty(cls, units: int, columns: int, categories: int) -> Tally:
        """Counts of no image."""
        return cls(
            np.zeros((units, columns), COUNT),
            np.zeros((units, categories), np.int64),
            np.zeros(units, np.int64),
            np.zeros(units, np.int64),
            np.zeros((units, 3), np.int64),
        )

    def merge(self, other: Tally) -> None:
        """Add the counts of other images."""
        self.intersection = added(self.intersection, other.intersection)
        for name in ("active", "active_total", "exceeding", "colour_sum"):
            getattr(self, name).__iadd__(getattr(other, name))

    def add(
        self,
        responses: NDArray[np.float32],
        maxima: NDArray[np.float32],
        brackets: Brackets,
        batch: Annotated,
        lines: GridLines | None = None,
    ) -> ListedResponses:
        """Count one batch.

        Args:
            responses: (n, h, w, U) float32, C-contiguous.
            maxima: (n, U) float32 of each map.
            brackets: of this layer.
            batch: the annotations of the same images.
            lines: where the grid lies in the picture; without them it is spread evenly.
        Returns:
            What can only be counted once the threshold is exact.
        """
        images, _, _, units = responses.shape
        active = np.zeros((images, units), np.int64)
        everyone = np.arange(units, dtype=np.int64)
        buffers = Buffers.of(everyone, ROOM)
        lines = lines or GridLines.evenly((responses.shape[1], responses.shape[2]))
        self._run((responses, maxima, lines), brackets, batch, active, buffers)
        parts = [buffers.listed(batch)]
        crowded = np.flatnonzero(buffers.needed > ROOM)
        if len(crowded):  # list these units again, into enough room; the counts are already taken
            wide = Buffers.of(crowded, int(buffers.needed.max()), units)
            spare = Tally.empty(units, self.intersection.shape[1], 0)
            spare._run((responses, maxima, lines), brackets, batch, np.zeros_like(active), wide)
            parts.append(wide.listed(batch))
        self.active += active.T @ batch.member.astype(np.int64)
        self.active_total += active.sum(0)
        return ListedResponses.joined(parts)

    def _make_room(self, images: int, batch: Annotated) -> None:
        """For further images: each active pixel adds its labels to a row, all to one column at most."""
        _, pixels, labels = batch.labels.shape
        most = (int(self.active_total.max(initial=0)) + images * pixels) * labels
        self.intersection = room_for(self.intersection, most)

    def _run(
        self,
        maps: tuple[NDArray[np.float32], NDArray[np.float32], GridLines],
        brackets: Brackets,
        batch: Annotated,
        active: NDArray[np.int64],
        buffers: Buffers,
    ) -> None:
        responses, maxima, lines = maps
        images, height, width, _ = responses.shape
        self._make_room(images, batch)
        rows = axis(height, batch.size[0], lines.rows)
        columns = axis(width, batch.size[1], lines.columns)
        _tally(
            responses,
            (maxima, batch.valid, brackets.low, brackets.high, brackets.listed_from),
            (rows.start, rows.weight, columns.start, columns.weight),
            (batch.labels, batch.colours),
            (self.intersection, active, self.exceeding, self.colour_sum),
            buffers.arrays,
        )

    def settle(self, listed: ListedResponses, threshold: NDArray[np.float32]) -> None:
        """Count the listed responses and pixels that exceed the exact threshold (U,) float32."""
        units = len(threshold)
        above = listed.value > threshold[listed.unit]
        self.exceeding += np.bincount(listed.unit[above], minlength=units)
        inside = listed.pixel_value > threshold[listed.pixel_unit]
        most = int(self.intersection.max(initial=0)) + listed.pixel_labels.size
        self.intersection = room_for(self.intersection, most)
        unit = listed.pixel_unit[inside]
        self.active_total += np.bincount(unit, minlength=units)
        np.add.at(self.active, unit, listed.pixel_member[inside].astype(np.int64))
        for labels in listed.pixel_labels[inside].T:
            np.add.at(self.intersection, (unit, labels), 1)
        np.add.at(self.colour_sum, unit, listed.pixel_colours[inside].astype(np.int64))


@nb.njit(parallel=True, cache=True)
def _tally(responses, facts, tables, annotation, totals, buffers):  # type: ignore[no-untyped-def]
    maxima, valid, low, high, listed_from = facts
    images, height, width, units = responses.shape
    row, values, count, pixel_values, places, pixel_count = buffers
    for block in nb.prange((units + BLOCK - 1) // BLOCK):
        grid = np.empty((height, width), np.float32)
        hot = np.empty(height, np.bool_)
        for n in range(images):
            for u in range(block * BLOCK, min(block * BLOCK + BLOCK, units)):
                at = row[u]
                if at < 0 or not valid[n] or maxima[n, u] < listed_from[u]:
                    continue
                totals[2][u] += _load(
                    responses[n], u, (listed_from[u], high[u]), (grid, hot), (values[at], count[at : at + 1])
                )
                if maxima[n, u] > low[u]:
                    totals[1][n, u] = _pixels(
                        (n, u),
                        (grid, hot, low[u], high[u]),
                        tables,
                        annotation,
                        totals,
                        (pixel_values[at], places[at], pixel_count[at : at + 1]),
                    )


@nb.njit(inline="always")
def _load(responses, u, bracket, work, listing):  # type: ignore[no-untyped-def]
    """Copy one map, marking rows that can be active; list the responses inside the bracket."""
    low, high = bracket
    grid, hot = work
    values, count = listing
    exceeding = 0
    for y in range(grid.shape[0]):
        hot[y] = False
        for x in range(grid.shape[1]):
            v = responses[y, x, u]
            grid[y, x] = v
            if v >= low:
                hot[y] = True
                if v >= high:
                    exceeding += 1
                else:
                    if count[0] < values.shape[0]:
                        values[count[0]] = v
                    count[0] += 1
    return exceeding


@nb.njit(inline="always")
def _pixels(where, unit_map, tables, annotation, totals, listing):  # type: ignore[no-untyped-def]
    """Upsample the cells that can be active and count their pixels; returns the number of active ones."""
    n, u = where
    grid, hot, low, high = unit_map
    row_start, row_weight, column_start, column_weight = tables
    pixel_values, places, pixel_count = listing
    height, width = grid.shape
    pixels = annotation[0].shape[1]
    across = column_weight.shape[0]
    active = 0
    for y in range(height):
        below = min(y + 1, height - 1)
        if not (hot[y] or hot[below]):
            continue
        for x in range(width):
            beside = min(x + 1, width - 1)
            a, b = grid[y, x], grid[y, beside]
            c, d = grid[below, x], grid[below, beside]
            if max(max(a, b), max(c, d)) <= low:
                continue
            for row in range(row_start[y], row_start[y + 1]):
                left = a + (c - a) * row_weight[row]
                right = b + (d - b) * row_weight[row]
                for column in range(column_start[x], column_start[x + 1]):
                    value = left + (right - left) * column_weight[column]
                    if value <= low:
                        continue
                    pixel = row * across + column
                    if value < high:
                        if pixel_count[0] < places.shape[0]:
                            pixel_values[pixel_count[0]] = value
                            places[pixel_count[0]] = n * pixels + pixel
                        pixel_count[0] += 1
                        continue
                    active += 1
                    _count_pixel((n, u, pixel), annotation, totals)
    return active


@nb.njit(inline="always")
def _count_pixel(where, annotation, totals):  # type: ignore[no-untyped-def]
    """Add an active pixel's labels and colour to the sums of its unit."""
    n, u, pixel = where
    labels, colours = annotation
    intersection, _, _, colour_sum = totals
    for k in range(labels.shape[2]):
        intersection[u, labels[n, pixel, k]] += 1
    if colours.shape[1] > 0:
        for k in range(3):
            colour_sum[u, k] += colours[n, pixel, k]
