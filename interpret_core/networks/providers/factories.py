"""Networks of a user's own: `package.module:factory[@weights]`.

What a factory returns is only known by calling it: its code, what it reads and the live module it may hand
out can all change from one call to the next. So every load calls it anew, on a copy of what it returns, and
whoever only wants to know (a page, many times a minute) looks again when the code changed, and otherwise
after twenty times as long as looking takes.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from interpret_core.errors import NetworkError, WeightsError, unknown
from interpret_core.network_tables import HEADS
from interpret_core.networks import identity, torchvision_ops
from interpret_core.networks.arithmetic import plain_arithmetic
from interpret_core.networks.checkpoints.contents import SUFFIXES
from interpret_core.networks.checkpoints.fit import fit
from interpret_core.networks.examination.channels import adapted
from interpret_core.networks.examination.probe import probe_images, sample
from interpret_core.networks.graph.preparation import refuse_unreadable
from interpret_core.networks.objects import code
from interpret_core.networks.objects.copies import initialised, private_copy, unwrapped
from interpret_core.networks.objects.description import Plain, canonical, named_tensors, sha, tensor_digest
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.providers.base import Provider, unchanged
from interpret_core.networks.seeds import SEED, seeded, seeded_call, weights_identity
from interpret_core.networks.spec import Made, NetworkParts, NetworkSpec
from interpret_core.networks.weights import (
    RANDOM,
    TRAINED,
    UNSTATED,
    Weights,
)

PATIENCE = 20  # times as long as a look takes: looking costs a twentieth of the time at most
OTHER_SEED = SEED + 1


@dataclass(frozen=True)
class Facts:
    """What a factory said when it was last called.

    Attributes:
        preprocessing, class_names, head: of the network; the head is None where it is not stated.
        layers: paths of its modules that are to be layers.
        evidence, note: of its weights.
        made: what it is made of, as JSON: tree of modules, code, versions, and tensors that no file gives.
        answers: numbers of its output for the seeded probe, before a file's tensors are in it; empty where it
            cannot be run. Whatever it reads besides what `made` holds (a setting, another file) shows here.
    """

    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    head: str | None
    evidence: str
    note: str
    made: Plain
    answers: tuple[float | None, ...] = ()
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class FactorySource:
    """`package.module:factory[@weights[#part]]`: a function without arguments that returns the network.

    Attributes:
        module: dotted module name.
        factory: name of the function in it.
        file: weights to load on top; None leaves what the factory made.
        part: keys of the part of the file to take; empty: the one that fits.
    """

    module: str
    factory: str
    file: Path | None = None
    part: str = ""

    @property
    def name(self) -> str:
        """`package.module:factory`."""
        return f"{self.module}:{self.factory}"

    @property
    def part_words(self) -> str:
        """Which part of the file was asked for, as the end of its name; empty for none."""
        return f", part {self.part}" if self.part else ""

    def parts(self, seed: int = SEED) -> NetworkParts:
        """What the factory returns, random numbers seeded; the module is the factory's own.

        Raises:
            NetworkError: it cannot be imported, fails, or returns something else.
        """
        made = seeded_call(self.function(), self.name, seed)
        parts = NetworkParts(made) if isinstance(made, nn.Module) else made
        if not isinstance(parts, NetworkParts) or not isinstance(parts.module, nn.Module):
            raise NetworkError(
                f"{self.name} returned {type(made).__name__}, expected a torch.nn.Module or "
                "interpret_core.networks.NetworkParts."
            )
        return checked(parts, self.name)

    def make(self) -> tuple[NetworkParts, Facts, str]:
        """Call the factory: a network that is Unitscope's own, with the file's tensors, and what was said.

        Returns:
            The network; what the factory says; which part of the file was taken, as a sentence or empty.

        Raises:
            NetworkError: see `parts`; weights of another architecture; a lazy module that cannot be run.
            CodeChangedError: the code on disk is not what this process imported.
        """
        parts, facts = self._called()
        taken = fit(parts.module, self.file, self.name, self.part) if self.file is not None else ""
        return parts, facts, taken

    def _called(self) -> tuple[NetworkParts, Facts]:
        """The same before the file's tensors are in it."""
        parts = self.parts()
        module = own_module(parts, self.name)
        facts = self._facts(parts, module)
        return replace(parts, module=module, evidence=facts.evidence, note=facts.note), facts

    def facts(self, *, recent: bool = False, since: float = 0.0) -> Facts:
        """What the factory says.

        Args:
            recent: an answer of a moment ago will do, as long as the code is the same.
            since: seconds since the epoch; an answer from before is too old in any case.
        """
        kept = _RECENT.get(self)
        if not recent or kept is None or not kept.holds(since):
            start, begun = time.perf_counter(), time.time()
            facts = self._called()[1]
            kept = _RECENT[self] = _KeptFacts(facts, begun, time.perf_counter() - start)
        return kept.facts

    def _facts(self, parts: NetworkParts, module: nn.Module) -> Facts:
        made = identity.untraced(module, [self.module])
        tensors = dict(made.pop("tensors"))
        given = set(module.state_dict()) if self.file is not None else set()
        made["tensors"] = sorted([name, one] for name, one in tensors.items() if name not in given)
        evidence, note = self._evidence(parts, made)
        answers = probe_answers(module, adapted(module, parts.preprocessing)[0], self.name)
        about = parts.preprocessing, parts.class_names, parts.head
        return Facts(*about, evidence, note, made, answers, parts.layers)

    def _evidence(self, parts: NetworkParts, made: Plain) -> tuple[str, str]:
        if self.file is not None:
            return parts.evidence or TRAINED, parts.note or f"Weights from {self.file.name}{self.part_words}."
        if parts.evidence:
            return parts.evidence, parts.note or f"Weights as {self.name} makes them."
        drawn = _drawn_share(self, sha(canonical(made)))
        if drawn >= 0.5:
            note = f"{self.name} draws its weights at random: another seed gives others."
            return RANDOM, parts.note or note
        note = f"Weights as {self.name} makes them; it does not say what they were trained on."
        if drawn:
            note += f" {drawn:.0%} of them are drawn at random."
        return UNSTATED, parts.note or note

    def function(self) -> Callable[[], Any]:
        """The function itself, its module imported.

        Raises:
            NetworkError: no such module, or no such function in it.
            CodeChangedError: the code on disk is not what this process imported.
        """
        torchvision_ops.declare()  # the module may import it
        try:
            module = importlib.import_module(self.module)
        except (Exception, SystemExit) as error:  # importing runs the user's own code
            raise NetworkError(
                f"Module {self.module!r} cannot be imported ({type(error).__name__}: {error}), expected "
                "package.module:factory with the module on the Python path."
            ) from error
        # Noted before it is called, so that a change from here on is seen.
        code.check_unchanged(code.sources([self.module]))
        function = getattr(module, self.factory, None)
        if not callable(function):
            names = [name for name, value in vars(module).items() if callable(value) and name[0] != "_"]
            raise NetworkError(unknown(f"factory in {self.module}", self.factory, names))
        return function


