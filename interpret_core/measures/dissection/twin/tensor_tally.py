"""The tally as torch operations: what `tally` does, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.measures.dissection.brackets import Brackets
from interpret_core.measures.dissection.listed import Annotated, ListedResponses
from interpret_core.measures.dissection.tally import Tally
from interpret_core.measures.dissection.twin.cells import Cells, Pixels, Raster, largest_corner
from interpret_core.measures.dissection.twin.kernels import TallySum
from interpret_core.measures.dissection.twin.places import (
    count_at,
    counting_device,
    numbers,
    pieces,
    room,
    sent,
)
from interpret_core.measures.dissection.widths import widened
from interpret_core.positions import GridLines

Listed = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]  # unit, value, place of each


@dataclass(frozen=True)
class DeviceAnnotated:
    """A batch's annotations where pixels are counted.

    Attributes:
        here: in memory.
        labels: (n·H·W, L) int16, the bits of unsigned numbers; colours: (n·H·W, 3) uint8, or none.
    """

    here: Annotated
    labels: torch.Tensor
    colours: torch.Tensor


class TensorTally(TallySum[torch.Tensor, DeviceAnnotated]):
    """A tally on a device."""

    def __init__(
        self, brackets: Brackets, shape: tuple[int, int], lines: GridLines, device: torch.device
    ) -> None:
        self._brackets, self._lines, self._there = brackets, lines, device
        self._device = counting_device(device)
        self._low, self._high = (sent(one, self._device) for one in (brackets.low, brackets.high))
        self._low_there, self._from = (sent(one, device) for one in (brackets.low, brackets.listed_from))
        empty = Tally.empty(len(brackets.low), *shape)
        wide = {one.name: getattr(empty, one.name).astype(np.int64) for one in fields(Tally)}
        self._sums = {name: sent(table, self._device) for name, table in wide.items()}

    def add(
        self, responses: torch.Tensor, maxima: NDArray[np.float32], batch: DeviceAnnotated
    ) -> ListedResponses:
        """Count one batch."""
        here = batch.here
        _, height, width, units = responses.shape
        raster = Raster((height, width), here.size, self._lines, self._device)
        live = here.valid[:, None] & (maxima >= self._brackets.listed_from)
        active = torch.zeros((len(responses), units), dtype=torch.int64, device=self._device)
        values: list[Listed] = []
        pixels: list[Listed] = []
        most = room(self._there)
        for piece in pieces(responses, most):
            grid = responses[piece]
            near = (grid >= self._from) & sent(live[piece], self._there)[:, None, None]
            values.append(self._responses(grid, near))
            cells = self._cells(grid, near, piece.start)
            pixels += [self._pixels(found, active, batch) for found in raster.pixels(cells, most)]
        counted = numbers(active)
        self._sums["active"] += sent(counted.T @ here.member.astype(np.int64), self._device)
        self._sums["active_total"] += active.sum(0)
        return _listed(_joined(values), _joined(pixels), here)

    def _responses(self, grid: torch.Tensor, near: torch.Tensor) -> Listed:
        """Count the responses above the bracket, list those inside it."""
        place = torch.nonzero(near.reshape(-1)).squeeze(1)
        value = grid.reshape(-1)[place].to(self._device)
        unit = (place % grid.shape[-1]).to(self._device)
        above = value >= self._high[unit]
        count_at(self._sums["exceeding"], unit[above])
        return numbers(unit[~above]), numbers(value[~above]), np.zeros(0, np.int64)

    def _cells(self, grid: torch.Tensor, near: torch.Tensor, first: int) -> Cells:
        """The cells that can be active; `first`: number of the piece's first image in the batch."""
        row = near.any(2)
        rows = row.clone()
        rows[:, :-1] |= row[:, 1:]
        found = Cells.at(grid, (largest_corner(grid) > self._low_there) & rows[:, :, None], self._device)
        found.image.add_(first)
        return found

    def _pixels(self, found: Pixels, active: torch.Tensor, batch: DeviceAnnotated) -> Listed:
        """Count the pixels above the bracket with their labels and colours, list those inside it."""
        # Worded as in the compiled kernel, also where an overflow has made a pixel NaN.
        inside = ~(found.value <= self._low[found.unit])
        image, unit, pixel, value = (one[inside] for one in found)
        place = image * batch.here.labels.shape[1] + pixel
        near = value < self._high[unit]
        listed = numbers(unit[near]), numbers(value[near]), numbers(place[near])
        image, unit, place = (one[~near] for one in (image, unit, place))
        count_at(active, image * active.shape[1] + unit)
        labels = batch.labels[place].long() & 0xFFFF
        columns = self._sums["intersection"].shape[1]
        count_at(self._sums["intersection"], (unit[:, None] * columns + labels).reshape(-1))
        if len(batch.colours):
            self._sums["colour_sum"].index_add_(0, unit, batch.colours[place].long())
        return listed

    def total(self) -> Tally:
        """What was counted."""
        sums = {name: numbers(table) for name, table in self._sums.items()}
        return Tally(**{**sums, "intersection": widened(sums["intersection"])})


def _joined(parts: list[Listed]) -> Listed:
    nothing = np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.int64)
    unit, value, place = (np.concatenate(several) for several in zip(nothing, *parts, strict=True))
    return unit, value, place


def _listed(values: Listed, pixels: Listed, here: Annotated) -> ListedResponses:
    place = pixels[2]
    colours = here.colours.reshape(-1, 3)
    return ListedResponses(
        values[0].astype(np.int32),
        values[1],
        pixels[0].astype(np.int32),
        pixels[1],
        here.labels.reshape(-1, here.labels.shape[2])[place],
        colours[place] if len(colours) else np.zeros((len(place), 3), np.uint8),
        here.member[place // here.labels.shape[1]],
    )
