"""Which network a name means: its digest, as a run found it out, and what it answered then.

A digest comes from the network itself, traced and hashed by the process that computes. Whoever only looks
for results need not build a network that comes from files: a run notes the digest under the network's recipe,
which holds all that decides it (`NetworkSpec.recipe`). What a factory makes may depend on what no recipe
holds, a setting or another file. So commands and jobs load it every time, and pages, which ask often, believe
a note only if the factory's output for the seeded probe is what it was when the note was made.

    identity/<recipe>   the digest
    network/<digest>    (and, after a dash, which modules its owner made layers: no digest says that)
                        {"layers", "further", "aliases": names (`KnownLayers`),
                         "answers": its output for the seeded probe,
                         "findings": what loading found out, a sentence each,
                         "by_name": the same by the network's name: some tell of the file it was read from,
                         "bare": that output before a file's tensors are in it, for factories, else none}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from interpret_core import networks
from interpret_core.errors import NetworkError
from interpret_core.networks import Network, NetworkSpec
from interpret_core.networks.examination.probe import agrees
from interpret_core.networks.objects.description import canonical, sha
from interpret_core.runtime.known_layers import KnownLayers
from interpret_core.store.store import Store

AUTO = "auto"
TOLD = ("layers", "further", "aliases", "findings")
NOTED = {*TOLD, "answers", "bare"}
UNKNOWN = "unknown:"  # before the recipe of a network that no run here has loaded yet


@dataclass(frozen=True)
class Subject:
    """A network whose results are asked for.

    Attributes:
        spec: what is known without building it.
        digest: everything about it is kept under; begins with UNKNOWN where nothing can have been kept yet.
        device: where it is run.
        network: the network itself, once something has to be computed.
    """

    spec: NetworkSpec
    digest: str
    device: torch.device
    network: Network | None = field(default=None, repr=False)

    @property
    def required(self) -> Network:
        """The network of a subject that is loaded."""
        if self.network is None:
            raise ValueError(f"{self.spec.name} has not been loaded.")
        return self.network

    @property
    def known(self) -> bool:
        """Whether a run here has loaded it before, or this process has."""
        return not self.digest.startswith(UNKNOWN)

    @classmethod
    def of(cls, network: Network) -> Subject:
        """The subject that a network is."""
        return cls(network.spec, network.digest, network.device, network)


def identify(
    name: str, store: Store, device: str = AUTO, *, recent: bool = False, since: float = 0.0
) -> Subject:
    """Which network a name means now; one that comes from files, or is `recent`, is not loaded for it.

    But for one whose results ship with the program, where libraries are others than those that made these.

    Args:
        name: as `networks.find` takes it.
        store: where runs note what they found out.
        device: as `networks.load` takes it; "auto" is the one that its results here were made on, so that
            they go on being comparable, and else the best there is.
        recent: as for `networks.find`; pages ask often, and compute nothing under what they are told.
        since: see `recent`.

    Raises:
        NetworkError: unknown name, missing weights, a factory that fails.
        ParameterError: a device that is not there.
    """
    if name in _lent:
        remember(_lent[name], store)
        return Subject.of(_lent[name])
    spec = networks.find(name, recent=recent, since=since)
    weights = spec.weights(fetch=not recent)
    best = networks.find_device(device)
    places = [best, torch.device("cpu")] if device == AUTO and best.type != "cpu" else [best]
    found = Subject(spec, UNKNOWN + spec.recipe(weights, best), best)
    for place in places:
        digest = store.get_json(_identity_key(spec.recipe(weights, place)))
        if isinstance(digest, str) and _answers_as_noted(spec, digest, store):
            found = Subject(spec, digest, place)
            break
    if not found.known and any(name in one.manifest.get("networks", {}) for one in store.shipped):
        # What ships was made with other versions of libraries: whether it is this network's, it alone tells.
        return loaded(found, store, fetch=False)
    return found if recent or spec.answers is None else loaded(found, store)


@contextmanager
def lent(name: str, network: Network) -> Iterator[None]:
    """A network that is loaded stands for its name in this process, for runs one after the other.

    Args:
        name: by which it was loaded.
        network: which stays in memory meanwhile, once.
    """
    before = dict(_lent)
    _lent[name] = network
    try:
        yield
    finally:
        _lent.clear()
        _lent.update(before)


_lent: dict[str, Network] = {}


def _answers_as_noted(spec: NetworkSpec, digest: str, store: Store) -> bool:
    """Whether a factory gives what it gave when its digest was noted."""
    if spec.answers is None:
        return True
    note = _noted(store, noted_as(digest, spec))
    return note is not None and agrees(note["bare"], spec.answers)


def noted_as(digest: str, spec: NetworkSpec) -> str:
    """What tells what is noted of a network from what is noted of others."""
    return f"{digest}-{sha(canonical(list(spec.layers)))[:16]}" if spec.layers else digest


def loaded(subject: Subject, store: Store, *, fetch: bool = True) -> Subject:
    """The subject with its network, built now or a moment ago; what it is is noted for those who only look.

    Args:
        subject: from `identify`.
        store: where to note it.
        fetch: allow one attempt to download missing weights.

    Returns:
        Under the digest of what was built, which is another one where something changed in between.

    Raises:
        NetworkError: as `networks.load`; or it computes something else than it did under the same digest.
    """
    if subject.network is not None:
        return subject
    network = networks.load(subject.spec.name, subject.device, fetch=fetch)
    remember(network, store)
    return Subject.of(network)


def remember(network: Network, store: Store) -> None:
    """Note what a network is; check that it computes what it computed before.

    Raises:
        NetworkError: its output for the probe is another one than under the same digest before.
    """
    name = noted_as(network.digest, network.spec)
    before = _noted(store, name)
    if before is not None and not agrees(before["answers"], network.answers):
        raise NetworkError(
            f"{network.name} gives another output than when its results were stored, though code, weights "
            "and configuration are the same; expected equal numbers within 0.01 %. Something that nobody "
            "can see from outside differs: a file or a setting that its code reads, a compiled extension, a "
            "build of torch. Bring that back, or use another INTERPRET_CACHE."
        )
    bare = list(network.spec.answers or ())
    found = {"findings": list(network.findings), "answers": network.answers, "bare": bare}
    named = {**_by_name(before), network.name: list(network.findings)}
    note = KnownLayers.of(network).note() | found | {"by_name": named}
    # Whoever cannot write can still compute and show. Lasting: results that pages cannot name are not shown.
    told = before is not None and all(before[one] == note[one] for one in TOLD)
    told = told and _by_name(before) in ({}, named)
    if before is None or not told or not agrees(before["bare"], bare):
        store.put_json(f"network/{name}", note, needed=False, lasting=True)
    if store.get_json(_identity_key(network.recipe)) != network.digest:
        store.put_json(_identity_key(network.recipe), network.digest, needed=False, lasting=True)


def layers_of(subject: Subject, store: Store) -> KnownLayers | None:
    """Names of a network's layers; None where no run has loaded it."""
    if subject.network is not None:
        return KnownLayers.of(subject.network)
    note = _noted(store, noted_as(subject.digest, subject.spec))
    return None if note is None else KnownLayers.from_note(note)


def findings_of(subject: Subject, store: Store) -> tuple[str, ...]:
    """What loading a network found out, a sentence each; nothing where no run has loaded it."""
    return findings_of_digest(subject.digest, subject.spec, store)


def findings_of_digest(digest: str, spec: NetworkSpec, store: Store) -> tuple[str, ...]:
    """The same by the digest; where it was loaded by other names only, what all of them were told."""
    note = _noted(store, noted_as(digest, spec))
    if note is None:
        return ()
    named = _by_name(note)
    if not named or spec.name in named:
        return tuple(named.get(spec.name, note["findings"]))
    first, *others = named.values()
    return tuple(one for one in first if all(one in other for other in others))


def _by_name(note: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """Name -> findings; nothing in notes of before there were several."""
    return dict(note.get("by_name", {})) if note is not None else {}


def _noted(store: Store, name: str) -> dict[str, Any] | None:
    note = store.get_json(f"network/{name}")
    return note if isinstance(note, dict) and set(note) >= NOTED else None


def _identity_key(recipe: str) -> str:
    return f"identity/{recipe}"
