"""The networks and data sets of this installation, registered ones and those that only results speak of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from interpret_core import demo
from interpret_core.datasets import Dataset
from interpret_core.datasets.classes import lists_classes
from interpret_core.errors import UnitscopeError
from interpret_core.runtime.subjects import layers_of
from ui.session import relevances, results
from ui.session.inventory.contents import Holding, holdings
from ui.session.memory import once
from ui.session.relevances import Wanted
from ui.session.stored import store
from ui.shell.sidebar import Ask


class Stored(NamedTuple):
    """Results of a kind: of which network on which data set (digests), how many, their bytes, the latest."""

    kind: str
    network: str
    dataset: str
    entries: int
    bytes: int
    written: float


class KnownSubject(NamedTuple):
    """A network or a data set.

    Attributes:
        name: as it is registered, or as it was when a result was made.
        digest: hex; empty where nobody has computed it.
        registered: whether the name still means this.
        words: what it is: evidence, or why it cannot be opened; plain text.
        first, second: layers and classes of a network, images and concepts of a data set; None if not known.
        stored: its results.
    """

    name: str
    digest: str
    registered: bool
    words: str
    first: int | None
    second: int | None
    stored: tuple[Stored, ...]

    @property
    def bytes(self) -> int:
        """Of all its results."""
        return sum(one.bytes for one in self.stored)

    @property
    def written(self) -> float:
        """When the latest was made; 0 for none."""
        return max((one.written for one in self.stored), default=0.0)


@once
def networks(selected: str | None) -> list[KnownSubject]:
    """Those that Home lists, those with results, and those that are gone and left some.

    Args:
        selected: the present one, which is listed whatever it is.

    Raises:
        StoreError: the cache cannot be read.
    """
    of = _stored((one.whose.network, one) for one in holdings())
    told = {one.whose.network: one.whose.network_name for one in holdings() if one.whose.network}
    known = set(results.network_names())
    names = dict.fromkeys(
        (*results.shown_networks(selected), *(name for name in told.values() if name in known))
    )
    found = [_network(name, of) for name in names]
    return found + _gone(found, told, of)


def _network(name: str, of: dict[str, tuple[Stored, ...]]) -> KnownSubject:
    try:
        subject, card = results.subject(name), results.card(name)
        layers = layers_of(subject, store())
    except UnitscopeError as error:
        return KnownSubject(name, "", True, str(error), None, None, ())
    digest = subject.digest if subject.known else ""
    counted = len(layers.usual) if layers is not None else None
    return KnownSubject(
        name, digest, True, card.evidence, counted, len(subject.spec.class_names) or None, of.get(digest, ())
    )


@once
def datasets() -> list[KnownSubject]:
    """Those that are registered, and those that are gone and left results.

    Raises:
        StoreError: the cache cannot be read.
    """
    of = _stored((one.whose.dataset, one) for one in holdings())
    told = {one.whose.dataset: one.whose.dataset_name for one in holdings() if one.whose.dataset}
    found = [_dataset(name, name in told.values(), of) for name in results.dataset_names()]
    return found + _gone(found, told, of)


def _dataset(name: str, read: bool, of: dict[str, tuple[Stored, ...]]) -> KnownSubject:
    """Of a data set that nothing was computed on, the digest would take reading every file: without."""
    try:
        opened = results.dataset(name)
        digest = opened.digest if read or name == demo.NAME else ""
        concepts = len(opened.concepts().concepts) if opened.annotated else 0
    except UnitscopeError as error:
        return KnownSubject(name, "", True, str(error), None, None, ())
    return KnownSubject(name, digest, True, words_of(opened), len(opened), concepts, of.get(digest, ()))


def words_of(dataset: Dataset) -> str:
    """What somebody has said of its images."""
    if dataset.annotated:
        return "annotated"
    return f"{'images with classes' if lists_classes(dataset) else 'images'}, without annotations"


def _gone(
    found: Iterable[KnownSubject], told: dict[str, str], of: dict[str, tuple[Stored, ...]]
) -> list[KnownSubject]:
    """Those whose digest no registered name has any more."""
    digests = {one.digest for one in found}
    words = "changed since, or not registered any more"
    return [
        KnownSubject(name, digest, False, words, None, None, of[digest])
        for digest, name in sorted(told.items(), key=lambda item: item[1])
        if digest not in digests
    ]


def _stored(pairs: Iterable[tuple[str, Holding]]) -> dict[str, tuple[Stored, ...]]:
    """By digest, its results by kind and by what they are on or of."""
    found: dict[str, dict[tuple[str, str, str], list[Holding]]] = defaultdict(lambda: defaultdict(list))
    for digest, one in pairs:
        if digest and one.record:
            found[digest][one.entry.kind, one.whose.network, one.whose.dataset].append(one)
    return {
        digest: tuple(
            Stored(
                *names,
                len(some),
                sum(one.entry.bytes for one in some),
                max(one.entry.written for one in some),
            )
            for names, some in sorted(kinds.items())
        )
        for digest, kinds in found.items()
    }


@once
def missing(network: str, dataset: str, min_images: int) -> list[str]:
    """What of a network on a data set is not there, a few words each; nothing where all is.

    Raises:
        UserError: one of them cannot be opened.
    """
    ask = Ask(network, dataset, min_images)
    found = []
    layers = results.layers(ask) if results.ready(ask) else None
    if layers is None:
        found.append("what its units detect")
    else:
        found += [] if layers.chance else ["chance levels"]
        found += [] if layers.assessed else ["what units respond to"]
    classes = relevances.computed(Wanted(network, dataset))
    if classes is not None and classes[0] < classes[1]:
        there, every = classes
        found.append("relevance" if not there else f"relevance of {every - there} of {every} classes")
    return found
