"""Live modules of this process: a notebook's own network, under a name that no other process can find.

What is wrapped is a copy, so that whoever owns the module may train it on: the network that is asked about
stays what it was when it was wrapped, and its name tells it from what the same module is later.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from interpret_core.errors import NetworkError
from interpret_core.networks import identity
from interpret_core.networks.examination.channels import adapted
from interpret_core.networks.objects.copies import private_copy
from interpret_core.networks.objects.description import Plain, canonical, sha
from interpret_core.networks.providers.base import Provider
from interpret_core.networks.providers.factories import checked, own_module, probe_answers
from interpret_core.networks.spec import Made, NetworkParts, NetworkSpec
from interpret_core.networks.weights import UNSTATED, Weights

PREFIX = "live/"
SHORT = 8  # digits in a name, of all that tells one copy from another
HERE_ALONE = "A live module: it is computed in this process alone and cannot be a background job."

# Weak: a network that nobody holds any more takes its name and its tensors along.
_WRAPPED: weakref.WeakValueDictionary[str, NetworkSpec] = weakref.WeakValueDictionary()


@dataclass(frozen=True, eq=False)
class LiveSource:
    """A copy of a live module, and what was known of it when it was made.

    Attributes:
        module: the copy.
        made: what it is made of, as JSON.
        head: how its outputs become probabilities, where that was stated.
        evidence, note: of its weights.
    """

    module: nn.Module
    made: Plain
    head: str | None
    evidence: str
    note: str

    def weights(self, *, fetch: bool) -> Weights:
        """Those of the copy; there is no file."""
        return Weights(self.evidence, self.note)

    def build(self, weights: Weights) -> nn.Module:
        """Another copy."""
        return private_copy(self.module).cpu()

    def recipe(self, weights: Weights) -> dict[str, Any]:
        """What it is made of, tensors included; the same as of a factory that hands the module out."""
        return {"made": self.made, "head": self.head}

    def place(self, weights: Weights) -> str:
        """In memory."""
        return f"{weights.evidence}, a live module of this process"


class LiveProvider(Provider):
    """What this process has wrapped; nothing is listed, since pages and jobs are others' processes."""

    def takes(self, name: str) -> bool:
        """By the prefix."""
        return name.startswith(PREFIX)

    def find(self, name: str, *, recent: bool = False, since: float = 0.0) -> NetworkSpec:
        """The spec made when it was wrapped."""
        spec = _WRAPPED.get(name)
        if spec is None:
            raise NetworkError(
                f"{name!r} is a live module that this process has not wrapped or no longer holds, expected "
                "one of its own: a background job or another program needs a function that returns it "
                "(package.module:factory) or a file of weights."
            )
        return spec


def wrapped(parts: NetworkParts, name: str) -> Made:
    """A live module under a name of this process, as `Network` takes it.

    Args:
        parts: the module, which is copied and left as it is, and what its owner says of it.
        name: to call it by.

    Raises:
        NetworkError: it cannot be copied, or its classes or head are none.
    """
    parts = checked(parts, name)
    module = own_module(parts, name).cpu()
    made = identity.untraced(module)
    made["tensors"] = sorted(made["tensors"])
    note = " ".join(filter(None, [parts.note or "Weights as the live module had them.", HERE_ALONE]))
    source = LiveSource(module, made, parts.head, parts.evidence or UNSTATED, note)
    answers = probe_answers(module, adapted(module, parts.preprocessing)[0], name)

    def spec_of(full: str) -> NetworkSpec:
        return NetworkSpec(
            name=full,
            title=name,
            description=f"{name}, wrapped as a live module.",
            preprocessing=parts.preprocessing,
            class_names=parts.class_names,
            source=source,
            head=parts.head,
            answers=answers,
            layers=parts.layers,
        )

    recipe = spec_of(name).recipe(source.weights(fetch=False), torch.device("cpu"))
    told = sha(canonical([recipe, source.evidence, note, list(answers)]))
    full = f"{PREFIX}{name}@{told[:SHORT]}"
    spec = _WRAPPED.setdefault(full, spec_of(full))  # of the same content: one spec, as long as one is held
    return Made(spec, source.weights(fetch=False), module)
