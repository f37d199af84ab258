"""Which images are evaluated, and in which order: those that can be read, the classes in turn."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.classes.known import ClassPlan, KnownClass
from interpret_core.datasets import Dataset, Loader, Survey
from interpret_core.datasets.tables import INDEX
from interpret_core.errors import DamagedFileError, DatasetError
from interpret_core.files import name_bytes
from interpret_core.networks import Layer, Network
from interpret_core.options import ALL, Split
from interpret_core.runtime.survey import known_survey
from interpret_core.store.keys import content_key
from interpret_core.store.store import Store

BATCH = 16  # images at a time: another number may change an output in its last bit


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """N images of C classes and a network that is asked about them, as any process has them.

    Attributes:
        network, dataset: as opened.
        images: (N,) indices into the data set in the order in which they are evaluated: the classes take
            turns, so that the first n of them are a fair sample.
        labels: (N,) number of each image's class.
        outputs: C groups, the network's outputs of each class.
    """

    network: Network
    dataset: Dataset
    images: NDArray[np.int64]
    labels: NDArray[np.int64]
    outputs: tuple[tuple[int, ...], ...]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The network's layers, in forward order."""
        return self.network.layers

    @property
    def every(self) -> tuple[Layer, ...]:
        """These, and the further ones that are asked for by name."""
        return (*self.network.layers, *self.network.further)

    @cached_property
    def inner(self) -> tuple[str, ...]:
        """Names of the layers without the first and the last; all of them where there are only two."""
        names = tuple(layer.name for layer in self.layers)
        return names[1:-1] or names

    @cached_property
    def population(self) -> NDArray[np.int64]:
        """(C,) images of each class that are evaluated."""
        return np.bincount(self.labels, minlength=len(self.outputs))

    @cached_property
    def loader(self) -> Loader:
        """Their pictures."""
        return Loader(self.dataset, reduce=self.network.preprocessing.reduced)

    def batch(self, images: NDArray[np.int64]) -> torch.Tensor:
        """Images of the data set, (n,) indices, as the network takes them.

        Raises:
            DamagedFileError: one of them cannot be read any more.
        """
        loaded = list(self.loader.ahead(images.tolist()))
        for one in loaded:
            if one.problem:
                raise DamagedFileError(one.problem)
        return self.network.batch([one.image for one in loaded])


@dataclass(frozen=True, eq=False)
class EvaluatedImages(LabelledImages):
    """The images of a split on which a network is evaluated, and what is known of their classes.

    Attributes:
        store, split: as asked.
        classes: C, those with an image to evaluate, in alphabetical order.
        without_image: classes that the network knows and that have none in the split that can be read.
        unreadable: names of images in the split that cannot be read, left out.
    """

    store: Store
    split: str
    classes: tuple[KnownClass, ...]
    without_image: tuple[str, ...]
    unreadable: tuple[str, ...]

    def content(self) -> dict[str, Any]:
        """What decides the answers beside the units that are silenced; part of every key of answers."""
        return {
            "network": self.network.digest,
            "dataset": self.dataset.digest,
            "images": self.images.tolist(),
            "classes": [[one.name, list(one.outputs)] for one in self.classes],
            "labels": self.labels.tolist(),
            "batch": BATCH,
        }


def evaluated_images(
    network: Network, dataset: Dataset, store: Store, known: ClassPlan, split: str
) -> EvaluatedImages:
    """The images of a split whose class the network knows.

    Raises:
        DatasetError: there is none.
    """
    candidates = np.concatenate([one.of(split) for one in known.chosen(ALL)])
    damaged = damaged_images(dataset, candidates, known_survey(dataset, store), store)
    sound = {one.name: np.setdiff1d(one.of(split), damaged) for one in known.classes}
    there = tuple(one for one in known.classes if len(sound[one.name]))
    if not there:
        unread = f" that can be read ({len(damaged)} cannot)" if len(damaged) else ""
        words = {str(word) for one in known.classes for word in one.split} - {"", Split.TRAIN, Split.VAL}
        others = f" ({INDEX} has {', '.join(sorted(words))})" if words else ""
        raise DatasetError(
            f"No image{unread} of a class that {network.name} knows is in split {split!r} of "
            f"{dataset.name}{others}, expected at least one: choose another split, or all."
        )
    images, labels = in_turns(dataset, [sound[one.name] for one in there])
    without = tuple(one.name for one in known.classes if one not in there)
    unreadable = tuple(dataset.records[index].image for index in damaged.tolist())
    labelled = (network, dataset, images, labels, tuple(one.outputs for one in there))
    return EvaluatedImages(*labelled, store, split, there, without, unreadable)


def readable(dataset: Dataset, index: int) -> bool:
    """Whether an image can be decoded."""
    try:
        dataset.read_image(index)
    except DamagedFileError:
        return False
    return True


def damaged_images(
    dataset: Dataset, images: NDArray[np.int64], survey: Survey | None, store: Store
) -> NDArray[np.int64]:
    """Those that cannot be decoded, ascending. A survey has read them; without one they are, once."""
    unsure = sorted(set(images.tolist() if survey is None else images[~survey.valid[images]].tolist()))
    if not unsure:
        return np.zeros(0, np.int64)
    key = content_key("damaged", {"dataset": dataset.digest, "images": unsure})
    found = store.get_json(key)
    if found is None:
        found = [index for index in unsure if not readable(dataset, index)]
        store.put_json(key, found, needed=False)
    return np.array(found, np.int64)


def in_turns(
    dataset: Dataset, classes: Sequence[NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Images of all classes, one of each in turn, within a class by the digest of their names."""

    def place(index: int) -> bytes:
        return hashlib.sha256(name_bytes(dataset.records[index].image)).digest()

    ordered = [sorted(images.tolist(), key=place) for images in classes]
    longest = max(map(len, ordered))
    turns = [
        (index, number)
        for turn in range(longest)
        for number, images in enumerate(ordered)
        for index in images[turn : turn + 1]
    ]
    return np.array([index for index, _ in turns], np.int64), np.array([n for _, n in turns], np.int64)
