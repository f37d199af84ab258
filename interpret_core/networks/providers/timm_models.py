"""timm's models, where timm is installed: `timm/<model>[.<tag>][@random | @file]`.

Pretrained weights come from the Hugging Face hub through its own client (cache, HF_HOME, HF_ENDPOINT), one
attempt per process; without them the network is random and says so, as torchvision's are.
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
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
from interpret_core.networks.weights import PATIENCE, RANDOM, TRAINED, Weights

PREFIX = "timm/"
FILE = "model.safetensors"
_RANDOM = "random"
_IMAGENET = 1000
_FAILED: dict[str, str] = {}  # repository -> why the attempt to fetch it failed


class TimmProvider(ArchitectureProvider):
    """All that timm lists; none is featured, since they are many and need an optional package."""

    def takes(self, name: str) -> bool:
        """By the prefix."""
        return name.startswith(PREFIX)

    def find(self, name: str, *, recent: bool = False, since: float = 0.0) -> NetworkSpec:
        """Remembered: it depends on timm alone."""
        return _spec(name)


@cache
def timm() -> ModuleType:
    """The package.

    Raises:
        NetworkError: it is not installed.
    """
    torchvision_ops.torchvision()  # declares what timm's import of it needs
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own old module names
            return importlib.import_module("timm")
    except ImportError as error:
        raise NetworkError(
            f"Networks of timm need the package timm, which cannot be imported ({error}). Expected it beside "
            "Unitscope: pip install timm."
        ) from error


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Every architecture that timm lists."""
    return tuple(timm().list_models())


@lru_cache(maxsize=256)
def _spec(name: str) -> NetworkSpec:
    tagged, _, member = name.removeprefix(PREFIX).partition("@")
    model = tagged.partition(".")[0]
    if not timm().is_model(model):
        raise NetworkError(unknown("network", name, [f"{PREFIX}{known}" for known in names()]))
    settings = _settings(tagged, name)
    own = file_of(member)
    if own is not None:
        source = ArchitectureSource(f"{PREFIX}{tagged}", _TimmBuilder(tagged), *own, timm().__version__)
        return spec_of(name, source, _input(settings))
    if member not in ("", _RANDOM):
        choices = [f"{PREFIX}{tagged}", f"{PREFIX}{tagged}@{_RANDOM}"]
        raise NetworkError(unknown("weights", name, choices))
    classes = int(settings.num_classes)
    return NetworkSpec(
        name=name,
        title=f"timm {tagged}" + (f" ({member})" if member else ""),
        description=f"timm's {tagged}, {classes:,} classes.",
        preprocessing=_input(settings),
        class_names=_imagenet() if classes == _IMAGENET else (),
        source=TimmSource(tagged, settings.hf_hub_id or "", random=member == _RANDOM),
    )


def _settings(tagged: str, name: str) -> Any:
    """What timm says of the weights: input, classes, where they are."""
    found = importlib.import_module("timm.models").get_pretrained_cfg(tagged)
    if found is None:
        raise NetworkError(
            f"timm knows no weights {tagged!r} for network {name!r}, expected a tag that it lists: leave the "
            "tag out, or see timm.list_pretrained()."
        )
    return found


def _input(settings: Any) -> Preprocessing:
    _, height, width = settings.input_size
    way = settings.interpolation if settings.interpolation in ("bilinear", "bicubic") else "bilinear"
    return Preprocessing((height, width), tuple(settings.mean), tuple(settings.std), way)


@cache
def _imagenet() -> tuple[str, ...]:
    """ImageNet's classes in their usual order, which is timm's as well as torchvision's."""
    weights = torchvision_ops.classifiers().get_model_weights("alexnet").DEFAULT
    return tuple(weights.meta["categories"])


@dataclass(frozen=True)
class _TimmBuilder:
    """Builds a model for a number of classes."""

    model: str

    def __call__(self, classes: int, tensors: Tensors) -> nn.Module:
        made: nn.Module = timm().create_model(self.model, pretrained=False, num_classes=classes)
        return made


@dataclass(frozen=True)
class TimmSource:
    """A model of timm.

    Attributes:
        model: its name, with the tag of its weights.
        repository: on the hub; empty where timm has no weights for it.
        random: never look for the weights.
    """

    model: str
    repository: str
    random: bool = False

    def weights(self, *, fetch: bool) -> Weights:
        """The hub's file if it is there or can be fetched, else seeded random weights and why."""
        if self.random:
            return Weights(RANDOM, f"Random weights as asked for (seed {SEED}).")
        file, reason = self._file(fetch=fetch)
        if file is None:
            return Weights(RANDOM, f"Random weights (seed {SEED}): {reason}")
        return Weights(TRAINED, f"Trained weights of {self.repository}.", file)

    def _file(self, *, fetch: bool) -> tuple[Path | None, str]:
        if not self.repository:
            return None, f"timm has no weights for {self.model}."
        hub = importlib.import_module("huggingface_hub")
        found = hub.try_to_load_from_cache(self.repository, FILE)
        if isinstance(found, str):
            return Path(found), ""
        if config.current().offline:
            return None, f"{self.repository} is not in the hub's cache, and INTERPRET_OFFLINE is set."
        if not fetch:
            return None, f"{self.repository} has not been fetched yet."
        if self.repository not in _FAILED:
            try:
                return Path(hub.hf_hub_download(self.repository, FILE, etag_timeout=PATIENCE)), ""
            except Exception as error:  # its errors are of half a dozen packages
                told = (str(error).splitlines() or [type(error).__name__])[0][:200]
                _FAILED[self.repository] = f"{self.repository} could not be fetched ({told})."
        return None, _FAILED[self.repository]

    def build(self, weights: Weights) -> nn.Module:
        """The model, with the file's tensors or seeded random ones."""
        module: nn.Module = seeded(lambda: timm().create_model(self.model, pretrained=False))
        if weights.file is not None:
            fit(module, weights.file, f"{PREFIX}{self.model}")
        return module

    def recipe(self, weights: Weights) -> dict[str, Any]:
        """Architecture, the package that builds it, and file or seed."""
        return {"builder": f"{PREFIX}{self.model}", "timm": timm().__version__, **weights_identity(weights)}

    def place(self, weights: Weights) -> str:
        """In the hub's cache, or still to come."""
        if weights.file is not None:
            return f"{weights.evidence}, on disk"
        return weights.evidence if self.random else "to download"
