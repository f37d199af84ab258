"""Which networks are known, by name, and what is known of each before it is built.

Names:
    a name from the configuration's `[networks]` table;
    `demo/<alexnet | vgg11 | resnet18>[@random]`, where the demo is shown;
    `efficientnet-lite0`;
    `torchvision/<classification model>[@<member of its weights enum> | @random]`;
    `package.module:factory[@weights.safetensors | @weights.pth]`, for the command line and the
    configuration only: pages take names out of `known()`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import nn

from interpret_core import config, demo
from interpret_core.errors import NetworkError, unknown
from interpret_core.networks.demo import TITLES, DemoSource, available, class_names
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.sources import LITE, FactorySource, LiteSource, Source, TorchvisionSource
from interpret_core.networks.torchvision_ops import models
from interpret_core.networks.weights import SUFFIXES, Weights

SCHEMA = 1  # raise when the meaning of a response changes
FEATURED = ("torchvision/alexnet", "torchvision/vgg11", "torchvision/resnet18", LITE)
_RANDOM = "random"


@dataclass(frozen=True)
class NetworkSpec:
    """What is known of a network without building it.

    Attributes:
        name: as it was asked for.
        title: for headings.
        description: one sentence.
        preprocessing: of its input.
        class_names: of its outputs, in order; empty if unknown.
        source: where module and weights come from.
    """

    name: str
    title: str
    description: str
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    source: Source

    def weights(self, *, fetch: bool = True) -> Weights:
        """Where the weights come from now.

        Args:
            fetch: allow one attempt per process to download a missing file (bounded waiting; never when the
                configuration says offline).

        Raises:
            WeightsError: the file named is missing or damaged.
        """
        return self.source.weights(fetch=fetch)

    def build(self, weights: Weights) -> nn.Module:
        """The module with these weights, eval mode, on the CPU."""
        return self.source.build(weights).eval()

    def digest(self, weights: Weights) -> str:
        """Hex digest of everything that changes a response: architecture, weights, preprocessing."""
        content = {
            "schema": SCHEMA,
            "network": self.source.identity(weights),
            "preprocessing": self.preprocessing.record(),
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def featured() -> tuple[str, ...]:
    """Names to show first: the demo's networks where it is shown and has them, then `FEATURED`."""
    return (*available(), *FEATURED)


def known() -> tuple[str, ...]:
    """Every registered name: configured, featured, then all of torchvision's classification models."""
    rest = (f"torchvision/{name}" for name in _torchvision_models())
    return tuple(dict.fromkeys((*config.current().networks, *featured(), *rest)))


def find(name: str) -> NetworkSpec:
    """The spec of a name.

    Raises:
        NetworkError: unknown; the message gives the nearest names. Or a factory that cannot be called.
        WeightsError: one of the demo's networks whose file is missing or damaged.
    """
    configured = config.current().networks
    target = configured.get(name, name)
    if target == LITE:
        spec = _lite()
    elif target.startswith(demo.PREFIX):
        spec = _demo(target)
    elif target.startswith("torchvision/"):
        spec = _torchvision(target)
    elif ":" in target:
        spec = _factory(target)
    else:
        remedy = "A network of your own is named package.module:factory[@weights.safetensors]."
        raise NetworkError(unknown("network", name, known(), remedy))
    return spec if name == target else _renamed(spec, name)


def digest(name: str, *, fetch: bool = True) -> str:
    """The digest `load(name).digest` has, without building the network where its weights are a file or
    random.

    Args:
        name: of the network.
        fetch: allow one attempt per process to download missing weights; without it the answer is that of the
            weights at hand.

    Raises:
        NetworkError: unknown name, or weights that are missing or damaged.
    """
    spec = find(name)
    if isinstance(spec.source, FactorySource) and spec.source.file is None:
        return _made_digest(spec.source, spec.preprocessing)
    return spec.digest(spec.weights(fetch=fetch))


@lru_cache(maxsize=256)
def _made_digest(source: FactorySource, preprocessing: Preprocessing) -> str:
    """A factory's own weights are only known by calling it; its code does not change within a process."""
    spec = NetworkSpec("", "", "", preprocessing, (), source)
    return spec.digest(Weights("", ""))


