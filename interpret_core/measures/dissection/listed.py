"""What the tally cannot count yet: responses and mask pixels inside the brackets, with their labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Annotated:
    """The annotations of one batch as the kernels read them.

    Attributes:
        labels: (n, H·W, L) uint16, C-contiguous: 0 unlabelled, else 1 + column of the tally.
        colours: (n, H·W, 3) uint8, or (n, 0, 3) to leave colours out.
        member: (n, categories) bool, the image has a pixel of the category.
        valid: (n,) bool.
        size: (H, W).
    """

    labels: NDArray[np.uint16]
    colours: NDArray[np.uint8]
    member: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    size: tuple[int, int]


@dataclass(frozen=True)
class ListedResponses:
    """Responses and pixels inside the brackets, in the order of units.

    Attributes:
        unit, value: (M,) int32, float32: responses low ≤ v < high.
        pixel_unit, pixel_value: (Q,) int32, float32: mask pixels low < s < high.
        pixel_labels: (Q, L) uint16; pixel_colours: (Q, 3) uint8; pixel_member: (Q, categories) bool.
    """

    unit: NDArray[np.int32]
    value: NDArray[np.float32]
    pixel_unit: NDArray[np.int32]
    pixel_value: NDArray[np.float32]
    pixel_labels: NDArray[np.uint16]
    pixel_colours: NDArray[np.uint8]
    pixel_member: NDArray[np.bool_]

    def without_pixels(self) -> ListedResponses:
        """The responses alone."""
        names = [name for name in self.__dataclass_fields__ if name.startswith("pixel_")]
        return replace(self, **{name: getattr(self, name)[:0].copy() for name in names})

    @classmethod
    def joined(cls, parts: list[ListedResponses]) -> ListedResponses:
        """Concatenate; everything derived from it is a sum or a rank, so the order is immaterial."""
        names = cls.__dataclass_fields__
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


@dataclass(frozen=True)
class Buffers:
    """Room for what some units list; `row` (U,) says which row is a unit's, −1 for units left out.

    The other arrays have a row per listing unit: (rows, room) entries, and how many there are (rows,).
    """

    unit: NDArray[np.int64]
    row: NDArray[np.int64]
    value: NDArray[np.float32]
    count: NDArray[np.int64]
    pixel_value: NDArray[np.float32]
    pixel_place: NDArray[np.int64]
    pixel_count: NDArray[np.int64]

    @classmethod
    def of(cls, unit: NDArray[np.int64], room: int, units: int | None = None) -> Buffers:
        """Empty buffers for some units (rows,) out of `units` (all listed ones by default)."""
        row = np.full(units or len(unit), -1, np.int64)
        row[unit] = np.arange(len(unit))
        values, pixels = (np.empty((len(unit), room), np.float32) for _ in range(2))
        places = np.empty((len(unit), room), np.int64)
        count, pixel_count = (np.zeros(len(unit), np.int64) for _ in range(2))
        return cls(unit, row, values, count, pixels, places, pixel_count)

    @property
    def needed(self) -> NDArray[np.int64]:
        """(rows,) entries each unit has, whether or not there was room for them."""
        return np.maximum(self.count, self.pixel_count)

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """In the order in which the kernel takes them."""
        return self.row, self.value, self.count, self.pixel_value, self.pixel_place, self.pixel_count

    def listed(self, batch: Annotated) -> ListedResponses:
        """The entries of the units that had enough room."""
        room = self.value.shape[1]
        fits = self.needed <= room
        entries, pixels = (
            _filled(np.where(fits, count, 0), room) for count in (self.count, self.pixel_count)
        )
        place = self.pixel_place.ravel()[pixels]
        colours = batch.colours.reshape(-1, 3)
        return ListedResponses(
            self.unit[entries // room].astype(np.int32),
            self.value.ravel()[entries],
            self.unit[pixels // room].astype(np.int32),
            self.pixel_value.ravel()[pixels],
            batch.labels.reshape(-1, batch.labels.shape[2])[place],
            colours[place] if len(colours) else np.zeros((len(place), 3), np.uint8),
            batch.member[place // batch.labels.shape[1]],
        )


def _filled(count: NDArray[np.int64], room: int) -> NDArray[np.int64]:
    """Flat indices of the first count[i] entries of every row of `room` entries."""
    start = np.cumsum(count) - count
    return np.arange(int(count.sum())) + np.repeat(np.arange(len(count)) * room - start, count)
