"""A network's layers, each loaded when it is looked at, and an outline of all that is small enough to keep.

Counting detectors takes every unit's best IoU, and that every layer's tallies: a second for fifty layers on a
hundred concepts, many on a thousand. The picker and the home page need no more than the outline, which is
made once and stored beside the results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from interpret_core.errors import UserError
from interpret_core.store.records import Record
from ui.session.view import LayerView


class Count(NamedTuple):
    """A layer in three numbers."""

    units: int
    detectors: int
    concepts: int


class Layers(Mapping[str, LayerView]):
    """Layer name -> view, in forward order.

    Args:
        names: of the layers whose result is stored.
        load: name -> view, None where what is stored turns out to be damaged.
        cutoff: a unit is a detector above this IoU.
        outline: the record that `profile.outline` makes, from the store where it is there.
        chance, assessed: whether every layer's chance level and assessment are stored.
    """

    def __init__(
        self,
        names: Sequence[str],
        load: Callable[[str], LayerView | None],
        cutoff: float,
        outline: Callable[[Layers], Record],
        *,
        chance: bool,
        assessed: bool,
    ) -> None:
        self._names, self._load, self._cutoff, self._outline = tuple(names), load, cutoff, outline
        self.chance, self.assessed = chance, assessed

    def __getitem__(self, name: str) -> LayerView:
        if name not in self._names:
            raise KeyError(name)
        view = self._load(name)
        if view is None:
            raise UserError(
                f"The stored result of layer {name} was damaged and has been set aside; on the reloaded page "
                "it can be computed again."
            )
        return view

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @cached_property
    def counts(self) -> Mapping[str, Count]:
        """Units, detectors and their distinct concepts in each layer, without loading any."""
        record = self._outline(self)
        ends = np.cumsum(record["units"])[:-1]
        ious, best = np.split(record["iou"], ends), np.split(record["concept"], ends)
        found = {}
        for name, iou, concept in zip(self._names, ious, best, strict=True):
            detector = iou > self._cutoff
            found[name] = Count(len(iou), int(detector.sum()), len(np.unique(concept[detector])))
        return found
