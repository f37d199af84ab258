"""A network small enough to be profiled in a second, named by factory strings in the tests' configuration."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.spec import NetworkParts


def small() -> nn.Module:
    """conv1 (24 units, unit 0 dead) and conv2 (32 units), seeded by the caller."""
    first, second = nn.Conv2d(3, 24, 5, stride=4, padding=2), nn.Conv2d(24, 32, 3, padding=1)
    with torch.no_grad():
        first.weight[0] = 0
        first.bias[0] = -1
    layers = [first, nn.ReLU(), second, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers).eval()


def other() -> nn.Module:
    """One layer of 16 units, seeded by the caller: another depth to compare with."""
    layer = nn.Conv2d(3, 16, 7, stride=4, padding=3)
    return nn.Sequential(layer, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()


def broken() -> nn.Module:
    """A factory that fails, for the friendly message."""
    raise RuntimeError("no such weights here")


CLASSES = ("red square", "blue disc", "panel", "unicorn")


def classy() -> NetworkParts:
    """`small` with outputs that have names: three are objects of the planted data set."""
    body = small()
    module = nn.Sequential(*body, nn.Linear(32, len(CLASSES))).eval()
    return NetworkParts(module, Preprocessing((112, 112)), CLASSES, "random weights", "Seeded.")


def classy_other() -> NetworkParts:
    """One layer, the same classes: another network to compare with."""
    module = nn.Sequential(*other(), nn.Linear(16, len(CLASSES))).eval()
    return NetworkParts(module, Preprocessing((112, 112)), CLASSES, "random weights", "Seeded.")


class Block(nn.Module):
    """Two convolutions with a sum, and the activation behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(8, 8, 3, padding=1) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.second(torch.relu(self.first(x))) + x)


def blocks() -> nn.Module:
    """A stem and a stage of two residual blocks, seeded by the caller."""
    stem = nn.Sequential(nn.Conv2d(3, 8, 5, stride=4, padding=2), nn.ReLU())
    stage = nn.Sequential(Block(), Block())
    parts = {"stem": stem, "stage": stage, "pool": nn.AdaptiveAvgPool2d(1), "flat": nn.Flatten()}
    return nn.Sequential(OrderedDict(parts)).eval()
