"""What a data set's digest knows of each of its files: 33 bytes, for there may be 250,000 of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets.contents import MISSING
from interpret_core.datasets.image_records import ImageRecords, files_of
from interpret_core.datasets.tables import ImageRecord

_LENGTH = 33  # whether the file was there, and its SHA-256


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
