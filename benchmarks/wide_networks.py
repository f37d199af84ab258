"""Networks of one wide layer each, so small that what a run keeps of a unit is all it costs.

NAME   benchmarks.wide_networks:units512, :units2048
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from benchmarks.wide_dataset import SIDE
from interpret_core.networks import NetworkParts, Preprocessing

SPAN = 8  # positions of the layer along a side of the picture
LAYER = "mix"


class Wide(nn.Module):
    """Mean colours of an 8 × 8 grid, and units of which each is another mixture of them."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.shrink = nn.AvgPool2d(SIDE // SPAN)
        self.mix = nn.Conv2d(3, units, 1)
        self.relu = nn.ReLU()
        self.head = nn.Linear(units, 2)
        random = torch.Generator().manual_seed(units)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=random))

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, 32, 32) to (N, 2)."""
        return self.head(self.relu(self.mix(self.shrink(images))).mean((2, 3)))


def of(units: int) -> NetworkParts:
    """A network whose only layer has so many units."""
    plain = Preprocessing((SIDE, SIDE), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    return NetworkParts(Wide(units), plain, evidence="random weights")


units64, units512, units2048 = (partial(of, units) for units in (64, 512, 2048))
