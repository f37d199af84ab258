"""What one picture and its masks hold, read once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from interpret_core.concepts import ConceptTable
from interpret_core.datasets.dataset import Dataset
from interpret_core.datasets.inspection.patterns import Look, look_of
from interpret_core.datasets.masks import ListedLabels, read_mask
from interpret_core.datasets.pictures import read_rgb
from interpret_core.datasets.tables import MAX_LABEL
from interpret_core.errors import DamagedFileError

EVERY = ListedLabels(range(1, MAX_LABEL + 1))
EVERYWHERE = (
    "color",
    "scene",
    "texture",
)  # categories that label every pixel, and so say nothing about the rest
_RICH = 3  # values of a mask that is not likely to be twice the same by chance


@dataclass
class Observation:
    """One picture.

    Attributes:
        index: into the data set's records.
        problem: why picture or masks cannot be read; empty where they can.
        pixels: concept -> annotation pixels.
        labelled: category -> annotation pixels with a label of it.
        anywhere: annotation pixels with any label, those of EVERYWHERE aside where there are others.
        single: concepts with exactly one pixel.
        foreign: numbers listed in other categories only, with their pixels.
        numbers: all numbers in its masks but 0, listed or not.
        zeros: mask pixels of number 0.
        looks: masks that do not look like label maps.
        rich: masks with several values.
    """

    index: int
    problem: str = ""
    pixels: Counter[int] = field(default_factory=Counter)
    labelled: Counter[str] = field(default_factory=Counter)
    anywhere: int = 0
    single: list[int] = field(default_factory=list)
    foreign: Counter[tuple[str, int]] = field(default_factory=Counter)
    numbers: set[int] = field(default_factory=set)
    zeros: int = 0
    looks: list[tuple[str, Look]] = field(default_factory=list)
    rich: list[str] = field(default_factory=list)


class Observer:
    """Reads pictures of one data set; safe to share between threads."""

    def __init__(self, dataset: Dataset, table: ConceptTable) -> None:
        self._dataset, self._table = dataset, table
        several = [place for place, one in enumerate(table.categories) if one not in EVERYWHERE]
        self._telling = several or list(range(len(table.categories)))

    def observe(self, index: int) -> Observation:
        """One picture by its index.

        Raises:
            ChangedFileError, DatasetError: as `Dataset.read_image`.
        """
        found = Observation(index)
        try:
            self._dataset.read_image(index)
        except DamagedFileError as error:
            found.problem = self._dataset.told(error)
        for items in self._dataset.records[index].maps.values():
            for item in items:
                if isinstance(item, str):
                    self._look(item, found)
                else:
                    found.numbers.add(item)
        if not found.problem:
            self._count(index, found)
        return found

    def _count(self, index: int, found: Observation) -> None:
        """What the masks are read as."""
        try:
            planes, unlisted = self._dataset.read_planes(index, self._table)
        except DamagedFileError as error:
            found.problem = self._dataset.told(error)
            return
        counted = np.bincount(planes.reshape(-1), minlength=len(self._table) + 1)[1:]
        for concept in np.flatnonzero(counted).tolist():
            found.pixels[concept] = int(counted[concept])
            if counted[concept] == 1:
                found.single.append(concept)
        category_of = np.concatenate([[-1], self._table.category_of])[planes]
        for place, category in enumerate(self._table.categories):
            found.labelled[category] = int((category_of == place).any(axis=0).sum()) if len(planes) else 0
        told = np.isin(category_of, self._telling)
        found.anywhere = int(told.any(axis=0).sum()) if len(planes) else 0
        found.foreign.update(unlisted)

    def _look(self, item: str, found: Observation) -> None:
        """What a mask's pixels look like, also where they are no label numbers."""
        path = self._dataset.images / item
        try:
            numbers = read_mask(
                path, self._dataset.annotation_size, EVERY, numbers=self._dataset.tables.numbers
            )
        except DamagedFileError:
            pixels = self._colours(item)
        else:
            values = np.unique(numbers)
            found.numbers.update(values[values > 0].tolist())
            found.zeros += int((numbers == 0).sum())
            if len(values) >= _RICH:
                found.rich.append(item)
            pixels = numbers.astype(np.int64)[..., None]
        look = None if pixels is None else look_of(pixels)
        if look is not None:
            found.looks.append((item, look))

    def _colours(self, item: str) -> NDArray[np.int64] | None:
        """(h, w, 3) of a mask that is not read as one; None where it is no picture at all."""
        try:
            return read_rgb(self._dataset.images / item, None).astype(np.int64)
        except DamagedFileError:
            return None
