"""A live module that a factory hands out, too."""

from __future__ import annotations

from torch import nn

from interpret_core.networks import NetworkParts, Preprocessing
from tests.planted_networks import red_detector

LIVE = red_detector()
PLAIN = Preprocessing((64, 64), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def handed_out() -> NetworkParts:
    return NetworkParts(LIVE, PLAIN, ("a", "b", "c"))


def other() -> nn.Module:
    """The same architecture; its first unit looks for green."""
    made = red_detector()
    made.conv1.weight.data[0] = made.conv1.weight.data[1]
    return made
