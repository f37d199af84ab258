"""What is known of a network before it is built, and how whoever makes one says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import nn

from interpret_core.errors import NetworkError
from interpret_core.networks import torchvision_ops
from interpret_core.networks.identity import SCHEMA
from interpret_core.networks.layers.responses import RESPONSES
from interpret_core.networks.objects.description import canonical, sha
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.weights import Weights
from interpret_core.positions import ANCHORS

# Part of every recipe, and so of the digest by which results are found before a network is built. It is the
# version in which the way from a network to its recipe last changed, not the program's own: with that, each
# release would lose the demo's results and everybody's cache. Raise it where the same network gets another
# recipe and neither SCHEMA nor RESPONSES nor ANCHORS says so.
RECIPES = "0.1.0"


class Source(Protocol):
    """How a spec gets its weights and its module; code and tensors are all Unitscope's own."""

    def weights(self, *, fetch: bool) -> Weights:
        """Where the weights come from now; `fetch` allows one attempt to download them."""

    def build(self, weights: Weights) -> nn.Module:
        """A new module with these weights, in eval mode."""

    def recipe(self, weights: Weights) -> dict[str, Any]:
        """All that is known without building and decides what the network computes, as JSON."""

    def place(self, weights: Weights) -> str:
        """The weights' evidence and where they are, in words."""


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
        layers: paths of modules of it that are to be layers, beside its convolutions.
    """

    module: nn.Module
    preprocessing: Preprocessing = Preprocessing()  # noqa: RUF009  (frozen)
    class_names: tuple[str, ...] = ()
    evidence: str = ""
    note: str = ""
    head: str | None = None
    layers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if type(self.preprocessing) is not Preprocessing:
            raise NetworkError(
                f"The preprocessing is {type(self.preprocessing).__name__}, expected Preprocessing itself, "
                "whose numbers are part of every key: put what else is done into the module's forward."
            )
        object.__setattr__(self, "class_names", tuple(self.class_names))
        object.__setattr__(self, "layers", tuple(self.layers))
        for name in self.class_names:
            if isinstance(name, str) and any("\ud800" <= letter <= "\udfff" for letter in name):
                raise NetworkError(
                    f"A class is named {name!a}, which is no text (bytes read in a wrong encoding), expected "
                    "Unicode: read the names with the encoding of their file."
                )


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
        head: what its owner says of its outputs, one of `heads.HEADS`; None: found by running it.
        answers: numbers of its output for the seeded probe, where its maker may read what no recipe holds;
            None for a network that its recipe tells in full.
        layers: paths of its modules that are to be layers, beside its convolutions.
    """

    name: str
    title: str
    description: str
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    source: Source
    head: str | None = None
    answers: tuple[float | None, ...] | None = None
    layers: tuple[str, ...] = ()

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
        """A new module with these weights, in eval mode, on the CPU; Unitscope's own, also of a factory."""
        return self.source.build(weights).eval()

    def recipe(self, weights: Weights, device: torch.device) -> str:
        """Digest (hex) of all that is known of a network without running it.

        Two networks of one recipe have one digest, unless a factory reads what nobody can list (settings,
        other files, the clock); the reverse need not hold. So a page can look up what a run has found out
        about a network, if the factory's answers are those of that run (`runtime.subjects`).
        """
        content = {
            "schema": SCHEMA,
            "version": RECIPES,
            "responses": RESPONSES,
            "positions": ANCHORS,
            "made": self.source.recipe(weights),
            "preprocessing": self.preprocessing.record(),
            "outputs": list(self.class_names),
            "head": self.head,
            **({"layers": list(self.layers)} if self.layers else {}),
            "device": device.type,
            # Without the label of the build: the graph is the same, and shipped results were made by one.
            "by": [version.partition("+")[0] for version in (torch.__version__, torchvision_ops.version())],
        }
        return sha(canonical(content))

    def place(self) -> str:
        """Evidence of the weights and where they are now, in words; downloads nothing."""
        return self.source.place(self.weights(fetch=False))


@dataclass(frozen=True)
class Made:
    """A network just made: everything here comes from one call of its source.

    Attributes:
        spec: of it.
        weights: in it.
        module: Unitscope's own, in eval mode, on the CPU.
        modules: dotted names of the modules that made it.
        findings: what making it found out, a sentence each.
    """

    spec: NetworkSpec
    weights: Weights
    module: nn.Module
    modules: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
