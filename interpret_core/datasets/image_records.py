"""The rows of a data set's index, kept as text: as objects, 63,305 of them would take 100 MB and more."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets.contents import MISSING
from interpret_core.datasets.tables import ImageRecord


def files_of(record: ImageRecord) -> Iterator[str]:
    """The files that a row names, relative to the folder of the pictures: the picture, then its masks."""
    yield record.image
    for items in record.maps.values():
        yield from (item for item in items if isinstance(item, str))


class ImageRecords(Sequence[ImageRecord]):
    """Rows in order; each is made anew whenever it is asked for.

    Args:
        text: the rows, one after the other.
        ends: (N + 1,) int64, where in the text the rows begin and end.
        maps: category -> (N,) int64, how many maps of it every row has.
    """

    def __init__(self, text: bytes, ends: NDArray[np.int64], maps: dict[str, NDArray[np.int64]]) -> None:
        self._text, self._ends, self._maps = text, ends, maps

    @classmethod
    def of(cls, records: Iterable[ImageRecord]) -> ImageRecords:
        """From rows that may be made one by one."""
        if isinstance(records, ImageRecords):
            return records
        text, ends = bytearray(), array("q", [0])
        maps: dict[str, array[int]] = {}
        for record in records:
            before = len(ends) - 1
            for category in record.maps:
                maps.setdefault(category, array("q", bytes(8 * before)))
            for category, counts in maps.items():
                counts.append(len(record.maps.get(category, ())))
            row = [record.image, record.split, record.size, dict(record.maps)]
            row += [] if record.mask_size is None else [record.mask_size]
            text += json.dumps(row, separators=(",", ":")).encode()
            ends.append(len(text))
        counted = {category: np.frombuffer(counts, np.int64) for category, counts in maps.items()}
        return cls(bytes(text), np.frombuffer(ends, np.int64), counted)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> ImageRecord: ...
    @overload
    def __getitem__(self, place: slice) -> ImageRecords: ...
    def __getitem__(self, place: int | slice) -> ImageRecord | ImageRecords:
        if isinstance(place, slice):
            return ImageRecords.of(self[at] for at in range(*place.indices(len(self))))
        at = range(len(self))[place]  # from the end, and beyond it an IndexError, as of any sequence
        start, stop = self._ends[at : at + 2].tolist()
        image, split, size, maps, *own = json.loads(self._text[start:stop])
        items = {category: tuple(found) for category, found in maps.items()}
        return ImageRecord(image, split, _size(size), items, _size(own[0]) if own else None)

    def maps(self, category: str) -> NDArray[np.int64]:
        """(N,) int64, how many maps of a category every row has; without making any row."""
        found = self._maps.get(category)
        return np.zeros(len(self), np.int64) if found is None else found


def _size(found: list[int] | None) -> tuple[int, int] | None:
    return None if found is None else (found[0], found[1])


_LENGTH = 33  # bytes of each of 250,000 files: whether the file was there, and its SHA-256


class KnownFiles:
    """The files of every row of the index, in their order.

    Args:
        first: (N + 1,) int64, the number of each row's first file.
        known: so many times `_LENGTH` bytes.
    """

    def __init__(self, first: NDArray[np.int64], known: bytes) -> None:
        self._first, self._known = first, known

    @classmethod
    def of(cls, records: ImageRecords, digest_of: Callable[[str], bytes], prefix: str) -> KnownFiles:
        """From what tells the SHA-256 of each, or MISSING, by its name, which begins with `prefix`."""
        first, known = [0], bytearray()
        for record in records:
            for name in files_of(record):
                digest = digest_of(f"{prefix}{name}")
                known += bytes(_LENGTH) if digest == MISSING else b"\1" + digest
            first.append(len(known) // _LENGTH)
        return cls(np.array(first, np.int64), bytes(known))

    def of_file(self, record: ImageRecord, row: int, name: str) -> bytes:
        """The SHA-256 of a file that a row names, or MISSING."""
        at = int(self._first[row]) + list(files_of(record)).index(name)
        found = self._known[at * _LENGTH : (at + 1) * _LENGTH]
        return found[1:] if found[0] else MISSING
