"""Networks as other people write them, one trait each; factories for `tests.networks.own:<name>`.

Inputs 3×32×32; the first classifies into cat, dog and bus.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from interpret_core.networks import NetworkParts, Preprocessing

SIZE = Preprocessing(size=(32, 32), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
NAMES = ("cat", "dog", "bus")


class Base(nn.Module):
    """Two convolutions, the first normalised, and a linear layer on their means."""

    def __init__(self, outputs: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 12, 3, padding=1, stride=2)
        self.head = nn.Linear(12, outputs)

    def body(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.first(x)), inplace=True)
        return F.relu(self.second(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3)))


def parts(module: nn.Module, names: tuple[str, ...] = NAMES, **more: object) -> NetworkParts:
    return NetworkParts(module, SIZE, names, **more)  # type: ignore[arg-type]


def base() -> NetworkParts:
    return parts(Base())


class Live:
    """What a notebook holds: the factory hands out the same module again and again."""

    parts: ClassVar[NetworkParts]


def live() -> NetworkParts:
    return Live.parts


# Shapes and memory -----------------------------------------------------------------------------------------


class Viewed(Base):
    """`view` across channels and positions, which units-last memory does not allow."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(12 * 16 * 16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        return self.head(x.view(x.size(0), -1))


def viewed() -> NetworkParts:
    return parts(Viewed())


class Unfolded(Viewed):
    """The same by other means: `as_strided` reads memory as it lies, and only differs in numbers."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        return self.head(torch.as_strided(x, (x.size(0), 12 * 16 * 16), (12 * 16 * 16, 1)))


def unfolded() -> NetworkParts:
    return parts(Unfolded())


class Squeezed(Base):
    """`squeeze` takes the batch's axis along when there is one image."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.adaptive_avg_pool2d(self.body(x), 1).squeeze())


def squeezed() -> NetworkParts:
    return parts(Squeezed())


class OneNumber(Base):
    """(N,): a single output without its axis."""

    def __init__(self) -> None:
        super().__init__(1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(super().forward(x)).squeeze(1)


def one_number() -> NetworkParts:
    return parts(OneNumber(), ("cat",))


class NeedsTwo(Base):
    """Works on two images or more."""

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.adaptive_avg_pool2d(self.body(x), 1).squeeze()
        return self.head(pooled[:, :12])


def needs_two() -> NetworkParts:
    return parts(NeedsTwo())


class Convolutional(Base):
    """(N, K, s, s)."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.head, self.side = nn.Conv2d(12, 3, 1), side

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.adaptive_avg_pool2d(self.body(x), self.side))


def convolutional() -> NetworkParts:
    return parts(Convolutional(1))


def convolutional_map() -> NetworkParts:
    return parts(Convolutional(2))


class Decided(Base):
    """argmax inside the network."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).argmax(1)


def decided() -> NetworkParts:
    return parts(Decided())


class ByItsWidth(Base):
    """A pooling whose kernel is a size that the network computes."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        return self.head(F.avg_pool2d(x, x.size(3)).flatten(1))


def by_its_width() -> NetworkParts:
    return parts(ByItsWidth())


def by_all_but_two_axes() -> NetworkParts:
    class Pooled(Base):
        def forward(self, x: Tensor) -> Tensor:
            x = self.body(x)
            return self.head(F.avg_pool2d(x, x.size()[2:]).flatten(1))

    return parts(Pooled())


class Lazy(Base):
    def __init__(self) -> None:
        super().__init__()
        self.second = nn.LazyConv2d(12, 3, padding=1, stride=2)
        self.head = nn.LazyLinear(3)


def lazy() -> NetworkParts:
    return parts(Lazy())


def volume() -> NetworkParts:
    """A three-dimensional convolution beside the two-dimensional ones."""

    class Volume(Base):
        def __init__(self) -> None:
            super().__init__()
            self.deep = nn.Conv3d(1, 1, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(self.deep(x[:, None])[:, 0])

    return parts(Volume())


# Batches ---------------------------------------------------------------------------------------------------


def no_statistics() -> NetworkParts:
    module = Base()
    module.norm = nn.BatchNorm2d(8, track_running_stats=False)
    return parts(module)


class Trains(Base):
    """Switches its normalisation to training in every forward."""

    def forward(self, x: Tensor) -> Tensor:
        self.norm.train()
        return super().forward(x)


def trains() -> NetworkParts:
    return parts(Trains())


class Centred(Base):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x - x.mean())


def centred() -> NetworkParts:
    return parts(Centred())


class AcrossTheBatch(Base):
    """softmax along the wrong axis."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).softmax(0)


def across_the_batch() -> NetworkParts:
    return parts(AcrossTheBatch())


class ToTheFirst(Base):
    """Every image compared with the first of the batch."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y - 0.5 * y[:1]


def to_the_first() -> NetworkParts:
    return parts(ToTheFirst())


class Mirrored(Base):
    """The second convolution sees every image and its mirror image; the first does not."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.first(x)))
        x = F.relu(self.second(torch.cat([x, x.flip(-1)])))
        one, other = self.head(x.mean((2, 3))).chunk(2)
        return (one + other) / 2


def mirrored() -> NetworkParts:
    return parts(Mirrored())


class Patches(Base):
    """Four patches of every image, folded into the batch before the first convolution."""

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        x = x.reshape(n, 3, 2, 16, 2, 16).permute(0, 2, 4, 1, 3, 5).reshape(n * 4, 3, 16, 16)
        return super().forward(x).reshape(n, 4, 3).mean(1)


def patches() -> NetworkParts:
    return parts(Patches())


class Routed(Base):
    """Each image goes through one of two convolutions, by its own brightness."""

    def __init__(self) -> None:
        super().__init__()
        self.bright, self.dark = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        bright = x.mean((1, 2, 3)) > 0.3
        x = F.relu(self.first(x))
        y = torch.empty_like(x)
        y[bright], y[~bright] = self.bright(x[bright]), self.dark(x[~bright])
        return self.head(F.relu(self.second(y)).mean((2, 3)))


def routed() -> NetworkParts:
    return parts(Routed())


class Reordered(Base):
    """Images sorted by brightness for one convolution, and put back: as many rows, in another order."""

    def forward(self, x: Tensor) -> Tensor:
        order = x.mean((1, 2, 3)).argsort(descending=True)
        x = F.relu(self.norm(self.first(x[order])))
        return self.head(F.relu(self.second(x[order.argsort()])).mean((2, 3)))


def reordered() -> NetworkParts:
    return parts(Reordered())


# Gradients -------------------------------------------------------------------------------------------------


class Detached(Base):
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).detach().mean((2, 3)))


