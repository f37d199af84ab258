"""IoUs of a layer's units with the concepts, read off the counted integers where they are asked for.

Of 2,048 units and 1,197 concepts the table alone is 20 MB, and each quotient of it as much again: nobody who
looks at a layer needs more than a few rows of it and every unit's best.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.numbers import share

BLOCK = 1 << 16  # entries that are divided at a time: what stays in a processor's cache
EVERY = slice(None)


class Ranked(NamedTuple):
    """The best concepts of every unit in each category, best first.

    Ties go to the lower index; −1 and 0 where no other overlaps.

    Attributes:
        concept: (U, categories, k) int64; iou: (U, categories, k) float64.
    """

    concept: NDArray[np.int64]
    iou: NDArray[np.float64]

    def overall(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(U, k) the best of all categories, by the same rule."""
        units, _, number = self.concept.shape
        concept, iou = (each.reshape(units, -1) for each in self)
        order = np.lexsort((concept, -iou), axis=1)[:, :number]
        missing = ((0, 0), (0, number - order.shape[1]))
        best, value = (np.take_along_axis(each, order, 1) for each in (concept, iou))
        return np.pad(best, missing, constant_values=-1), np.pad(value, missing)


@dataclass(frozen=True)
class IouTable:
    """U units, C concepts; integers of a profile.

    Attributes:
        intersection: (U, C) int64.
        active: (U, categories) int64.
        concept_pixels: (C,) int64.
        category_of: (C,) index into the categories.
    """

    intersection: NDArray[np.int64]
    active: NDArray[np.int64]
    concept_pixels: NDArray[np.int64]
    category_of: NDArray[np.int64]

    def rows(self, units: slice) -> NDArray[np.float64]:
        """(u, C) IoU of some units, one after the other, with every concept; 0/0 is 0."""
        out = np.zeros(self.intersection[units].shape)
        for category, columns in enumerate(self._columns):
            out[:, columns] = self._block(units, category, columns)
        return out

    def blocks(self) -> Iterator[slice]:
        """All units, as many at a time as `rows` should be asked for."""
        units, concepts = self.intersection.shape
        step = max(BLOCK // max(concepts, 1), 1)
        return (slice(start, start + step) for start in range(0, units, step))

    def at(self, unit: int, concept: int) -> float:
        """IoU of one unit with one concept; 0/0 is 0."""
        return float(self.column(concept, slice(unit, unit + 1))[0])

    def column(self, concept: int, units: slice = EVERY) -> NDArray[np.float64]:
        """(u,) IoU of some units (by default all) with one concept; 0/0 is 0."""
        category = int(self.category_of[concept])
        return self._block(units, category, np.array([concept]))[:, 0]

    @cached_property
    def largest(self) -> NDArray[np.float64]:
        """(C,) the largest IoU that any unit has with each concept."""
        found = [self.rows(block).max(0) for block in self.blocks()]
        return np.max(found, axis=0) if found else np.zeros(len(self.concept_pixels))

    def ceiling(self, unit: NDArray[np.int64] | int, concept: NDArray[np.int64] | int) -> NDArray[np.float64]:
        """The largest IoU that areas of these sizes reach: min(a, c)/max(a, c), of pairs that broadcast."""
        active, pixels = self.active[unit, self.category_of[concept]], self.concept_pixels[concept]
        return share(np.minimum(active, pixels), np.maximum(active, pixels), 0.0)

    def ranked(self, among: NDArray[np.bool_], number: int) -> Ranked:
        """The best `number` concepts of each category, of those (C,) that count."""
        units, categories = self.active.shape
        concept = np.full((units, categories, number), -1, np.int64)
        value = np.zeros((units, categories, number))
        for category, columns in enumerate(self._columns):
            counting = columns[among[columns]]
            for block in self.blocks() if len(counting) else ():
                iou = self._block(block, category, counting)
                row = np.arange(len(iou))
                for place in range(min(number, len(counting))):
                    best = iou.argmax(1)  # the first one of several
                    found = iou[row, best]
                    concept[block, category, place] = np.where(found > 0, counting[best], -1)
                    value[block, category, place] = found
                    iou[row, best] = 0.0
        return Ranked(concept, value)

    def _block(self, units: slice, category: int, columns: NDArray[np.int64]) -> NDArray[np.float64]:
        """(u, k) IoU of some units with concepts of one category."""
        whole = len(columns) and columns[-1] - columns[0] + 1 == len(columns)
        both = self.intersection[units, columns[0] : columns[-1] + 1] if whole else None
        both = self.intersection[units][:, columns] if both is None else both
        union = self.active[units, category][:, None] + self.concept_pixels[columns] - both
        return both / np.maximum(union, 1)  # where it is 0, so is the intersection

    @cached_property
    def _columns(self) -> tuple[NDArray[np.int64], ...]:
        """Concepts of each category, ascending."""
        return tuple(np.flatnonzero(self.category_of == one) for one in range(self.active.shape[1]))
