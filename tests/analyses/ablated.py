"""A network written out a second time, pictures with classes, planted rankings: for the ablation tests."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from interpret_core import networks
from interpret_core.analyses.ablation.plan import AblationPlan, ablation_plan
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.networks import Network, NetworkParts, Preprocessing
from interpret_core.store.records import Record
from interpret_core.store.store import Store
from tests.planted_dataset import write_tables

SIZE = 16
PLAIN = Preprocessing((SIZE, SIZE), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "nearest")
CENTRED = Preprocessing((SIZE, SIZE), (0.4, 0.4, 0.4), (0.1, 0.1, 0.1), "nearest")
NETWORK = "tests.analyses.ablated:network"
CLASSES = ("ball", "box", "moon")
OUTPUTS = ("ball", "box", "moon", "sun", "star")
# class -> images that rank, images that are evaluated: 31 of these are two batches, the second not full
SPLITS = {"ball": (6, 12), "box": (5, 10), "moon": (4, 9)}
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))

Silenced = Mapping[str, tuple[tuple[int, ...], NDArray[np.float64] | float]]


def network() -> NetworkParts:
    """Five layers, conv3 inside a residual block; seeded. Its answers differ from picture to picture."""
    return NetworkParts(_Residual(), CENTRED, OUTPUTS)


def untraceable() -> NetworkParts:
    """The same behind a question that torch.fx cannot answer, and it overwrites the images it is given."""
    return NetworkParts(_Asking(), CENTRED, OUTPUTS)


def dividing() -> NetworkParts:
    """Divides by the sum of conv2's responses: NaN once all of them are silenced, sound otherwise."""
    return NetworkParts(_Dividing(), CENTRED, OUTPUTS)


def linear() -> NetworkParts:
    """Three 1×1 convolutions without bias or activation, then the mean: exact in float32 on pure colours.

    conv1: R, G, B. conv2: R, G, B and R + G. conv3: rows of `LINEAR`. Outputs are conv3's means.
    """
    layers = [nn.Conv2d(a, b, 1, bias=False) for a, b in ((3, 3), (3, 4), (4, 3))]
    for layer, weight in zip(layers, (torch.eye(3), MIXED, LINEAR), strict=True):
        layer.weight.requires_grad_(False).copy_(weight[:, :, None, None])
    module = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return NetworkParts(module.eval(), PLAIN, CLASSES)


MIXED = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])
LINEAR = torch.tensor([[2.0, -1.0, 0.5, 0.25], [-0.5, 4.0, 1.0, 0.5], [1.0, -2.0, 0.125, 1.0]])


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.conv1 = nn.Conv2d(3, 8, 3, stride=2, padding=1)
            self.conv2 = nn.Conv2d(8, 20, 3, padding=1)
            self.bn2 = nn.BatchNorm2d(20)
            self.conv3 = nn.Conv2d(20, 20, 3, padding=1)
            self.bn3 = nn.BatchNorm2d(20)
            self.conv4 = nn.Conv2d(20, 12, 3, stride=2, padding=1)
            self.conv5 = nn.Conv2d(12, 6, 3, padding=1)
            self.fc = nn.Linear(6, 5)
            for norm in (self.bn2, self.bn3):
                nn.init.uniform_(norm.weight, 0.5, 1.5)
                nn.init.uniform_(norm.bias, -0.3, 0.3)
                nn.init.uniform_(norm.running_mean, -0.2, 0.2)
            for layer in (self.conv1, self.conv2, self.conv3, self.conv4, self.conv5):
                nn.init.kaiming_normal_(layer.weight)
            nn.init.normal_(self.fc.weight, std=1.0)
            with torch.no_grad():  # on the pictures of `write_noise`, no output wins everywhere
                self.fc.bias += torch.tensor([0.9, -1.27, 0.52, -0.21, 1.32])
                self.fc.weight *= 4
                self.fc.bias *= 4
        self.relu = nn.ReLU(inplace=True)
        self.eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.bn2(self.conv2(self.relu(self.conv1(x)))))
        y = self.bn3(self.conv3(x))
        y += x
        x = self.relu(self.conv4(self.relu(y)))
        return self.fc(self.relu(self.conv5(x)).mean((2, 3)))


class _Asking(_Residual):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.abs().sum() >= 0:
            x.mul_(0.5).mul_(2.0).sub_(0.25)
        return super().forward(x)


class _Dividing(_Residual):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.conv2(self.relu(self.conv1(x))))
        x = x / x.sum((1, 2, 3), keepdim=True)
        x = self.relu(self.conv4(self.relu(self.conv3(x))))
        return self.fc(self.relu(self.conv5(x)).mean((2, 3)))


