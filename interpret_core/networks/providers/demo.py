"""The demo's networks: torchvision's convolutions, trained on ten classes of rendered scenes.

Their weights are files of the repository: half precision, BatchNorm's statistics in full, and the names of
the outputs in the file's metadata, `{"classes": "bed,bench,…"}`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from interpret_core import demo
from interpret_core.demo import NETWORKS, PREFIX
from interpret_core.errors import NetworkError, WeightsError, unknown
from interpret_core.networks.checkpoints.contents import damaged
from interpret_core.networks.checkpoints.fit import fit
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.providers.base import Provider
from interpret_core.networks.seeds import SEED, seeded, weights_identity
from interpret_core.networks.spec import NetworkSpec
from interpret_core.networks.torchvision_ops import classifiers
from interpret_core.networks.weights import RANDOM, Weights

DEMO = "demo"  # evidence
_RANDOM = "random"
TITLES = {"alexnet": "AlexNet", "vgg11": "VGG11", "resnet18": "ResNet18"}
NOTE = (
    "Trained on rendered scenes of ten classes: for learning the tool, not for conclusions about photographs."
)


def build_demo(name: str, classes: int) -> nn.Module:
    """One of the demo's networks, untrained.

    AlexNet and VGG11 keep their convolutional layers as they are; global average pooling and one linear
    layer replace their heads, which hold nine tenths of the weights. ResNet18 is torchvision's own.

    Args:
        name: alexnet, vgg11 or resnet18.
        classes: outputs.
    Raises:
        NetworkError: another name.
    """
    if name not in NETWORKS:
        raise NetworkError(unknown("demo network", name, NETWORKS))
    if name == "resnet18":
        return classifiers().resnet18(weights=None, num_classes=classes)
    features = getattr(classifiers(), name)(weights=None).features
    channels = [layer for layer in features if isinstance(layer, nn.Conv2d)][-1].out_channels
    return nn.Sequential(
        OrderedDict(
            features=features,
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            classifier=nn.Linear(channels, classes),
        )
    )


def started(name: str, classes: int) -> nn.Module:
    """A network as its training begins; draws from torch's random state.

    Weights are scaled for ReLU: AlexNet and VGG11 have no normalisation to forgive others.

    Args:
        name: alexnet, vgg11 or resnet18.
        classes: outputs.
    """
    network = build_demo(name, classes).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def weights_file(name: str) -> Path:
    """Where the weights of alexnet, vgg11 or resnet18 lie; the file need not be there."""
    return demo.WEIGHTS / f"{name}.safetensors"


def available() -> tuple[str, ...]:
    """Names of the demo's networks that can be loaded, `demo/alexnet` …; none where the demo is hidden."""
    there = NETWORKS if demo.shown() else ()
    return tuple(f"{PREFIX}{name}" for name in there if weights_file(name).is_file())


def class_names(name: str) -> tuple[str, ...]:
    """Names of a network's outputs, in their order, from its file's metadata; reads no tensor.

    Args:
        name: alexnet, vgg11 or resnet18.

    Raises:
        WeightsError: the file is missing or damaged, or does not name its classes.
    """
    file = weights_file(name)
    if not file.is_file():
        raise WeightsError(
            f"Weights file {file} of {PREFIX}{name} is missing, expected it as part of the demo: restore "
            "demo/weights from the repository, or set INTERPRET_DEMO=0 to do without the demo."
        )
    status = file.stat()
    return _class_names(file, (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino))


@lru_cache(maxsize=8)
def _class_names(file: Path, _identity: tuple[int, ...]) -> tuple[str, ...]:
    try:
        with safe_open(file, "pt") as content:
            written = (content.metadata() or {}).get("classes", "")
    except (SafetensorError, OSError) as error:
        raise damaged(file, error) from error
    names = tuple(part.strip() for part in written.split(","))
    if not all(names) or len(set(names)) != len(names):
        raise WeightsError(
            f"Weights file {file} names its classes {written!r}, expected different names separated by "
            "commas: restore demo/weights from the repository."
        )
    return names


@dataclass(frozen=True)
class DemoSource:
    """One of the demo's networks.

    Attributes:
        name: alexnet, vgg11 or resnet18.
        classes: how many outputs it has.
        random: the untrained control, as `started` makes it.
    """

    name: str
    classes: int
    random: bool = False

    def weights(self, *, fetch: bool) -> Weights:
        """The file of the repository; nothing is ever downloaded."""
        if self.random:
            note = f"Random weights as asked for (seed {SEED}): {PREFIX}{self.name} before its training."
            return Weights(RANDOM, note)
        return Weights(DEMO, NOTE, weights_file(self.name))

    def build(self, weights: Weights) -> nn.Module:
        """The module with the file's tensors in full precision, or as its training began."""
        if weights.file is None:
            return seeded(lambda: started(self.name, self.classes))
        # Without memory first: the heads that VGG11 and AlexNet lose again would take half a gigabyte.
        with torch.device("meta"):
            module = build_demo(self.name, self.classes)
        module.to_empty(device="cpu")
        fit(module, weights.file, f"{PREFIX}{self.name}")
        return module.eval()

    def recipe(self, weights: Weights) -> dict[str, Any]:
        """Architecture, number of outputs, and the file or the seed."""
        # The name is part of results that were shipped, and stays, wherever this module lies.
        recipe = {"builder": f"interpret_core.networks.demo:{self.name}", "classes": self.classes}
        return recipe | weights_identity(weights)

    def place(self, weights: Weights) -> str:
        """In the repository, or drawn."""
        return f"{weights.evidence}, on disk" if weights.file is not None else weights.evidence


class DemoProvider(Provider):
    """The demo's networks, where it is shown: `demo/<alexnet | vgg11 | resnet18>[@random]`."""

    def featured(self) -> tuple[str, ...]:
        """Those whose weights are there."""
        return available()

    def takes(self, name: str) -> bool:
        """By the prefix."""
        return name.startswith(PREFIX)

    def find(self, name: str, *, recent: bool = False, since: float = 0.0) -> NetworkSpec:
        """Built anew each time: the class names are in the header of the file."""
        model, at, member = name.removeprefix(PREFIX).partition("@")
        if not demo.shown():
            raise NetworkError(unknown("network", name, (), demo.remedy(name)))
        if model not in NETWORKS:
            raise NetworkError(unknown("network", name, [f"{PREFIX}{known}" for known in NETWORKS]))
        if at and member != _RANDOM:
            choices = [f"{PREFIX}{model}", f"{PREFIX}{model}@{_RANDOM}"]
            raise NetworkError(unknown("weights", name, choices))
        names = class_names(model)
        return NetworkSpec(
            name=name,
            title=f"{TITLES[model]} (demo{', untrained' if at else ''})",
            description=f"{TITLES[model]}'s convolutional layers, for {len(names)} classes of rendered "
            "scenes.",
            preprocessing=Preprocessing(),
            class_names=names,
            source=DemoSource(model, len(names), random=bool(at)),
        )
