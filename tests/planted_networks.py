"""Networks with hand-set weights whose answers are known in closed form, and the scenes they look at.

Every factory takes no argument and returns a module in evaluation mode, so that
`tests.planted_networks:red_detector` names a network. Inputs are (N, 3, H, W) RGB in [0, 1], that is, mean 0
and deviation 1; there is no stride, so a response has the image's grid (only `shifted_detector` and
`residual` mix neighbours, padded with zeros). All constants are small dyadic fractions: the responses to
pure colours (0 or 255 in each channel) are exact in float32. Every network ends in a global mean of its last
response and has as many outputs as units in its last convolution.

`scenes()` has the images and annotations the docstrings speak of.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Scenes:
    """Pure-coloured squares on black.

    Attributes:
        images: (N, H, W, 3) uint8, each channel 0 or 255.
        objects: (N, H, W) label numbers, 0 = none: `names[number − 1]`.
        names: red, green, blue, white (label numbers 1 to 4).
    """

    images: np.ndarray
    objects: np.ndarray
    names: tuple[str, ...] = ("red", "green", "blue", "white")

    def batch(self) -> Tensor:
        """(N, 3, H, W) float32 in [0, 1]."""
        return torch.from_numpy(self.images).permute(0, 3, 1, 2).float() / 255

    def share(self, number: int) -> float:
        """Share of all pixels of all images with this label number."""
        return float((self.objects == number).mean())


def scenes(count: int = 8, size: int = 16, side: int = 4) -> Scenes:
    """One red square in every image, a green one in the even, a blue one in every third image.

    Image 0 has a single white pixel too, its lower right corner. Corners of squares lie on multiples of their
    side (so an annotation at half the resolution is exact), no square touches the right edge, and squares of
    one image do not overlap. side²·count red pixels, side²·⌈count/2⌉ green, side²·⌈count/3⌉ blue, 1 white.
    As given: 128, 64, 48 and 1 of 2,048 pixels. For networks that want 224 pixels: size 224, side 32.
    """
    if size % side or size < 4 * side:
        raise ValueError(f"size {size} is no multiple of {side} from {4 * side} on")
    colours = np.array([(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], np.uint8)
    objects = np.zeros((count, size, size), np.int64)
    places = list(itertools.product(range(0, size, side), range(0, size - side, side)))
    for image in range(count):
        wanted = [1] + [2] * (image % 2 == 0) + [3] * (image % 3 == 0)
        for number in wanted:
            y, x = places[(5 * image + 2 * number) % len(places)]
            objects[image, y : y + side, x : x + side] = number
    objects[0, -1, -1] = 4
    return Scenes(colours[objects], objects)


def _convolution(weight: list[list[float]], bias: list[float] | None = None) -> nn.Conv2d:
    """A 1×1 convolution from rows of weights (one per unit)."""
    return _spatial(torch.tensor(weight)[:, :, None, None], bias)


def _spatial(weight: Tensor, bias: list[float] | None = None) -> nn.Conv2d:
    units, channels, height, width = weight.shape
    padding = (height // 2, width // 2)
    layer = nn.Conv2d(channels, units, (height, width), padding=padding, bias=bias is not None)
    with torch.no_grad():
        layer.weight.copy_(weight)
        if layer.bias is not None:
            layer.bias.copy_(torch.tensor(bias))
    return layer


def _batch_norm(
    mean: list[float], variance: list[float], scale: list[float], shift: list[float]
) -> nn.Module:
    """Evaluates to scale·(x − mean)/√variance + shift exactly (epsilon 0)."""
    layer = nn.BatchNorm2d(len(mean), eps=0.0)
    with torch.no_grad():
        for target, values in (
            (layer.running_mean, mean),
            (layer.running_var, variance),
            (layer.weight, scale),
            (layer.bias, shift),
        ):
            target.copy_(torch.tensor(values))
    return layer


def _network(**layers: nn.Module) -> nn.Module:
    head = {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    return nn.Sequential(OrderedDict(layers | head)).eval()


def red_detector() -> nn.Module:
    """conv1 (1×1, three units) → in-place ReLU: red, green and blue detectors.

    unit 0 = relu(R − G − B): 1 on red, 0 on every other colour of `scenes` (white: −1 → 0).
    unit 1 = relu(G − R − B), unit 2 = relu(B − R − G): likewise green and blue.
    At quantile = share of red: unit 0 has T = 1/2, state live, exactly k = red pixels above it, and IoU 1
    with the red object; every other IoU of unit 0 is 0. Units 1 and 2 fire on fewer than k positions there:
    T = 0, tied, and IoU 1 with green and blue all the same. Annotated at half the resolution: the same.
    """
    return _network(
        conv1=_convolution([[1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]]),
        relu1=nn.ReLU(inplace=True),
    )


def half_detector() -> nn.Module:
    """conv1 (1×1, two units) → in-place ReLU: known overlaps without any spatial arithmetic.

    unit 0 = relu(R − B): 1 on red, 0 elsewhere (white: 0).
    unit 1 = relu(R + G − 2·B): 1 on red and on green, 0 elsewhere.
    At quantile = share of red + share of green, unit 1 has T = 1/2 and exactly k above it. Over the images
    that have an object, with r red and g green pixels: IoU with red r/(r + g), with green g/(r + g).
    `scenes(1)` gives one half each, `scenes(8)` 2/3 and 1/3. Unit 0 is tied at T = 0, IoU 1 with red.
    """
    return _network(conv1=_convolution([[1.0, 0.0, -1.0], [1.0, 1.0, -2.0]]), relu1=nn.ReLU(inplace=True))


def shifted_detector() -> nn.Module:
    """conv1 (1×5, padding 2, two units) → in-place ReLU: the red detector, and it shifted by two pixels.

    unit 0 = r(y, x), unit 1 = r(y, x − 2), with r = relu(R − G − B) and 0 outside of the image.
    At quantile = share of red both have T = 1/2 and exactly k = red pixels above it (no square of `scenes`
    is cut off by the right edge). Unit 0 has IoU 1 with red. Unit 1 covers the right half of each square and
    as much beside it: half of the mask and half of the concept overlap, IoU (1/2)/(3/2) = 1/3. For squares
    of another side: (side − 2)/(side + 2).
    """
    weight = torch.zeros(2, 3, 1, 5)
    weight[0, :, 0, 2] = torch.tensor([1.0, -1.0, -1.0])
    weight[1, :, 0, 0] = torch.tensor([1.0, -1.0, -1.0])
    return _network(conv1=_spatial(weight), relu1=nn.ReLU(inplace=True))


def odd_units() -> nn.Module:
    """conv1 (1×1, five units, with bias) → in-place ReLU: every state a threshold can be in.

    unit 0: weights and bias 0. Dead: T = 0, nothing above, every IoU 0.
    unit 1: bias 1/2 only. Constant 1/2: tied, no lower value exists, T = 1/2, nothing above.
    unit 2 = relu(R + G + B − 2): 1 on white alone. Fires on one pixel of `scenes`; with k > 1: T = 0, tied,
        one position above, IoU 1 with white. With k = 1: T = 1/2, live.
    unit 3 = relu(R − G − B), as in `red_detector`.
    unit 4: bias −1 only. Always negative before the ReLU: dead.
    """
    weight = [[0.0] * 3, [0.0] * 3, [1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [0.0] * 3]
    return _network(
        conv1=_convolution(weight, [0.0, 0.5, -2.0, 0.0, -1.0]),
        relu1=nn.ReLU(inplace=True),
    )


def saturating() -> nn.Module:
    """conv1 (1×1, two units) → in-place ReLU6.

    unit 0 = relu6(8·R + 2·G − 8·B): 6 on red (8 cut off), 2 on green, 2 on white, 0 elsewhere.
    unit 1 = relu6(8·(R − G − B)): 6 on red, 0 elsewhere.
    With k below the number r of red pixels both are tied at their maximum 6 and take the next lower distinct
    value: unit 0 T = 2, unit 1 T = 0; exactly the r red pixels exceed it, IoU 1 with red. With k = r the cut
    falls between two values: unit 0 T = 4, unit 1 T = 3, both live.
    """
    return _network(conv1=_convolution([[8.0, 2.0, -8.0], [8.0, -8.0, -8.0]]), relu1=nn.ReLU6(inplace=True))


def batch_norm() -> nn.Module:
    """conv1 → bn1 → in-place ReLU → conv2 → bn2 → in-place ReLU, all 1×1, two units each.

    conv1: R − G − B and B. bn1, unit 0: mean 1/2, variance 4, scale 2, shift 1/4, that is x − 1/4; unit 1:
    mean 0, variance 1/4, scale −1, shift 1, that is 1 − 2x. Responses of conv1:
        unit 0 = relu(R − G − B − 1/4): 3/4 on red, 0 elsewhere;
        unit 1 = relu(1 − 2B): 0 on blue and white, 1 elsewhere (black, red, green).
    conv2: 2·u0 and u1 − u0. bn2, unit 0: mean 1, variance 1, scale 1/2, shift 1/2, that is x/2; unit 1:
    mean 1/4, variance 1/16, scale 1/4, shift 0, that is x − 1/4. Responses of conv2:
        unit 0 = u0: 3/4 on red, 0 elsewhere;
        unit 1 = relu(u1 − u0 − 1/4): 0 on red, blue and white, 3/4 on black and green.
    Zeros in place of conv1's own output for unit 1 would leave the constant 1 behind bn1: only silencing the
    response makes it 0 everywhere.
    """
    return _network(
        conv1=_convolution([[1.0, -1.0, -1.0], [0.0, 0.0, 1.0]]),
        bn1=_batch_norm([0.5, 0.0], [4.0, 0.25], [2.0, -1.0], [0.25, 1.0]),
        relu1=nn.ReLU(inplace=True),
        conv2=_convolution([[2.0, 0.0], [-1.0, 1.0]]),
        bn2=_batch_norm([1.0, 0.25], [1.0, 0.0625], [0.5, 0.25], [0.5, 0.0]),
        relu2=nn.ReLU(inplace=True),
    )


class _Block(nn.Module):
    """conv1 → bn1 → relu → conv2 → bn2, plus the input in place, → the same relu."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _convolution([[1.0, -1.0], [0.0, 1.0]])
        self.bn1 = _batch_norm([0.0, 0.0], [1.0, 1.0], [1.0, 1.0], [0.0, -0.5])
        self.conv2 = _convolution([[-1.0, 0.0], [0.0, 2.0]])
        self.bn2 = _batch_norm([0.0, 0.0], [1.0, 1.0], [1.0, 1.0], [0.0, -0.25])
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 2, h, w) to the same shape."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x
        return self.relu(out)


