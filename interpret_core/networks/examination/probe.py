"""Seeded images that every network is run on once, when it is loaded.

They differ much from each other, in brightness, contrast and detail: a network that answers to one picture
according to the others of its batch must be caught, and one that normalises by a batch's mean would hide
among images of equal mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from interpret_core.networks.arithmetic import double

COUNT = 3
KEPT = 2048  # numbers of an output that are remembered, at most
TOLERANCE = 1e-4  # of the largest of them, between two loads of one network
_LOOKS = (
    (1.0, 0.0),
    (0.3, 1.2),
    (1.5, -0.6),
)  # contrast and brightness, in units of the training data's spread
_EXTREME = 30.0  # times the ordinary contrast: no photograph looks like this


def probe_images(size: tuple[int, int], channels: int = 3) -> Tensor:
    """(3, C, H, W) float32, in the range of normalised photographs; the same numbers everywhere.

    Args:
        size: (H, W) of the network's input.
        channels: C.
    """
    # Uniform numbers: how a processor draws normal ones differs in the last bit.
    noise = (
        torch.rand(COUNT, channels, *size, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
        * 4
        - 2
    )
    coarse = (
        torch.rand(COUNT, channels, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float32) * 2
        - 1
    )
    patches = torch.nn.functional.interpolate(coarse, size=size, mode="nearest")
    contrast, brightness = torch.tensor(_LOOKS, dtype=torch.float32).T.reshape(2, COUNT, 1, 1, 1)
    return (0.7 * noise + 0.6 * patches) * contrast + brightness


def extreme_images(images: Tensor) -> Tensor:
    """The same images with a contrast that drives logits out of the range of probabilities."""
    return images * _EXTREME


def sample(output: Tensor) -> list[float | None]:
    """At most KEPT numbers of an output, evenly spaced; None where one is not finite."""
    flat = double(output.detach()).flatten().cpu()
    step = max(1, math.ceil(len(flat) / KEPT))
    return [value if math.isfinite(value) else None for value in flat[::step].tolist()]


def agrees(before: Sequence[float | None], now: Sequence[float | None]) -> bool:
    """Whether two samples are of one network: equal within TOLERANCE of the largest number."""
    if len(before) != len(now) or any((a is None) != (b is None) for a, b in zip(before, now, strict=True)):
        return False
    pairs = [(a, b) for a, b in zip(before, now, strict=True) if a is not None and b is not None]
    scale = max((abs(a) for a, _ in pairs), default=0.0)
    return all(abs(a - b) <= TOLERANCE * max(scale, 1e-6) for a, b in pairs)