@lru_cache(maxsize=1)
def _torchvision_models() -> tuple[str, ...]:
    return tuple(models.list_models(module=models))


@lru_cache(maxsize=1)
def _lite() -> NetworkSpec:
    names = tuple(models.get_model_weights("alexnet").DEFAULT.meta["categories"])
    half = (0.5, 0.5, 0.5)
    return NetworkSpec(
        name=LITE,
        title="EfficientNet-Lite0",
        description="Small network for phones without squeeze-and-excitation; ImageNet weights included.",
        preprocessing=Preprocessing((224, 224), half, half, "bicubic"),
        class_names=names,
        source=LiteSource(),
    )


def _demo(name: str) -> NetworkSpec:
    """Not remembered: the class names are in the file, and reading its header takes no time."""
    model, at, member = name.removeprefix(demo.PREFIX).partition("@")
    if not demo.shown():
        remedy = "The demo is not shown here: unset INTERPRET_DEMO."
        raise NetworkError(unknown("network", name, known(), remedy))
    if model not in demo.NETWORKS:
        raise NetworkError(unknown("network", name, [f"{demo.PREFIX}{known}" for known in demo.NETWORKS]))
    if at and member != _RANDOM:
        choices = [f"{demo.PREFIX}{model}", f"{demo.PREFIX}{model}@{_RANDOM}"]
        raise NetworkError(unknown("weights", name, choices))
    names = class_names(model)
    return NetworkSpec(
        name=name,
        title=f"{TITLES[model]} (demo{', untrained' if at else ''})",
        description=f"{TITLES[model]}'s convolutional layers, for {len(names)} classes of rendered scenes.",
        preprocessing=Preprocessing(),
        class_names=names,
        source=DemoSource(model, len(names), random=bool(at)),
    )


@lru_cache(maxsize=256)
def _torchvision(name: str) -> NetworkSpec:
    model, at, member = name.removeprefix("torchvision/").partition("@")
    if model not in _torchvision_models():
        raise NetworkError(
            unknown("network", name, [f"torchvision/{known}" for known in _torchvision_models()])
        )
    enum = models.get_model_weights(model)
    if at and member not in {*enum.__members__, _RANDOM}:
        choices = [f"torchvision/{model}@{choice}" for choice in (*enum.__members__, _RANDOM)]
        raise NetworkError(unknown("weights", name, choices))
    documented = enum.DEFAULT if member in ("", _RANDOM) else enum[member]
    preset = documented.transforms()
    return NetworkSpec(
        name=name,
        title=f"torchvision {model}" + (f" ({member})" if member else ""),
        description=f"torchvision's {model}, ImageNet's {len(documented.meta['categories'])} classes.",
        preprocessing=Preprocessing(
            (preset.crop_size[0],) * 2, tuple(preset.mean), tuple(preset.std), preset.interpolation.value
        ),
        class_names=tuple(documented.meta["categories"]),
        source=TorchvisionSource(model, documented, random=member == _RANDOM),
    )


def _factory(name: str) -> NetworkSpec:
    code, at, file = name.partition("@")
    module, _, factory = code.partition(":")
    if not module or not factory or (at and not file.endswith(SUFFIXES)):
        raise NetworkError(
            f"Network {name!r} is not a factory string, expected package.module:factory or "
            f"package.module:factory@file with a file that ends in {', '.join(SUFFIXES)}: correct the name."
        )
    source = FactorySource(module, factory, Path(file).expanduser() if at else None)
    preprocessing, class_names = _factory_facts(source)
    return NetworkSpec(
        name=name,
        title=code,
        description=f"Made by {code}" + (f", weights from {Path(file).name}." if at else "."),
        preprocessing=preprocessing,
        class_names=class_names,
        source=source,
    )


@lru_cache(maxsize=256)
def _factory_facts(source: FactorySource) -> tuple[Preprocessing, tuple[str, ...]]:
    """What only the factory knows; it is called once for it, and the module thrown away."""
    parts = source.parts()
    return parts.preprocessing, tuple(parts.class_names)


def _renamed(spec: NetworkSpec, name: str) -> NetworkSpec:
    values: dict[str, Any] = {**vars(spec), "name": name, "title": name}
    return NetworkSpec(**values)
