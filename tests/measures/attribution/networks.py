"""A small network with residuals, BatchNorm and pooling, and how to cut it; a twin that captum can read.

captum hooks modules: it needs one ReLU module per use and no in-place operation, which torchvision's ResNet
does not offer (method §5).
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from interpret_core.measures.attribution.path import Integrated, Rule, integrate
from interpret_core.measures.attribution.target import Target
from interpret_core.networks.graph.cuts import Cut, Cutter
from interpret_core.networks.graph.preparation import Prepared, Stated, prepare


class Residual(nn.Module):
    """conv1 – pool – block (conv2, conv3, skip) – conv4 – linear; every ReLU is a module of its own."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace
        self.conv1, self.bn1 = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.pool = nn.MaxPool2d(2)
        self.conv2, self.bn2 = nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.conv3, self.bn3 = nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.conv4, self.bn4 = nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8)
        self.relu1, self.relu2, self.relu3, self.relu4 = (nn.ReLU(inplace) for _ in range(4))
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu1(self.bn1(self.conv1(x))))
        y = self.relu2(self.bn2(self.conv2(x)))
        y = self.bn3(self.conv3(y))
        if self.inplace:
            y += x
        else:
            y = y + x
        y = self.relu4(self.bn4(self.conv4(self.relu3(y))))
        return self.head(y.mean((2, 3)))


def residual(inplace: bool = False, seed: int = 3) -> Residual:
    """In float64 and eval mode, with BatchNorm statistics that matter and a head that decides."""
    torch.manual_seed(seed)
    module = Residual(inplace)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_mean, -0.3, 0.3)
            nn.init.uniform_(part.running_var, 0.5, 2.0)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.uniform_(part.bias, -0.3, 0.3)
    nn.init.normal_(module.head.weight, std=1.5)
    return module.double().eval().requires_grad_(False)


# The module whose output is each layer's response, for captum; as the layer rules find it.
MODULES = {"conv1": "relu1", "conv2": "relu2", "conv3": "bn3", "conv4": "relu4"}


def images(number: int = 3, seed: int = 0) -> Tensor:
    """(N, 3, 16, 20) float64."""
    return torch.randn(number, 3, 16, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def prepared(module: nn.Module) -> Prepared:
    """The module cut at its layers."""
    return prepare(module, images(3, seed=9), Stated("planted"))


def integrated(
    cutter: Cutter, layer: str, pictures: Tensor, baseline: Tensor, target: Target, rule: Rule
) -> tuple[Cut, Integrated]:
    """Layer integrated gradients of a batch."""
    cut = cutter(pictures, [layer])
    ends = cutter(baseline, [layer]).responses[layer].expand_as(cut.responses[layer])
    return cut, integrate(partial(cut.tail, layer), target, cut.responses[layer], ends, rule)
