"""Bilinear interpolation of those cells of a grid that can matter, to the bit as the compiled kernels do it.

Products and sums are operations of their own, in the compiled kernels' order, and so rounded as theirs are:
nothing fuses them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

from interpret_core.measures.dissection.bilinear import Axis, axis
from interpret_core.measures.dissection.twin.places import sent
from interpret_core.positions import GridLines


def largest_corner(grid: torch.Tensor) -> torch.Tensor:
    """(n, h, w, U) the largest of each cell's corners: its own position, the next one, those below both."""
    found = grid.clone()
    torch.maximum(grid[:, :-1], grid[:, 1:], out=found[:, :-1])
    across = found.clone()
    torch.maximum(found[:, :, :-1], found[:, :, 1:], out=across[:, :, :-1])
    return across


@dataclass(frozen=True)
class Cells:
    """Some cells of (n, h, w, U) responses.

    Attributes:
        image, y, x, unit: (K,) int64.
        corner: (4, K) float32: upper left, upper right, lower left, lower right.
    """

    image: torch.Tensor
    y: torch.Tensor
    x: torch.Tensor
    unit: torch.Tensor
    corner: torch.Tensor

    @classmethod
    def at(cls, grid: torch.Tensor, where: torch.Tensor, device: torch.device) -> Cells:
        """Those where `where` (n, h, w, U) is True; nothing but them goes to `device`."""
        _, height, width, units = grid.shape
        place = torch.nonzero(where.reshape(-1)).squeeze(1)
        position, unit = place // units, place % units
        row, x = position // width, position % width
        image, y = row // height, row % height
        beside, below = (x < width - 1) * units, (y < height - 1) * (width * units)
        flat = grid.reshape(-1)
        corner = flat[torch.stack([place, place + beside, place + below, place + beside + below])]
        image, y, x, unit = (one.to(device) for one in (image, y, x, unit))
        return cls(image, y, x, unit, corner.to(device))

    def __len__(self) -> int:
        return len(self.unit)

    def part(self, start: int, stop: int) -> Cells:
        """Some of them."""
        image, y, x, unit = (one[start:stop] for one in (self.image, self.y, self.x, self.unit))
        return Cells(image, y, x, unit, self.corner[:, start:stop])


class Pixels(NamedTuple):
    """Pixels of some cells: each one's image and unit, its index row·W + column, its value, (P,) each."""

    image: torch.Tensor
    unit: torch.Tensor
    pixel: torch.Tensor
    value: torch.Tensor


class Side(NamedTuple):
    """One side of the annotation grid on a device: `bilinear.Axis`, and pixels of each cell (source,)."""

    weight: torch.Tensor
    start: torch.Tensor
    pixels: torch.Tensor

    @classmethod
    def of(cls, table: Axis, device: torch.device) -> Side:
        """From the tables that all kernels share."""
        pixels = np.diff(table.start).astype(np.int64)
        return cls(
            sent(table.weight.copy(), device),
            sent(table.start.astype(np.int64), device),
            sent(pixels, device),
        )

    def spread(self, cell: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """For cells (K,) by their place on this side: which of them each pixel belongs to, and the pixel."""
        pixels = self.pixels[cell]
        owner = torch.repeat_interleave(pixels)
        before = torch.cumsum(pixels, 0) - pixels
        return owner, torch.arange(len(owner), device=owner.device) + (self.start[cell] - before)[owner]


class Raster:
    """The annotation grid over a layer's grid.

    Args:
        grid: (h, w) of the layer.
        size: (H, W) of the annotations.
        lines: where the grid lies in the picture.
        device: where pixels are computed.
    """

    def __init__(
        self, grid: tuple[int, int], size: tuple[int, int], lines: GridLines, device: torch.device
    ) -> None:
        self.size = size
        self._rows = Side.of(axis(grid[0], size[0], lines.rows), device)
        self._columns = Side.of(axis(grid[1], size[1], lines.columns), device)

    def pixels(self, cells: Cells, room: int) -> Iterator[Pixels]:
        """All pixels of some cells, about `room` of them at a time."""
        together = torch.cumsum(self._rows.pixels[cells.y] * self._columns.pixels[cells.x], 0)
        total = int(together[-1]) if len(cells) else 0
        full = torch.tensor(range(room, total, room), dtype=torch.int64, device=together.device)
        ends = [end + 1 for end in torch.searchsorted(together, full).tolist()]
        for start, end in pairwise([0, *sorted({*ends, len(cells)})]):
            yield self._interpolated(cells.part(start, end))

    def _interpolated(self, cells: Cells) -> Pixels:
        upper_left, upper_right, lower_left, lower_right = cells.corner
        cell, row = self._rows.spread(cells.y)
        down = self._rows.weight[row]
        left = upper_left[cell] + (lower_left - upper_left)[cell] * down
        right = upper_right[cell] + (lower_right - upper_right)[cell] * down
        line, column = self._columns.spread(cells.x[cell])
        value = left[line] + (right - left)[line] * self._columns.weight[column]
        owner = cell[line]
        return Pixels(cells.image[owner], cells.unit[owner], row[line] * self.size[1] + column, value)
