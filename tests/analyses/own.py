"""Networks of others' kind on the planted balls and boxes; factories for `tests.analyses.own:<name>`."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from interpret_core.networks import NetworkParts, Preprocessing
from tests.analyses.related import SIZE
from tests.networks import own

NAMES = ("ball", "box")


def parts(module: nn.Module, names: tuple[str, ...] = NAMES, **more: object) -> NetworkParts:
    with torch.random.fork_rng():  # a head that decides, so that no two answers are alike
        torch.manual_seed(4)
        for layer in module.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=2.0)
    return NetworkParts(module, Preprocessing((SIZE, SIZE)), names, **more)  # type: ignore[arg-type]


class Live:
    """What a notebook holds."""

    parts: ClassVar[NetworkParts]


def live() -> NetworkParts:
    return Live.parts


def two() -> NetworkParts:
    return parts(own.Base(2))


def undecided() -> nn.Module:
    """One output, above 0 on some pictures and below on others."""
    module = parts(own.Base(1)).module
    nn.init.constant_(module.head.bias, -1.45)
    return module


class Setting(own.Base):
    """Reads how it computes from outside."""

    def forward(self, x: Tensor) -> Tensor:
        slope = float(os.environ.get("HIDDEN_SLOPE", "0"))
        return self.head(nn.functional.leaky_relu(self.body(x) - 0.2, slope).mean((2, 3)))


def setting() -> NetworkParts:
    return parts(Setting(2))


def one_logit() -> NetworkParts:
    return NetworkParts(undecided(), Preprocessing((SIZE, SIZE)), ("ball",))


def one_probability() -> NetworkParts:
    return replace(one_logit(), module=nn.Sequential(undecided(), nn.Sigmoid()))


def tags() -> NetworkParts:
    return parts(nn.Sequential(own.Base(2), nn.Sigmoid()))


def distribution() -> NetworkParts:
    return parts(nn.Sequential(own.Base(2), nn.Softmax(1)))


def squeezed() -> NetworkParts:
    return parts(own.Squeezed(2))


def not_squeezed() -> NetworkParts:
    """The same numbers with the axes named."""
    return parts(own.Base(2))


def viewed() -> NetworkParts:
    module = own.Viewed()
    module.head = nn.Linear(12 * 12 * 12, 2)
    return parts(module)


def convolutional() -> NetworkParts:
    module = own.Convolutional(1)
    module.head = nn.Conv2d(12, 2, 1)
    return parts(module)


def convolutional_map() -> NetworkParts:
    module = own.Convolutional(2)
    module.head = nn.Conv2d(12, 2, 1)
    return parts(module)


def detached() -> NetworkParts:
    return parts(own.Detached(2))


def frozen() -> NetworkParts:
    return parts(own.Frozen(2))


class Beside(own.Base):
    """Its last convolution leads nowhere."""

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.first(x)))
        self.second(x)
        return self.head(torch.cat([x, x[:, :4]], 1).mean((2, 3)))


def beside() -> NetworkParts:
    return parts(Beside(2))


class Environment(own.Base):
    """Something that nobody reads decides what is computed."""

    def forward(self, x: Tensor) -> Tensor:
        if float(x.sum()) > 1e12:
            x = -x
        return super().forward(x) * float(os.environ.get("HIDDEN_FACTOR", "1"))


def environment() -> NetworkParts:
    return parts(Environment(2))