def residual() -> nn.Module:
    """stem (1×1) → in-place ReLU → a residual block, as torchvision writes it.

    That is, with the addition in place and one ReLU module used twice.
    stem: s0 = relu(R), s1 = relu(G).
    block.conv1 (→ bn1 → relu): unit 0 = relu(s0 − s1): 1 on red, 0 elsewhere; unit 1 = relu(s1 − 1/2): 1/2 on
        green and white, 0 elsewhere.
    block.conv2 (→ bn2, BEFORE the addition, may be negative): unit 0 = −u0: −1 on red, 0 elsewhere; unit 1 =
        2·u1 − 1/4: 3/4 on green and white, −1/4 elsewhere.
    After the addition and the ReLU: channel 0 = relu(s0 − u0): 1 on white, 0 elsewhere; channel 1 =
        relu(s1 + 2·u1 − 1/4): 7/4 on green and white, 0 elsewhere. Outputs: their means over the image.
    A hook that reads conv2 (or bn2) after the forward pass sees the sum instead.
    """
    return _network(
        stem=_convolution([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), relu=nn.ReLU(inplace=True), block=_Block()
    )


class _Branching(nn.Module):
    """Looks at the data to choose its way: torch.fx cannot trace it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _convolution([[1.0, -1.0, -1.0], [0.0, 1.0, -1.0]])
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _convolution([[1.0, 1.0], [1.0, -1.0]])

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 2)."""
        if float(x.mean()) > 0.5:
            x = 1 - x
        x = self.relu(self.conv1(x))
        x = self.relu(self.conv2(x))
        return x.mean(dim=(2, 3))


def untraceable() -> nn.Module:
    """conv1 → in-place ReLU → conv2 → the same ReLU; a batch with a mean above 1/2 is inverted first.

    Responses to `scenes` (dark: not inverted): conv1 unit 0 = relu(R − G − B): 1 on red; unit 1 =
    relu(G − B): 1 on green. conv2 unit 0 = u0 + u1: 1 on red and green; unit 1 = relu(u0 − u1):
    1 on red. For an inverted batch (1 − x) they are the same.
    torch.fx.symbolic_trace fails with a TypeError (float of a proxy).
    """
    return _Branching().eval()


FACTORIES = (
    red_detector,
    half_detector,
    shifted_detector,
    odd_units,
    saturating,
    batch_norm,
    residual,
    untraceable,
)
"""All of them, for tests that hold whatever the network."""
