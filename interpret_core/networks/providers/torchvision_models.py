"""torchvision's classification models.

`torchvision/<model>[@<member of its weights enum> | @random | @file]`: with a file, the architecture has as
many classes as the file, which is what training on other pictures leaves.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import nn

from interpret_core import config
from interpret_core.errors import NetworkError, unknown
from interpret_core.networks import torchvision_ops
from interpret_core.networks.checkpoints.contents import Tensors
from interpret_core.networks.checkpoints.fit import fit
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.providers.architectures import (
    ArchitectureProvider,
    ArchitectureSource,
    file_of,
    spec_of,
)
from interpret_core.networks.seeds import SEED, seeded, weights_identity
from interpret_core.networks.spec import NetworkSpec
from interpret_core.networks.torchvision_ops import classifiers
from interpret_core.networks.weights import (
    RANDOM,
    TRAINED,
    Fetcher,
    Weights,
    check_hash,
    hub_file,
)

LIST = Path(__file__).with_suffix(".toml")
PREFIX = "torchvision/"
_RANDOM = "random"
_AUXILIARY = frozenset({"googlenet", "inception_v3"})
SHIFTED = (
    "Taken for granted: {model} shifts its input (transform_input=True), as it does with torchvision’s own "
    "weights, from which training begins as a rule. No file says so: if yours were trained without it, name "
    "a factory that builds it with transform_input=False."
)
_FETCHER = Fetcher()


class TorchvisionProvider(ArchitectureProvider):
    """All of torchvision's classification models."""

    def featured(self) -> tuple[str, ...]:
        """The paper's."""
        return tuple(f"{PREFIX}{name}" for name in ("alexnet", "vgg11", "resnet18"))

    def known(self) -> tuple[str, ...]:
        """Every one."""
        return tuple(f"{PREFIX}{name}" for name in _models())

    def takes(self, name: str) -> bool:
        """By the prefix."""
        return name.startswith(PREFIX)

    def find(self, name: str, *, recent: bool = False, since: float = 0.0) -> NetworkSpec:
        """Remembered: it depends on torchvision alone."""
        return _spec(name)


@lru_cache(maxsize=1)
def _models() -> tuple[str, ...]:
    """Their names: for the version that the list beside this file is of, without importing torchvision."""
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))
    if torchvision_ops.version().partition("+")[0] == listed["version"]:
        return tuple(listed["names"])
    return tuple(classifiers().list_models(module=classifiers()))


@lru_cache(maxsize=256)
def _spec(name: str) -> NetworkSpec:
    model, at, member = name.removeprefix(PREFIX).partition("@")
    if model not in _models():
        raise NetworkError(unknown("network", name, [f"torchvision/{known}" for known in _models()]))
    enum = classifiers().get_model_weights(model)
    own = file_of(member)
    if own is not None:
        assumed = SHIFTED.format(model=model) if model in _AUXILIARY else ""
        source = ArchitectureSource(f"{PREFIX}{model}", _TorchvisionBuilder(model), *own, assumed=assumed)
        return spec_of(name, source, _preprocessing(enum.DEFAULT))
    if at and member not in {*enum.__members__, _RANDOM}:
        choices = [f"torchvision/{model}@{choice}" for choice in (*enum.__members__, _RANDOM)]
        raise NetworkError(unknown("weights", name, choices))
    documented = enum.DEFAULT if member in ("", _RANDOM) else enum[member]
    return NetworkSpec(
        name=name,
        title=f"torchvision {model}" + (f" ({member})" if member else ""),
        description=f"torchvision's {model}, ImageNet's {len(documented.meta['categories'])} classes.",
        preprocessing=_preprocessing(documented),
        class_names=tuple(documented.meta["categories"]),
        source=TorchvisionSource(model, documented, random=member == _RANDOM),
    )


def _preprocessing(documented: Any) -> Preprocessing:
    """What the documentation of some weights says."""
    preset = documented.transforms()
    return Preprocessing(
        (preset.crop_size[0],) * 2, tuple(preset.mean), tuple(preset.std), preset.interpolation.value
    )


@dataclass(frozen=True)
class _TorchvisionBuilder:
    """Builds a model for a number of classes, with auxiliary heads where the file has them.

    GoogLeNet and Inception shift their input as they do with torchvision's own weights (`SHIFTED`).
    """

    model: str

    def __call__(self, classes: int, tensors: Tensors) -> nn.Module:
        options: dict[str, Any] = {"num_classes": classes}
        if self.model in _AUXILIARY:
            there = any("aux" in name.lower() for name in tensors)
            options |= {"init_weights": False, "transform_input": True, "aux_logits": there}
        return classifiers().get_model(self.model, weights=None, **options)


@dataclass(frozen=True)
class TorchvisionSource:
    """A classification model of torchvision.

    Attributes:
        model: its name in torchvision's registry.
        member: of its weights enum; says how the model is built, whatever its weights.
        random: never look for the weights.
    """

    model: str
    member: Any
    random: bool = False

    def weights(self, *, fetch: bool) -> Weights:
        """Torch hub's file if it is there or can be fetched, else seeded random weights and why."""
        if self.random:
            return Weights(RANDOM, f"Random weights as asked for (seed {SEED}).")
        url = self.member.url
        file = hub_file(url)
        if not file.is_file():
            reason = self._unreachable(url, file, fetch=fetch)
            if reason:
                note = (
                    f"Random weights (seed {SEED}): {file.name} could not be fetched ({reason}). "
                    f"Put the file at {file} to use the trained network."
                )
                return Weights(RANDOM, note)
        check_hash(file)
        return Weights(TRAINED, f"Trained on ImageNet, torchvision's {self.member.name}.", file)

    def _unreachable(self, url: str, file: Path, *, fetch: bool) -> str:
        if config.current().offline:
            return f"{url}: INTERPRET_OFFLINE is set"
        if fetch:
            return _FETCHER.fetch(url, file)
        return _FETCHER.failure(url) or f"{url}: not tried yet"

    def build(self, weights: Weights) -> nn.Module:
        """The model as its weights' documentation says, with the file's tensors or seeded random ones."""
        module = seeded(lambda: classifiers().get_model(self.model, weights=None, **self._options()))
        if weights.file is not None:
            fit(module, weights.file, f"torchvision/{self.model}", renamed=_modern_name)
        return module

    def _options(self) -> dict[str, Any]:
        """What torchvision itself sets when it builds a model for pretrained weights."""
        options: dict[str, Any] = {"num_classes": len(self.member.meta["categories"])}
        if self.model in _AUXILIARY:
            options |= {"init_weights": False, "transform_input": True, "aux_logits": True}
        if self.model.startswith("vit_"):
            options["image_size"] = self.member.transforms().crop_size[0]
        return options

    def recipe(self, weights: Weights) -> dict[str, Any]:
        """Trained: architecture and file. Random: all that decides the numbers drawn."""
        recipe = {"builder": f"torchvision.models:{self.model}", "options": self._options()}
        return recipe | weights_identity(weights)

    def place(self, weights: Weights) -> str:
        """In torch hub's folder, or still to come."""
        if weights.file is not None:
            return f"{weights.evidence}, on disk"
        return weights.evidence if self.random else "to download"


def _modern_name(key: str) -> str:
    """DenseNet's old files say `denselayer1.norm.1.weight` for the module's `denselayer1.norm1.weight`."""
    return re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)", r"\1\2", key)
