"""Networks for the command line's tests, named by factory strings: small, and without normalisation."""

from __future__ import annotations

import os
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from interpret_core.networks import NetworkParts, Preprocessing
from tests import planted_networks

SIZE = 16
PLAIN = Preprocessing((SIZE, SIZE), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
LOG, PAUSE = "TEST_FORWARD_LOG", "TEST_FORWARD_PAUSE"


def red() -> NetworkParts:
    """See `planted_networks.red_detector`."""
    return NetworkParts(planted_networks.red_detector(), PLAIN)


def named() -> NetworkParts:
    """The same with names for its outputs."""
    return NetworkParts(planted_networks.red_detector(), PLAIN, ("red", "green", "blue"))


def half() -> NetworkParts:
    """See `planted_networks.half_detector`; says that its weights are random, for the note."""
    return NetworkParts(planted_networks.half_detector(), PLAIN, (), "random weights", "Nothing was learned.")


def shifted() -> NetworkParts:
    """See `planted_networks.shifted_detector`."""
    return NetworkParts(planted_networks.shifted_detector(), PLAIN)


def odd() -> NetworkParts:
    """See `planted_networks.odd_units`."""
    return NetworkParts(planted_networks.odd_units(), PLAIN)


def small() -> NetworkParts:
    """conv1 (8 units) and conv2 (6 units), seeded by the caller."""
    return NetworkParts(_Small(), PLAIN)


class _Small(nn.Module):
    """Writes down every batch it sees and takes its time; looks at the data, so it is run, not traced."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 6, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        if float(x.abs().max()) < 0:
            x = -x
        log = os.environ.get(LOG)
        if log:
            with Path(log).open("a") as file:
                file.write(f"{len(x)}\n")
        time.sleep(float(os.environ.get(PAUSE, "0")))
        return torch.relu(self.conv2(torch.relu(self.conv1(x)))).mean(dim=(2, 3))


def infinite() -> NetworkParts:
    """One unit, 3e38·(1 + R): infinite on red and white, finite on the other colours of `scenes`."""
    layer = nn.Conv2d(3, 1, 1)
    with torch.no_grad():
        layer.weight.zero_()[0, 0] = 3e38
        layer.bias.fill_(3e38)  # type: ignore[union-attr]
    return NetworkParts(nn.Sequential(layer, nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten()), PLAIN)


def failing() -> nn.Module:
    raise RuntimeError("no such weights here")
