"""A small data set with two classes of objects and a network that tells them, for the relevance tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.networks import NetworkParts, Preprocessing
from tests.planted_dataset import save_mask, write_tables

SIZE, GRID = 24, 12
NETWORK = "tests.analyses.related:network"
LABELS = ((1, "ball", ("object",)), (2, "box", ("object",)), (3, "floor", ("object",)))


def network() -> NetworkParts:
    """Two convolutions with a skip around the second, four outputs; seeded, with a head that decides."""
    return NetworkParts(_Skipping(), Preprocessing((SIZE, SIZE)), ("ball", "cube, box", "moon", "sun"))


def poisoned() -> NetworkParts:
    """The same with a NaN in the second convolution."""
    parts = network()
    with torch.no_grad():
        parts.module.second.weight[1, 0, 0, 0] = float("nan")
    return parts


def untraceable() -> NetworkParts:
    """The same behind a question that torch.fx cannot answer."""
    return NetworkParts(_Asking(), Preprocessing((SIZE, SIZE)), ("ball", "cube, box", "moon", "sun"))


class _Skipping(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(11)
            self.first = nn.Conv2d(3, 6, 3, stride=2, padding=1)
            self.second = nn.Conv2d(6, 6, 3, padding=1)
            self.head = nn.Linear(6, 4)
            nn.init.normal_(self.head.weight, std=2.0)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.first(x))
        y = self.second(x)
        y += x
        return self.head(self.relu(y).mean((2, 3)))


class _Asking(_Skipping):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x if x.abs().sum() >= 0 else -x)


def write_objects(root: Path, per_class: int = 6, classes_csv: bool = True) -> Path:
    """Noise pictures with a rectangle of one class each; half for ranking, half for testing; the folder."""
    random = np.random.default_rng(5)
    (root / "images").mkdir(parents=True)
    rows: list[dict[str, object]] = []
    listed = ["image,class"]
    for index in range(2 * per_class):
        number = 1 + index % 2
        file = f"{LABELS[number - 1][1]}-{index}.png"
        Image.fromarray(random.integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)).save(root / "images" / file)
        mask = np.full((GRID, GRID), 3, np.uint16)
        top, left = random.integers(0, 5, 2)
        mask[top : top + 6, left : left + 5] = number
        save_mask(root / "images" / f"object-{index}.png", mask)
        sizes = {"ih": SIZE, "iw": SIZE, "sh": GRID, "sw": GRID}
        split = "train" if index < per_class else "val"
        rows.append({"image": file, "split": split, "object": f"object-{index}.png", **sizes})
        listed.append(f"{file},{LABELS[number - 1][1]}")
    write_tables(root, rows, LABELS)
    if classes_csv:
        (root / "classes.csv").write_text("\n".join(listed) + "\n")
    return root


def asked(root: Path, **changes: object) -> RelevanceRequest:
    """A request for both classes."""
    return RelevanceRequest(**{"network": NETWORK, "dataset": str(root), **changes})  # type: ignore[arg-type]
