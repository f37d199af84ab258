"""Networks with one detector of pure red whose positions are moved in the picture, each in its own way.

The detector responds 0.5 to pure red and 0 to other colours of `moved_scenes`, so a mask is where its
positions say red is: geometry alone decides its IoU with the red squares.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from interpret_core.networks import NetworkParts, Preprocessing

SIDE = 32
SQUARE = 8


class Red(nn.Module):
    """Moves the picture, then detects red in the middle of its kernel."""

    def __init__(self, move: Callable[[Tensor], Tensor], convolution: nn.Module | None = None) -> None:
        super().__init__()
        self.move = move
        self.conv = convolution or red(1)
        self.fc = nn.Linear(1, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.relu(self.conv(self.move(x))).mean((2, 3)))


def red(kernel: int, **settings: int) -> nn.Conv2d:
    """A convolution that looks at the middle of its kernel only."""
    found = nn.Conv2d(3, 1, kernel, **settings)  # type: ignore[arg-type]
    with torch.no_grad():
        found.weight.zero_()
        found.weight[0, :, kernel // 2, kernel // 2] = torch.tensor([1.0, -1.0, -1.0])
        found.bias.fill_(-0.5)  # type: ignore[union-attr]
    return found


def parts(module: nn.Module) -> NetworkParts:
    size = Preprocessing(size=(SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1))
    return NetworkParts(module.eval(), size, class_names=("a", "b", "c"))


def _moved(move: Callable[[Tensor], Tensor]) -> Callable[[], NetworkParts]:
    return lambda: parts(Red(move))


plain = _moved(lambda x: x)
flipped = _moved(lambda x: x.flip(-1))
upside_down = _moved(lambda x: torch.flip(x, (2, 3)))
transposed = _moved(lambda x: x.transpose(2, 3))
turned = _moved(lambda x: torch.rot90(x, 1, (2, 3)))
cropped = _moved(lambda x: x[:, :, 4:-4, 6:])
narrowed = _moved(lambda x: x.narrow(2, 3, 28))
padded = _moved(lambda x: functional.pad(x, (3, 1, 0, 2)))
stacked = _moved(lambda x: torch.stack([x[:, :, SIDE - 1 - row] for row in range(SIDE)], 2))
enlarged = _moved(lambda x: functional.interpolate(x, scale_factor=2))
rolled = _moved(lambda x: x.roll(5, 3))
shuffled = _moved(lambda x: x[:, :, torch.randperm(SIDE, generator=torch.Generator().manual_seed(0))])


def _reversed(layer: nn.Module) -> nn.Module:
    """The layer with weights that put the last of its inputs first."""
    with torch.no_grad():
        layer.weight.copy_(torch.eye(SIDE).flip(0).reshape(layer.weight.shape))  # type: ignore[operator, union-attr]
    return layer


class AcrossRows(nn.Module):
    """A 1×1 convolution to which the picture's rows are the units."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = _reversed(nn.Conv2d(SIDE, SIDE, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(x.permute(0, 2, 1, 3)).permute(0, 2, 1, 3)


def exchanged_halves(x: Tensor) -> Tensor:
    """Written through views of a copy."""
    half, y = SIDE // 2, x.clone()
    y[:, :, :half].copy_(x[:, :, half:])
    y[:, :, half:].copy_(x[:, :, :half])
    return y


written = _moved(exchanged_halves)
wrapped = _moved(nn.CircularPad2d(3))
broadcast = _moved(lambda x: x - 0 * x[:, :, 16:17])


def mixed() -> NetworkParts:
    return parts(Red(_reversed(nn.Linear(SIDE, SIDE, bias=False))))


def mixed_rows() -> NetworkParts:
    return parts(Red(AcrossRows()))


def unpadded() -> NetworkParts:
    return parts(Red(lambda x: x, red(9)))


def dilated() -> NetworkParts:
    return parts(Red(lambda x: x, red(3, dilation=4)))


def untraceable() -> NetworkParts:
    """Cropped and flipped, in a way that torch.fx cannot follow."""

    def move(x: Tensor) -> Tensor:
        return x.flip(-1)[:, :, 4:-4] if x.mean() > -1e9 else x

    return parts(Red(move))


def upsampling() -> NetworkParts:
    """A transposed convolution that doubles the grid of an unpadded one."""
    wide = nn.ConvTranspose2d(1, 1, 2, stride=2)
    with torch.no_grad():
        wide.weight.fill_(1.0)
        wide.bias.zero_()  # type: ignore[union-attr]
    return parts(Red(lambda x: x, nn.Sequential(red(5), wide)))


def moved_scenes(root: Path, images: int = 12) -> Path:
    """Red squares on grey, away from the border, so that no kernel here loses one; in Broden's layout."""
    random = np.random.default_rng(0)
    (root / "images").mkdir(parents=True)
    rows = [["image", "split", "ih", "iw", "sh", "sw", "object"]]
    for number in range(images):
        mask = np.zeros((SIDE, SIDE), np.uint8)
        y, x = random.integers(8, SIDE - SQUARE - 7, 2)
        mask[y : y + SQUARE, x : x + SQUARE] = 1
        picture = np.full((SIDE, SIDE, 3), 96, np.uint8)
        picture[mask == 1] = (255, 0, 0)
        Image.fromarray(picture).save(root / "images" / f"i{number}.png")
        Image.fromarray(np.dstack([mask, 0 * mask, 0 * mask])).save(root / "images" / f"m{number}.png")
        rows.append([f"i{number}.png", "", *map(str, (SIDE, SIDE, SIDE, SIDE)), f"m{number}.png"])
    for name, table in (
        ("index.csv", rows),
        ("label.csv", [["number", "name", "category"], ["1", "red", f"object({images})"]]),
        ("category.csv", [["name", "first", "last", "count", "frequency"], ["object", "1", "1", "1", "1"]]),
    ):
        with (root / name).open("w", newline="") as file:
            csv.writer(file).writerows(table)
    return root
