"""What a relevance request amounts to: classes, images and keys, known without computing anything."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interpret_core import datasets
from interpret_core.analyses.base import Cost
from interpret_core.analyses.relevance.keys import relevance_key
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.classes.known import ClassPlan, KnownClass, class_plan
from interpret_core.datasets import Dataset
from interpret_core.errors import DatasetError
from interpret_core.files import name_bytes
from interpret_core.networks import NetworkSpec
from interpret_core.networks.layers.layer import Sort
from interpret_core.options import ALL
from interpret_core.runtime.known_layers import KnownLayers
from interpret_core.runtime.names import NamesNow
from interpret_core.runtime.subjects import Subject, identify, layers_of
from interpret_core.runtime.survey import known_survey
from interpret_core.store.records import Record
from interpret_core.store.store import Store

UNUSABLE = "unusable/"  # before the keys of notes about classes without an image that can be used


@dataclass(frozen=True, eq=False)
class RelevancePlan:
    """What a request asks for, in full.

    Attributes:
        request, dataset, spec: as asked.
        network_digest: of the network; nothing is kept under that of one which no run has loaded yet.
        class_plan: every class of the data set, also those not asked for.
        classes: those asked for that have an image in the split, in alphabetical order.
        without_image: names of those asked for that have none.
        images: class -> (n,) indices of the images it is computed on.
        keys: class -> key of its relevance.
        layers: names of the layers asked for; empty for all convolutions, and for a network whose layers no
            run has listed yet.
    """

    request: RelevanceRequest
    dataset: Dataset
    spec: NetworkSpec
    network_digest: str
    class_plan: ClassPlan
    classes: tuple[KnownClass, ...]
    without_image: tuple[str, ...]
    images: Mapping[str, NDArray[np.int64]]
    keys: Mapping[str, str]
    layers: tuple[str, ...] = ()

    def require(self) -> None:
        """Whether any class has an image.

        Raises:
            DatasetError: none has.
        """
        if not self.classes:
            raise DatasetError(
                f"No image of {', '.join(self.without_image)} is in split {self.request.split!r} of "
                f"{self.dataset.name}, expected at least one: choose another split, or all."
            )

    def find(self, store: Store) -> dict[str, ClassRelevance]:
        """The classes whose relevance is in the store, by name."""
        found = {one.name: store.get(self.keys[one.name]) for one in self.classes}
        return {name: self.named(record, store) for name, record in found.items() if record is not None}

    def named(self, record: Record, store: Store) -> ClassRelevance:
        """A record in today's words."""
        return ClassRelevance(record.arrays, self.names(store).told(record.metadata))

    def names(self, store: Store) -> NamesNow:
        """What is told of network and data set: the same content may have borne other names."""
        asked = self.request.network, self.dataset.name
        return NamesNow.of(asked, self.spec, self.network_digest, store)

    def missing(self, store: Store) -> tuple[str, ...]:
        """Names of the classes that have to be computed."""
        there = store.present(list(self.keys.values()))
        absent = [one.name for one in self.classes if self.keys[one.name] not in there]
        unusable = self._unusable(store) if absent else {}
        return tuple(name for name in absent if name not in unusable)

    def unusable(self, store: Store, name: str) -> str | None:
        """Why no image of a class can be used (unreadable, or without its object); None as far as known."""
        found = store.get_json(self._unusable_key(name))
        return found if isinstance(found, str) else None

    def note_unusable(self, store: Store, name: str, why: str) -> None:
        """Keep in mind that no image of a class can be used, so that nobody tries again."""
        store.put_json(self._unusable_key(name), why)

    def left_out(self, store: Store) -> tuple[tuple[str, str], ...]:
        """(class, why) of those asked for that cannot be computed."""
        split = self.request.split
        without = [(name, f"no image in split {split}") for name in self.without_image]
        return (*without, *self._unusable(store).items())

    def _unusable(self, store: Store) -> dict[str, str]:
        """Class -> why no image of it can be used, in the plan's order."""
        noted = set(store.json_keys(UNUSABLE))
        names = [one.name for one in self.classes if self._unusable_key(one.name) in noted]
        return {name: why for name in names if (why := self.unusable(store, name)) is not None}

    def _unusable_key(self, name: str) -> str:
        return f"{UNUSABLE}{self.keys[name].replace('/', '-')}"

    def cost(self, store: Store, names: Sequence[str] | None = None) -> Cost:
        """Of computing some classes; those that are missing by default."""
        wanted = self.missing(store) if names is None else names
        images = sum(len(self.images[name]) for name in wanted if name in self.images)
        if not images:
            return Cost("")
        classes = "1 class" if len(wanted) == 1 else f"{len(wanted):,} classes"
        where = "every layer" if self.request.layers == ALL else "some layers"
        return Cost(f"integrates gradients in {where} over {images:,} images of {classes}")


def plan(request: RelevanceRequest, store: Store, subject: Subject | None = None) -> RelevancePlan:
    """What a request amounts to, from names, tables and a survey made before.

    Args:
        request: what is asked for.
        store: holds survey and results.
        subject: the network, where it is known already.

    Raises:
        NeedsSurvey: what the images show has to be counted first; running the request does it.
        UserError: unknown names, or no class that has an image.
    """
    dataset = datasets.open_dataset(request.dataset)
    subject = subject or identify(request.network, store)
    known = class_plan(dataset, subject.spec, known_survey(dataset, store))
    found = plan_from(request, dataset, subject, known, layers_of(subject, store))
    found.require()
    return found


def plan_from(
    request: RelevanceRequest,
    dataset: Dataset,
    subject: Subject,
    known: ClassPlan,
    layers: KnownLayers | None = None,
) -> RelevancePlan:
    """The same from a network, a class plan and the network's layers; it may be of no class (`require`).

    Raises:
        LayerError: a layer that is not there, or that has no masks.
    """
    chosen = _layers(request, layers)
    asked = known.chosen(request.classes)
    classes = tuple(one for one in asked if len(one.of(request.split)))
    images = {one.name: _first(dataset, one.of(request.split), request.images) for one in classes}
    digest = subject.digest
    keys = {
        one.name: relevance_key(
            request, (digest, dataset.digest), one.name, one.outputs, images[one.name].tolist(), chosen
        )
        for one in classes
    }
    without = tuple(one.name for one in asked if one.name not in images)
    names = tuple(name for name, _ in chosen)
    return RelevancePlan(request, dataset, subject.spec, digest, known, classes, without, images, keys, names)


def _layers(request: RelevanceRequest, known: KnownLayers | None) -> list[tuple[str, Sort | None]]:
    """The layers asked for, with what they are made by; nothing for all convolutions."""
    names = () if known is None else known.chosen(request.layers, request.network)
    if known is None or request.layers == ALL:
        return []
    known.with_masks(names, request.network)
    return [(name, known.sort(name)) for name in names]


def _first(dataset: Dataset, images: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many images, the first by the digest of their names, ascending: no order favours any."""

    def place(index: int) -> bytes:
        return hashlib.sha256(name_bytes(dataset.records[index].image)).digest()

    return np.array(sorted(sorted(images.tolist(), key=place)[:most]), np.int64)