@dataclass(frozen=True)
class _KeptFacts:
    """An answer of a factory.

    Attributes:
        facts: the answer.
        begun: when it was asked, seconds since the epoch.
        seconds: how long it took.
    """

    facts: Facts
    begun: float
    seconds: float

    def holds(self, since: float) -> bool:
        """Whether nothing is known to have changed, and it is not too long ago."""
        if self.begun <= since or time.time() - self.begun > PATIENCE * self.seconds:
            return False
        names = [name for name, _ in self.facts.made["code"]]
        return sorted(map(list, code.digests(names).items())) == self.facts.made["code"]


_RECENT: dict[FactorySource, _KeptFacts] = {}  # the last answer of each factory that a page asked


@lru_cache(maxsize=256)
def _drawn_share(source: FactorySource, made: str) -> float:
    """Share of a network's weights that another seed changes; `made` stands for what it was made of."""
    first, other = source.parts().module, source.parts(OTHER_SEED).module
    if first is other:  # a live module: whoever trains it knows what its weights are
        return 0.0
    before, after = named_tensors(first), named_tensors(other)
    weights = {name: one for name, one in before.items() if one.ndim > 1 and name in after}
    drawn = sum(one.numel() for name, one in weights.items() if not _equal(one, after[name]))
    return drawn / max(1, sum(one.numel() for one in weights.values()))


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and tensor_digest(one) == tensor_digest(other)


