"""A source of networks: every weights file in a folder is one, called `small/<name of the file>`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import nn

from interpret_core.errors import NetworkError, WeightsError, unknown
from interpret_core.networks import NetworkSpec, Preprocessing, Weights
from interpret_core.networks.providers.base import Provider
from interpret_core.networks.weights import UNSTATED, file_digest

PREFIX = "small/"
FOLDER = "SMALL_NETWORKS"  # variable that names the folder of the files
CLASSES = ("cat", "dog")
INPUT = Preprocessing(size=(64, 64), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
CODE = "1"  # raise it with every change of `architecture`: it is part of what results are kept under


def architecture() -> nn.Module:
    """Two convolutions and a linear head: (N, 3, 64, 64) in, a score for each class out."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, len(CLASSES)),
    )


@dataclass(frozen=True)
class SmallSource:
    """How one of them is made.

    Attributes:
        file: its weights.
    """

    file: Path

    def weights(self, *, fetch: bool) -> Weights:
        """What the results are evidence of, and from which file; `fetch` would allow a download."""
        # Whoever knows that all of them were trained says TRAINED here: no file of tensors tells.
        return Weights(UNSTATED, f"Weights from {self.file.name}.", self.file)

    def build(self, weights: Weights) -> nn.Module:
        """A new module with the file's tensors."""
        module = architecture()
        try:
            module.load_state_dict(load_file(self.file))
        except Exception as error:
            raise WeightsError(f"{self.file} does not fit: {str(error).splitlines()[0]}") from error
        return module

    def recipe(self, weights: Weights) -> dict[str, Any]:
        """All that decides what the network computes: results are found again by it, so leave nothing out."""
        return {"builder": "small", "code": CODE, "weights": file_digest(self.file)}

    def place(self, weights: Weights) -> str:
        """For lists."""
        return f"{weights.evidence}, {self.file}"


class SmallProvider(Provider):
    """Finds them by their names."""

    def known(self) -> tuple[str, ...]:
        """Names that are listed, and that pages take."""
        return tuple(f"{PREFIX}{file.stem}" for file in sorted(_folder().glob("*.safetensors")))

    def takes(self, name: str) -> bool:
        """Whether a name is one of ours, known or not."""
        return name.startswith(PREFIX)

    def find(self, name: str, *, recent: bool = False, since: float = 0.0) -> NetworkSpec:
        """What is known of one without building it; a name is looked up, and never becomes a path."""
        if name not in self.known():
            raise NetworkError(unknown("network", name, self.known(), looked=_folder().absolute()))
        title = name.removeprefix(PREFIX)
        source = SmallSource(_folder() / f"{title}.safetensors")
        return NetworkSpec(name, title, "Two convolutions, two classes.", INPUT, CLASSES, source)


def _folder() -> Path:
    return Path(os.environ.get(FOLDER, "checkpoints"))


PROVIDER = SmallProvider()
