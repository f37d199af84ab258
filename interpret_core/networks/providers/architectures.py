"""A known architecture with weights of one's own: `torchvision/resnet18@file`, `timm/convnext_tiny@file`.

How many classes it has is read off the file: training on other classes changes the last layer and nothing
else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from interpret_core.errors import WeightsError
from interpret_core.networks.checkpoints.contents import SUFFIXES, Tensors, parts_of
from interpret_core.networks.checkpoints.fit import fit
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.providers.base import Provider, unchanged
from interpret_core.networks.seeds import seeded, weights_identity
from interpret_core.networks.spec import Made, NetworkSpec
from interpret_core.networks.weights import TRAINED, Weights

CLASSES = 1000  # of the architecture as it is documented

Build = Callable[[int, Tensors], nn.Module]


def file_of(member: str) -> tuple[Path, str] | None:
    """The weights file that stands after a network's own name, and a part of it; None where none does."""
    path, mark, part = member.rpartition("#")
    if not mark or not path.endswith(SUFFIXES):
        path, part = member, ""
    return (Path(path).expanduser(), part) if path.endswith(SUFFIXES) else None


@dataclass(frozen=True)
class ArchitectureSource:
    """An architecture and a file.

    Attributes:
        name: of the architecture: "torchvision/resnet18".
        build_for: a module for a number of classes; the file's tensors tell what else it has.
        file, part: the weights.
        version: of the package that builds it, where no recipe holds it otherwise.
        assumed: what no file tells and was taken for granted, a sentence; or empty.
    """

    name: str
    build_for: Build
    file: Path
    part: str = ""
    version: str = ""
    assumed: str = ""

    def weights(self, *, fetch: bool) -> Weights:
        """The file.

        Raises:
            WeightsError: it is missing.
        """
        if not self.file.is_file():
            raise WeightsError(f"Weights file {self.file} does not exist: check the path after '@'.")
        part = f" ({self.part})" if self.part else ""
        return Weights(TRAINED, f"Weights from {self.file.name}{part}.", self.file)

    def build(self, weights: Weights) -> nn.Module:
        """The module with the file's tensors."""
        return self.made()[0]

    def made(self) -> tuple[nn.Module, str]:
        """The module, and which part of the file was taken, as a sentence or empty."""
        parts = parts_of(self.file)
        tensors = {name: one for part in parts.values() for name, one in part.items()}
        module = seeded(lambda: self.build_for(self._classes(tensors), tensors))
        return module.eval(), fit(module, self.file, self.name, self.part)

    def _classes(self, tensors: Tensors) -> int:
        name, shape = _last(self.name, self.build_for)
        for key, one in tensors.items():
            if f".{key}".endswith(f".{name}") and tuple(one.shape[1:]) == shape[1:] and len(one):
                return int(one.shape[0])
        return CLASSES

    def recipe(self, weights: Weights) -> dict[str, Any]:
        """Architecture and file."""
        more = {"part": self.part, "version": self.version}
        return {"builder": self.name, **weights_identity(weights)} | {
            k: one for k, one in more.items() if one
        }

    def place(self, weights: Weights) -> str:
        """In a file of the user's."""
        return f"{weights.evidence}, on disk"


@lru_cache(maxsize=64)
def _last(name: str, build_for: Build) -> tuple[str, tuple[int, ...]]:
    """Name and shape of the weight whose rows are the classes."""
    state = seeded(lambda: build_for(CLASSES, {})).state_dict()
    rows = [(key, tuple(one.shape)) for key, one in state.items() if _has_rows(one)]
    if not rows:
        raise WeightsError(f"{name} has no layer with a row per class: name it by a factory of your own.")
    return rows[-1]


def _has_rows(tensor: Tensor) -> bool:
    return tensor.ndim > 1 and tensor.shape[0] == CLASSES


def spec_of(name: str, source: ArchitectureSource, preprocessing: Preprocessing) -> NetworkSpec:
    """Its spec; what its classes are called is for the configuration to say."""
    part = f", {source.part}" if source.part else ""
    return NetworkSpec(
        name=name,
        title=f"{source.name.replace('/', ' ')} ({source.file.name}{part})",
        description=f"{source.name} with weights from {source.file.name}.",
        preprocessing=preprocessing,
        class_names=(),
        source=source,
    )


class ArchitectureProvider(Provider):
    """A provider of architectures, which take the user's weights, too."""

    def make(self, name: str, *, fetch: bool = True) -> Made:
        """With a file of the user's, what was taken of it is said."""
        spec = self.find(name)
        source = spec.source
        if not isinstance(source, ArchitectureSource):
            return super().make(name, fetch=fetch)
        weights = source.weights(fetch=False)
        with unchanged(source.file):
            module, taken = source.made()
        return Made(spec, weights, module, findings=tuple(filter(None, (taken, source.assumed))))
