"""A network's layers, each loaded when it is looked at, and what is small enough to know of all of them.

Counting detectors takes every unit's best IoU, and that every layer's tallies: a second for fifty layers on a
hundred concepts, many on a thousand. The picker needs no more than the outline of all layers, the home page
their sketches besides; both are made once and stored beside the results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from interpret_core.errors import UserError
from interpret_core.store.records import Record
from ui.session.profiles.sketch import Sketch
from ui.session.view import LayerView


class Count(NamedTuple):
    """A layer in three numbers."""

    units: int
    detectors: int
    concepts: int


class Stored(Protocol):
    """What the store has of a network's layers; what turns out to be damaged is None."""

    def layer(self, name: str) -> LayerView | None:
        """One layer, read whole."""

    def sketch(self, name: str) -> Sketch | None:
        """A few numbers of each of its units."""

    def outline(self) -> Record:
        """The record that `profile.outline` makes of all layers."""


def damaged(name: str) -> UserError:
    """What is said where a layer that was stored cannot be read."""
    return UserError(
        f"The stored result of layer {name} was damaged and has been set aside; on the reloaded page it can "
        "be computed again."
    )


class Layers(Mapping[str, LayerView]):
    """Layer name -> view, in forward order.

    Args:
        names: of the layers whose result is stored.
        stored: what there is of them.
        cutoff: a unit is a detector above this IoU.
        chance, assessed: whether every layer's chance level and assessment are stored.
    """

    def __init__(
        self,
        names: Sequence[str],
        stored: Stored,
        cutoff: float,
        *,
        chance: bool,
        assessed: bool,
    ) -> None:
        self._names, self._stored, self._cutoff = tuple(names), stored, cutoff
        self.chance, self.assessed = chance, assessed

    def __getitem__(self, name: str) -> LayerView:
        if name not in self._names:
            raise KeyError(name)
        view = self._stored.layer(name)
        if view is None:
            raise damaged(name)
        return view

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @cached_property
    def counts(self) -> Mapping[str, Count]:
        """Units, detectors and their distinct concepts in each layer, without loading any."""
        record = self._stored.outline()
        ends = np.cumsum(record["units"])[:-1]
        ious, best = np.split(record["iou"], ends), np.split(record["concept"], ends)
        found = {}
        for name, iou, concept in zip(self._names, ious, best, strict=True):
            detector = iou > self._cutoff
            found[name] = Count(len(iou), int(detector.sum()), len(np.unique(concept[detector])))
        return found

    @cached_property
    def sketches(self) -> Mapping[str, Sketch]:
        """A few numbers of every unit of each layer, without loading any."""
        found = ((name, self._stored.sketch(name)) for name in self._names)
        return {name: sketch for name, sketch in found if sketch is not None}
