"""Small networks that exercise one trait each; factories for `tests.networks.samples:<name>`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from interpret_core.networks import NetworkParts, Preprocessing, torchvision_ops
from interpret_core.networks.objects.description import tensor_digest

models = torchvision_ops.classifiers()

SMALL = Preprocessing(size=(24, 32), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def tensors_digest(module: nn.Module) -> str:
    """Differs where any parameter or buffer does."""
    named = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    return repr(sorted((name, tensor_digest(tensor)) for name, tensor in named.items()))


def randomise(module: nn.Module, seed: int = 7) -> nn.Module:
    """Give BatchNorms statistics and factors that matter: at their defaults they do next to nothing."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            for tensor, low, high in (
                (part.running_mean, -0.3, 0.3),
                (part.running_var, 0.5, 2.0),
                (part.weight.data, 0.5, 1.5),
                (part.bias.data, -0.3, 0.3),
            ):
                tensor.uniform_(low, high, generator=generator)
    return module


class Gated(nn.Module):
    """Control flow that depends on the data: the second convolution is skipped for dark batches."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.third = nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        dark = x.abs().sum() == 0
        x = F.relu(self.norm(self.first(x)), inplace=True)
        if not dark:
            kept = x
            x = self.second(x)
            x += kept
        x.mul_(2.0)
        return F.relu_(self.third(x)).mean((2, 3))


class Overwriting(nn.Module):
    """Every in-place form, each on a tensor that somebody reads or that is a response."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 6, 3, padding=1)
        self.b = nn.Conv2d(6, 6, 3, padding=1)
        self.c = nn.Conv2d(6, 6, 1)
        self.d = nn.Conv2d(6, 6, 1)
        self.relu = nn.ReLU(inplace=True)  # called three times: a hook on it would fire three times

    def forward(self, x: Tensor) -> Tensor:
        a = self.relu(self.a(x))
        b = self.b(a)
        b += a  # overwrites b's response, which has no activation
        b = self.relu(b)
        c = self.c(b)
        same = c
        c.add_(1.0)
        same *= 0.5  # the same tensor under another name
        d = self.d(c)
        kept = d.sigmoid()
        F.relu(d, inplace=True)  # the result is read through the old name
        return self.relu(d - kept).mean((2, 3))


class Assigning(nn.Module):
    """Assignment to an index: not followed in a graph, but in a watched run."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        y[:, 0] = 5.0
        return y.mean((2, 3))


class Twice(nn.Module):
    """One convolution called twice, with underscores in its path."""

    def __init__(self) -> None:
        super().__init__()
        self._shared = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self._shared(self._shared(x).relu()).sigmoid().mean((2, 3))


class Activations(nn.Module):
    """Activations in all their forms."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(3, 3, 3, padding=1, groups=3) for _ in range(9))
        self.prelu = nn.PReLU()
        self.act = nn.Hardswish(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        c = list(self.convs)
        x = self.act(c[0](x))
        x = F.silu(c[1](x), inplace=True)
        x = torch.tanh(c[2](x))
        x = c[3](x).clamp(min=0.0)
        x = self.prelu(c[4](x))
        y = c[5](x)
        x = y * torch.sigmoid(y)  # SiLU written out
        z = c[6](x)
        x = z + F.gelu(z)  # z has two readers: the response is z itself
        x = F.leaky_relu_(c[7](x), 0.1)
        w = c[8](x)
        return F.relu(w.view(w.size(0), w.shape[1], -1)).mean(2)  # asking for the shape is no reader


class Random(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.rand(x.shape[0], 2)


def gated() -> NetworkParts:
    return NetworkParts(randomise(Gated()), SMALL, ("a", "b", "c", "d"))


def overwriting() -> NetworkParts:
    return NetworkParts(Overwriting(), SMALL)


def assigning() -> NetworkParts:
    return NetworkParts(Assigning(), SMALL, evidence="demo", note="A note.")


def twice() -> NetworkParts:
    return NetworkParts(Twice(), SMALL)


def activations() -> NetworkParts:
    return NetworkParts(Activations(), SMALL)


def random_output() -> NetworkParts:
    return NetworkParts(Random(), SMALL)


def parametrised() -> NetworkParts:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3), nn.Flatten())
    nn.utils.parametrizations.weight_norm(module[0])
    return NetworkParts(module, SMALL)


def plain() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 7, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def resnet() -> nn.Module:
    return randomise(models.resnet18(weights=None))


def scripted() -> nn.Module:
    return torch.nn.Sequential()


def no_convolution() -> NetworkParts:
    return NetworkParts(nn.Sequential(nn.Flatten(), nn.Linear(3 * 24 * 32, 2)), SMALL)


def failing() -> nn.Module:
    raise RuntimeError("no such thing")


def text() -> str:
    return "text"