@dataclass(frozen=True)
class CalledFactory:
    """A factory and what it said: the source of a spec.

    Attributes:
        factory: to call.
        facts: what it said.
    """

    factory: FactorySource
    facts: Facts

    def weights(self, *, fetch: bool) -> Weights:
        """The file, or what the factory says of the weights it made; nothing is ever downloaded.

        Raises:
            WeightsError: the file is missing.
        """
        file = self.factory.file
        if file is not None and not file.is_file():
            raise WeightsError(f"Weights file {file} does not exist: check the path after '@'.")
        return Weights(self.facts.evidence, self.facts.note, file)

    def build(self, weights: Weights) -> nn.Module:
        """A network that is Unitscope's own, from another call."""
        return self.factory.make()[0].module

    def recipe(self, weights: Weights) -> dict[str, Any]:
        """What it is made of. What it computes may depend on more: `Facts.answers` tell, and a load."""
        file = weights_identity(weights) if weights.file is not None else {}
        part = {"part": self.factory.part} if self.factory.part else {}
        return {"made": self.facts.made, "head": self.facts.head, **file, **part}

    def place(self, weights: Weights) -> str:
        """In a file of the user's, or nowhere but in the factory."""
        where = "on disk" if weights.file is not None else "made by the factory"
        return f"{weights.evidence}, {where}"


class FactoryProvider(Provider):
    """Factories by their names, for the command line and the configuration only; nothing is listed."""

    def takes(self, name: str) -> bool:
        """By the colon; asked after all others."""
        return ":" in name

    def find(self, name: str, *, recent: bool = False, since: float = 0.0) -> NetworkSpec:
        """What it says when it is called, or said a moment ago."""
        source = source_of(name)
        return _spec(name, source, source.facts(recent=recent, since=since))

    def make(self, name: str, *, fetch: bool = True) -> Made:
        """From one call: the factory is called anew."""
        source = source_of(name)
        with unchanged(source.file):
            parts, facts, taken = source.make()
        spec = _spec(name, source, facts)
        findings = (taken,) if taken else ()
        return Made(spec, spec.weights(), parts.module, (source.module,), findings)


def checked(parts: NetworkParts, name: str) -> NetworkParts:
    """What somebody says of a network, its names as a tuple of texts.

    Raises:
        NetworkError: a class that is no text, or a head that is none.
    """
    names = tuple(parts.class_names)
    wrong = next((one for one in names if not isinstance(one, str)), None)
    if wrong is not None:
        raise NetworkError(f"{name} names a class {wrong!r}, expected texts: write str(…) around it.")
    if parts.head is not None and parts.head not in HEADS:
        raise NetworkError(f"{name}: {unknown('head', parts.head, HEADS)}")
    return replace(parts, class_names=names)


def own_module(parts: NetworkParts, name: str) -> nn.Module:
    """A copy of somebody's module that is Unitscope's own, in eval mode; lazy parts have their shapes.

    Raises:
        NetworkError: it cannot be copied, or a lazy one cannot be run.
    """
    refuse_unreadable(parts.module, name)
    copied, taken = private_copy(unwrapped(parts.module)), parts.preprocessing
    return seeded(lambda: initialised(copied, (taken.channels, *taken.size), name))


def probe_answers(module: nn.Module, preprocessing: Preprocessing, name: str) -> tuple[float | None, ...]:
    """See `Facts.answers`; from a copy, for a run may leave something behind."""
    copied, images = private_copy(module), probe_images(preprocessing.size, preprocessing.channels)
    with torch.no_grad(), plain_arithmetic(), contextlib.suppress(NetworkError):
        output = seeded_call(lambda: copied(images), name, SEED)
        if isinstance(output, torch.Tensor):
            return tuple(sample(output))
    return ()  # loading it says what is wrong


def source_of(name: str, kind: str = "Network") -> FactorySource:
    """The factory of a name.

    Args:
        name: `package.module:factory[@weights[#part]]`.
        kind: what it makes, for the message.

    Raises:
        NetworkError: the name is none of a factory.
    """
    code, at, file = name.partition("@")
    module, _, factory = code.partition(":")
    path, part = (file, "") if file.endswith(SUFFIXES) else _parted(file)
    if not module or not factory or (at and not path.endswith(SUFFIXES)):
        raise NetworkError(
            f"{kind} {name!r} is not a factory string, expected package.module:factory or "
            f"package.module:factory@file with a file that ends in {', '.join(SUFFIXES)}: correct the name."
        )
    return FactorySource(module, factory, Path(path).expanduser() if at else None, part)


def _parted(file: str) -> tuple[str, str]:
    """A file and, after the last #, a part of it."""
    path, _, part = file.rpartition("#")
    return path, part


def _spec(name: str, source: FactorySource, facts: Facts) -> NetworkSpec:
    weights = f", weights from {source.file.name}{source.part_words}." if source.file is not None else "."
    return NetworkSpec(
        name=name,
        title=source.name,
        description=f"Made by {source.name}{weights}",
        preprocessing=facts.preprocessing,
        class_names=facts.class_names,
        source=CalledFactory(source, facts),
        head=facts.head,
        answers=facts.answers,
        layers=facts.layers,
    )
