"""Where the twin's numbers lie: on the device of the responses, or beside it where that cannot count them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.networks.arithmetic import WITHOUT_DOUBLE

ROOM = 1 << 20  # entries handled at a time on the processor, where more would not be quicker …
MOST_ROOM = 1 << 25  # … and on an accelerator at the very most
ENTRY = 256  # bytes that an entry may need meanwhile: indices, corners, values, labels


def counting_device(device: torch.device) -> torch.device:
    """The device itself, or the processor where it has no float64 and no 64-bit sums (Apple's mps)."""
    return torch.device("cpu") if device.type in WITHOUT_DOUBLE else device


def room(device: torch.device) -> int:
    """Entries to handle at a time: by what is free of a card's memory. Decides no number."""
    if device.type != "cuda":
        return ROOM
    free, _ = torch.cuda.mem_get_info(device)
    held = torch.cuda.memory_stats_as_nested_dict(device)  # flattening it takes longer than a kernel
    free += held["reserved_bytes"]["all"]["current"] - held["allocated_bytes"]["all"]["current"]
    return int(min(max(free // 2 // ENTRY, ROOM), MOST_ROOM))


def sent(array: NDArray[Any], device: torch.device) -> torch.Tensor:
    """An array on a device; to a card from pinned memory, so that nobody waits for it."""
    return moved(torch.from_numpy(np.require(array, requirements=["C", "W"])), device)


def moved(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor in memory on a device; see `sent`."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def pieces(responses: torch.Tensor, most: int) -> Iterator[slice]:
    """Images of (n, h, w, U) responses, at least one at a time, `most` numbers where that is possible."""
    step = max(1, most // max(1, responses[:1].numel()))
    for start in range(0, len(responses), step):
        yield slice(start, start + step)


def count_at(table: torch.Tensor, index: torch.Tensor) -> None:
    """Add one to the entries (M,) of a table of any shape, by their flat index; repeated ones add up."""
    one = torch.ones((), dtype=table.dtype, device=table.device)
    table.view(-1).scatter_add_(0, index, one.expand(len(index)))


def numbers(tensor: torch.Tensor) -> NDArray[Any]:
    """A tensor's numbers in memory."""
    return np.asarray(tensor.cpu().numpy())
