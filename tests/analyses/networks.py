"""Networks named by factory strings in the engine's tests."""

from __future__ import annotations

import torch
from torch import nn

from interpret_core.networks import NetworkParts, Preprocessing
from tests import planted_networks

PLAIN = Preprocessing((112, 112), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "nearest")


def colours() -> NetworkParts:
    """The planted red, green and blue detector on inputs in [0, 1]."""
    return NetworkParts(planted_networks.red_detector(), PLAIN)


def brightness() -> NetworkParts:
    """Unit 0: the red channel; unit 1: dead; unit 2: 1 everywhere, whatever the image."""
    layer = nn.Conv2d(3, 3, 1)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0] = 1
        layer.bias.copy_(torch.tensor([0.0, 0.0, 1.0]))  # type: ignore[union-attr]
    network = nn.Sequential(layer, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return NetworkParts(network.eval(), PLAIN)


def blurred_colours() -> NetworkParts:
    """Detectors of red, green and blue that look at 5×5 pixels, each a little differently: nothing ties."""
    layer = nn.Conv2d(3, 3, 5, padding=2)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(3)
        layer.bias.zero_()  # type: ignore[union-attr]
        layer.weight.copy_((2 * torch.eye(3) - 1)[:, :, None, None] + 0.1 * torch.rand(3, 3, 5, 5))
    network = nn.Sequential(layer, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return NetworkParts(network.eval(), PLAIN)


def odd() -> NetworkParts:
    """The planted units in every state a threshold can be in."""
    return NetworkParts(planted_networks.odd_units(), PLAIN)


def mixed() -> NetworkParts:
    """Two seeded convolutions with ReLU and ReLU6 and a pooling between them."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        layers = [
            nn.Conv2d(3, 20, 5, stride=2, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(20, 33, 3, padding=1, bias=False),
            nn.BatchNorm2d(33),
            nn.ReLU6(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        ]
        network = nn.Sequential(*layers).eval()
        for parameter in network.parameters():
            nn.init.normal_(parameter, std=0.4)
    return NetworkParts(network, Preprocessing((112, 112)))


def poisoned() -> NetworkParts:
    """The same with a NaN among the second layer's weights."""
    parts = mixed()
    with torch.no_grad():
        parts.module[3].weight[5, 0, 0, 0] = float("nan")
    return parts


def named_colours() -> NetworkParts:
    """The planted detector of three colours: its outputs on a flat picture are 1 for its colour, 0 else."""
    return NetworkParts(planted_networks.red_detector(), PLAIN, ("Red", "green", "BLUE"))


def many_colours() -> NetworkParts:
    """The same three outputs among 21 + 2 others, which are 0 everywhere; "green" is the last."""
    layer = nn.Conv2d(3, 23, 1, bias=False)
    with torch.no_grad():
        layer.weight.zero_()
        for output, row in ((0, [1.0, -1, -1]), (22, [-1.0, 1, -1]), (11, [-1.0, -1, 1])):
            layer.weight[output] = torch.tensor(row).view(3, 1, 1)
    network = nn.Sequential(layer, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    names = {0: "red", 22: "green", 11: "blue"}
    return NetworkParts(network, PLAIN, tuple(names.get(output, f"other {output}") for output in range(23)))


def misnamed() -> NetworkParts:
    """Three outputs, two names."""
    return NetworkParts(planted_networks.red_detector(), PLAIN, ("red", "green"))


def nameless() -> NetworkParts:
    """Outputs without names."""
    return NetworkParts(planted_networks.red_detector(), PLAIN)


def unlike() -> NetworkParts:
    """Names that no data set has; two outputs share one."""
    return NetworkParts(planted_networks.red_detector(), PLAIN, ("crane", "crane", "zebra"))


def endless() -> NetworkParts:
    """Infinite for every picture that has red in it."""
    layer = nn.Conv2d(3, 3, 1)
    with torch.no_grad():
        layer.weight.zero_()[:, 0] = 3e38
        layer.bias.fill_(3e38)  # type: ignore[union-attr]
    network = nn.Sequential(layer, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return NetworkParts(network, PLAIN, ("red", "green", "blue"))
