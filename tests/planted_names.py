"""Data sets in which labels share a name, the same with one label in their place, and a network for them.

Twenty-four noise pictures, each with a rectangle of one kind on it: cat, dog or bus. Where the cats are
split, every second one bears the number 9 in place of 1; both labels are called "cat".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from interpret_core.networks import NetworkParts, Preprocessing
from tests.planted_classes import write_classes
from tests.planted_dataset import save_mask, write_tables

IMAGES, SIZE, GRID = 24, 24, 12
KINDS = {1: "cat", 2: "dog", 3: "bus"}
SECOND = 9  # the other number of a cat
NETWORK = "tests.planted_names:network"


def network() -> NetworkParts:
    """Two seeded convolutions and a head of three outputs, without ties; unit 0 of the first likes cats."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(3)
        body = [nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 12, 3, padding=1), nn.ReLU()]
        weight = body[0].weight[0]  # type: ignore[index]
        weight *= 0.01
        weight[0] = 1
        module = nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 3)).eval()
    return NetworkParts(module, Preprocessing((SIZE, SIZE)), tuple(KINDS.values()))


@dataclass(frozen=True)
class Named:
    """How it is written.

    Attributes:
        split: whether two labels are called "cat".
        both: whether a picture of a cat bears both numbers, half and half.
        maps: of category object for each picture; with two, the second repeats a part of the first, under
            the other number of a cat.
        part: whether "cat" is in category part too, under its first number.
        listed: whether classes.csv says which picture shows what.
    """

    split: bool = True
    both: bool = False
    maps: int = 1
    part: bool = False
    listed: bool = True

    def write(self, root: Path) -> Path:
        """The folder."""
        random = np.random.default_rng(8)
        (root / "images").mkdir(parents=True)
        rows: list[dict[str, object]] = []
        for index in range(IMAGES):
            kind = 1 + index % 3
            picture = random.integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)
            top, left = random.integers(0, 6, 2)
            mask = np.zeros((GRID, GRID), np.uint16)
            mask[top : top + 6, left : left + 6] = kind
            picture[2 * top : 2 * top + 12, 2 * left : 2 * left + 12, kind - 1] = 255
            Image.fromarray(picture).save(root / "images" / f"{index}.png")
            names = self._save(root, index, mask, top)
            sizes = {"ih": SIZE, "iw": SIZE, "sh": GRID, "sw": GRID}
            split = "train" if index < IMAGES // 2 else "val"
            part = names[0] if self.part else ""
            rows.append(
                {"image": f"{index}.png", "split": split, "object": ";".join(names), "part": part, **sizes}
            )
        write_tables(root, rows, self._labels())
        if self.listed:
            write_classes(root, [(f"{index}.png", KINDS[1 + index % 3]) for index in range(IMAGES)])
        return root

    def _save(self, root: Path, index: int, mask: np.ndarray, top: int) -> list[str]:
        cat = mask == 1
        if self.split and (self.both or index % 2):
            half = np.zeros_like(cat)
            half[top : top + 3 if self.both else GRID] = True
            mask = np.where(cat & half, SECOND, mask).astype(np.uint16)
        save_mask(root / "images" / f"mask-{index}.png", mask)
        if self.maps == 1:
            return [f"mask-{index}.png"]
        again = np.zeros_like(mask)
        again[top : top + 4] = np.where(cat, SECOND if self.split else 1, 0)[top : top + 4]
        save_mask(root / "images" / f"again-{index}.png", again)
        return [f"mask-{index}.png", f"again-{index}.png"]

    def _labels(self) -> list[tuple[int, str, tuple[str, ...]]]:
        categories = ("object", "part") if self.part else ("object",)
        labels = [
            (number, name, categories if number == 1 else ("object",)) for number, name in KINDS.items()
        ]
        return labels + ([(SECOND, "cat", ("object",))] if self.split else [])
