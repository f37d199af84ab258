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


def _seen(x: Tensor, line: str) -> Tensor:
    """The batch, once a line about it is written down and its time has passed; looks at the data."""
    if float(x.abs().max()) < 0:
        x = -x
    log = os.environ.get(LOG)
    if log:
        with Path(log).open("a") as file:
            file.write(f"{line}\n")
    time.sleep(float(os.environ.get(PAUSE, "0")))
    return x


class _Small(nn.Module):
    """Writes down every batch it sees and takes its time; looks at the data, so it is run, not traced."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 6, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = _seen(x, str(len(x)))
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


def first() -> NetworkParts:
    """One of two networks that know bench, bus and refrigerator; says which of the two runs."""
    return NetworkParts(_Knowing("first", 1), PLAIN, KNOWN, "trained")


def second() -> NetworkParts:
    """The other one."""
    return NetworkParts(_Knowing("second", 2), PLAIN, KNOWN, "trained")


def untrained() -> NetworkParts:
    """A third one, which says that its weights are random."""
    return NetworkParts(_Knowing("untrained", 3), PLAIN, KNOWN, "random weights", "Nothing was learned.")


KNOWN = ("bench", "bus", "refrigerator", "cloud")


class _Knowing(nn.Module):
    """conv1, conv2, conv3 (8, 6, 8 units) with weights of its own; writes its name down at every run."""

    def __init__(self, name: str, seed: int) -> None:
        super().__init__()
        self.name = name
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 6, 3, padding=1, stride=2)
        self.conv3 = nn.Conv2d(6, 8, 3, padding=1)
        self.head = nn.Linear(8, len(KNOWN))
        drawn = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=drawn) * 0.4)

    def forward(self, x: Tensor) -> Tensor:
        x = _seen(x, self.name)
        x = torch.relu(self.conv3(torch.relu(self.conv2(torch.relu(self.conv1(x))))))
        return self.head(x.mean(dim=(2, 3)))
