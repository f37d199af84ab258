"""Exact masks as torch operations: what `masks` does, cell by cell."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.measures.dissection.masks import Runs
from interpret_core.measures.dissection.twin.cells import Cells, Raster, largest_corner
from interpret_core.measures.dissection.twin.places import counting_device, numbers, room, sent
from interpret_core.positions import GridLines

Found = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # number of runs (M,), runs (R, 2), peaks (M,)


def tensor_runs(
    responses: torch.Tensor,
    threshold: NDArray[np.float32],
    wanted: NDArray[np.bool_],
    size: tuple[int, int],
    lines: GridLines,
) -> Runs:
    """See `masks.encode`; responses (n, h, w, U) float32 on any device."""
    _, height, width, _ = responses.shape
    raster = Raster((height, width), size, lines, counting_device(responses.device))
    image, unit = np.nonzero(wanted)
    step = max(1, room(responses.device) // max(height * width, size[0] * size[1]))
    number, peaks = np.zeros(wanted.size, np.int64), np.zeros(wanted.size, np.int32)
    runs = [np.zeros((0, 2), np.int32)]
    for start in range(0, len(image), step):
        maps = slice(start, start + step)
        chosen = (sent(one[maps], responses.device) for one in (image, unit))
        row, column = chosen
        counted, found, peak = _encoded(responses[row, :, :, column], threshold[unit[maps]], raster)
        place = image[maps] * wanted.shape[1] + unit[maps]
        number[place], peaks[place] = numbers(counted), numbers(peak)
        runs.append(numbers(found).astype(np.int32))
    offsets = np.concatenate([[0], np.cumsum(number)])
    return Runs(offsets, np.concatenate(runs), peaks)


def _encoded(grid: torch.Tensor, threshold: NDArray[np.float32], raster: Raster) -> Found:
    """Of maps (M, h, w), each with its threshold (M,)."""
    maps, device = len(grid), counting_device(grid.device)
    peaks = grid.reshape(maps, -1).argmax(1)
    bound = sent(threshold, grid.device)[:, None, None, None]
    grid = grid[..., None]
    cells = Cells.at(grid, largest_corner(grid) > bound, device)
    cut = sent(threshold, device)
    pixels = raster.size[0] * raster.size[1]
    inside = [torch.zeros(0, dtype=torch.int64, device=device)]
    for found in raster.pixels(cells, room(grid.device)):
        active = found.value > cut[found.image]
        inside.append(found.image[active] * pixels + found.pixel[active])
    place = torch.cat(inside).sort().values  # of all masks, one behind the other
    return *_runs(place, maps, pixels), peaks


def _runs(place: torch.Tensor, maps: int, pixels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """How many runs each map has, and first pixel and length of each run; none goes on into the next map."""
    image = place // pixels
    begins = torch.ones_like(place, dtype=torch.bool)
    begins[1:] = (place[1:] != place[:-1] + 1) | (image[1:] != image[:-1])
    first = torch.nonzero(begins).squeeze(1)
    length = torch.diff(first, append=first.new_tensor([len(place)]))
    number = torch.bincount(image[first], minlength=maps)
    return number, torch.stack([place[first] % pixels, length], 1)