def literal(images: torch.Tensor, silenced: Silenced | None = None) -> torch.Tensor:
    """(N, 5) outputs of `network`, every response edited by hand; nothing of the engine is used."""
    module = network().module

    def edited(name: str, response: torch.Tensor) -> torch.Tensor:
        units, value = (silenced or {}).get(name, ((), 0.0))
        response = response.clone()
        for unit in units:
            response[:, unit] = float(np.broadcast_to(value, response.shape[1])[unit])
        return response

    with torch.no_grad():
        x = edited("conv1", module.conv1(images).relu())
        x = edited("conv2", module.bn2(module.conv2(x)).relu())
        y = edited("conv3", module.bn3(module.conv3(x)))
        x = edited("conv4", module.conv4((y + x).relu()).relu())
        x = edited("conv5", module.conv5(x).relu())
        outputs: torch.Tensor = module.fc(x.mean((2, 3)))
    return outputs


def write_noise(root: Path, splits: Mapping[str, tuple[int, int]] = SPLITS) -> Path:
    """Noise in a colour of the class, image `ball-0.png` …, classes.csv, no object; the folder."""
    random = np.random.default_rng(9)
    (root / "images").mkdir(parents=True)
    rows: list[dict[str, object]] = []
    listed = ["image,class"]
    for number, (name, (rank, test)) in enumerate(splits.items()):
        for place in range(rank + test):
            noise = random.integers(0, 256, (SIZE, SIZE, 3)) // 2 + np.array(COLOURS[number % 3]) // 4
            file = f"{name}-{place}.png"
            Image.fromarray(noise.astype(np.uint8)).save(root / "images" / file)
            sizes = dict.fromkeys(("ih", "iw", "sh", "sw"), SIZE)
            split = "train" if place < rank else "val"
            rows.append({"image": file, "split": split, **sizes, "object": "1"})
            listed.append(f"{file},{name}")
    write_tables(root, rows, [(1, "whole picture", ("object",))])
    (root / "classes.csv").write_text("\n".join(listed) + "\n")
    return root


def planned(root: Path, store: Store, loaded: Network | None = None, **changes: object) -> AblationPlan:
    """The plan of a request for all classes."""
    request = AblationRequest(**{"network": NETWORK, "dataset": str(root), **changes})  # type: ignore[arg-type]
    return ablation_plan(request, store, loaded or networks.load(request.network))


def plant_relevance(plan: AblationPlan, classes: tuple[str, ...] = CLASSES) -> dict[str, NDArray[np.float32]]:
    """Put rankings into the store: class -> (n, V) what each ranking image says of every unit.

    Small whole numbers, so that many units tie, and images of a class contradict each other.
    """
    shapes = [[layer.name, layer.units, list(layer.grid)] for layer in plan.layers]
    units = sum(layer.units for layer in plan.layers)
    found = {}
    for name in classes:
        images = plan.ranking.images[name]
        random = np.random.default_rng([len(name), ord(name[0]), len(images)])
        scores = found[name] = random.integers(0, 6, (len(images), units)).astype(np.float32)
        flat = np.ones((len(images), len(shapes)))
        arrays = {
            "images": images, "relevance": scores, "mask_pixels": np.full(len(images), SIZE * SIZE),
            **dict.fromkeys(("positive", "negative", "total"), scores.mean(0)),
            "score": flat[:, 0], "predicted": flat[:, 0].astype(np.int64), "change": flat, "gap": flat * 0,
            "points": flat.astype(np.int32),
        }  # fmt: skip
        metadata = {
            "network": {"name": plan.network.name}, "dataset": {"name": plan.dataset.name}, "class": name,
            "outputs": [0], "layers": shapes, "annotation_size": [SIZE, SIZE], "tolerance": 0.05,
        }  # fmt: skip
        plan.store.put(plan.ranking.keys[name], Record(arrays, metadata))
    return found


def strongest(scores: NDArray[np.floating], k: int, direction: str = "top") -> tuple[int, ...]:
    """k units by hand: the highest (lowest) score first, of equal ones the lower unit."""
    sign = -1 if direction == "top" else 1
    return tuple(sorted(sorted(range(len(scores)), key=lambda unit: (sign * scores[unit], unit))[:k]))


def of_layer(plan: AblationPlan, name: str, values: NDArray[np.floating]) -> NDArray[np.floating]:
    """A layer's part of (…, V)."""
    names = [layer.name for layer in plan.layers]
    ends = np.cumsum([0] + [layer.units for layer in plan.layers])
    at = names.index(name)
    return values[..., ends[at] : ends[at + 1]]


def chosen(
    plan: AblationPlan, scores: NDArray[np.floating], fraction: float, direction: str = "top"
) -> dict[str, tuple[int, ...]]:
    """What scores of all layers' units (V,) select in the layers between the first and the last, by hand."""
    return {
        layer.name: strongest(
            of_layer(plan, layer.name, scores), max(1, math.floor(fraction * layer.units + 0.5)), direction
        )
        for layer in plan.layers[1:-1]
    }


def pictures(plan: AblationPlan, rows: NDArray[np.int64] | None = None) -> torch.Tensor:
    """The plan's images, or some of them, as the network takes them."""
    images = plan.images if rows is None else plan.images[rows]
    return plan.network.preprocessing.batch([plan.dataset.read_image(int(index)) for index in images])


def elsewhere(plan: AblationPlan, store: Store) -> AblationPlan:
    """The same plan with another store, which knows nothing of what was answered."""
    return replace(plan, store=store)