def detached() -> NetworkParts:
    return parts(Detached())


class Frozen(Base):
    """no_grad around the convolutions, where torch.fx cannot trace."""

    def forward(self, x: Tensor) -> Tensor:
        if x.max() > 1e9:
            x = x * 0
        with torch.no_grad():
            x = self.body(x)
        return self.head(x.mean((2, 3)))


def frozen() -> NetworkParts:
    return parts(Frozen())


# Heads -----------------------------------------------------------------------------------------------------


def one_logit() -> NetworkParts:
    return parts(Base(1), ("cat",))


def one_probability() -> NetworkParts:
    return parts(nn.Sequential(Base(1), nn.Sigmoid()), ("cat",))


def tags() -> NetworkParts:
    return parts(nn.Sequential(Base(), nn.Sigmoid()))


def distribution() -> NetworkParts:
    return parts(nn.Sequential(Base(), nn.Softmax(1)))


class WrittenOut(Base):
    """A softmax that no module and no function is named after."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x).exp()
        return y / y.sum(1, keepdim=True)


def written_out() -> NetworkParts:
    return parts(WrittenOut())


class LogProbabilities(Base):
    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(super().forward(x), 1)


def log_probabilities() -> NetworkParts:
    return parts(LogProbabilities())


class SmallLogits(Base):
    """Logits that all lie between 0 and 1, by chance and not by construction."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * 1e-3 + 0.4


def small_logits() -> NetworkParts:
    return parts(SmallLogits())


class Untraceable(Base):
    """The control flow asks for numbers; nothing else is special."""

    def forward(self, x: Tensor) -> Tensor:
        if x.sum() > 1e9:
            x = -x
        return super().forward(x)


def untraceable() -> NetworkParts:
    return parts(Untraceable())


def untraceable_tags() -> NetworkParts:
    return parts(nn.Sequential(Untraceable(), nn.Sigmoid()))


class UntraceableLogits(Untraceable):
    """Logits between 0 and 1 for ordinary images, and outside for others."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * 0.3 + 0.5


def untraceable_logits() -> NetworkParts:
    return parts(UntraceableLogits())


class Functional(Base):
    """A linear layer written as a function, whose outputs lie between 0 and 1 for any image."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(self.body(x).mean((2, 3)), self.head.weight * 1e-4, self.head.bias * 0 + 0.4)


def functional() -> NetworkParts:
    return parts(Functional())


class Grouped(Base):
    """Classes added up after the softmax, by a linear layer of zeros and ones."""

    def __init__(self) -> None:
        super().__init__(9)
        self.groups = nn.Linear(9, 3, bias=False)
        with torch.no_grad():
            self.groups.weight.copy_(torch.eye(3).repeat_interleave(3, 1))
            self.head.weight.mul_(5)

    def forward(self, x: Tensor) -> Tensor:
        return self.groups(super().forward(x).softmax(1))


def grouped() -> NetworkParts:
    return parts(Grouped())


def some_groups() -> NetworkParts:
    module = Grouped()
    module.groups = nn.Linear(9, 2, bias=False)
    with torch.no_grad():
        module.groups.weight.copy_(torch.eye(3).repeat_interleave(3, 1)[:2])
    return parts(module, NAMES[:2])


class Hard(Base):
    """A hard sigmoid written out, whose last operations are a ReLU6 and a division."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(super().forward(x) + 3) / 6


def hard() -> NetworkParts:
    return parts(Hard())


class Percent(Base):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).softmax(1) * 100


def percent() -> NetworkParts:
    return parts(Percent())


def log_sigmoid() -> NetworkParts:
    return parts(nn.Sequential(Base(), nn.LogSigmoid()))


def no_head() -> NetworkParts:
    """Untraceable, and its last layer is all zeros, as fine-tuning begins."""
    module = Untraceable()
    nn.init.zeros_(module.head.weight)
    nn.init.zeros_(module.head.bias)
    return parts(module)


def rectified() -> NetworkParts:
    return parts(nn.Sequential(Base(), nn.ReLU()))
