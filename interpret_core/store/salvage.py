"""What is left of a results folder whose index is damaged: whole entries, found without trusting the index.

Entries carry their names under their checksums (`store.disk`), so a file of its own is enough to know an
entry again. Small ones lie in the index alone: every row that SQLite can still read is tried, and where the
first page is gone, which says where the tables are, that of an empty index takes its place, since this
program makes all of them alike. Nothing that fails its checksum is taken, so a wrong guess about the index
costs nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from diskcache.core import MODE_BINARY, MODE_RAW

from interpret_core.store.disk import Damage, NewerEntryError, entry_files, opened, read_plain
from interpret_core.store.failures import FAILURES, INDEX

HEADER = 100  # bytes of SQLite's file header, https://www.sqlite.org/fileformat.html
CHANGES, PAGES, FREE, VALID_FOR = 24, 28, 32, 92  # places in it, four bytes each; FREE has eight
VERSIONS = slice(18, 20)  # 1 and 1: a rollback journal
LAST = 1 << 62  # no row has a higher number
MOST_FAILURES = 5_000  # queries; an index that can be read nowhere must not take for ever


class SalvagedEntry(NamedTuple):
    """A whole entry, as a row of a new index: when it was written (seconds since the epoch), bytes, where."""

    name: str
    time: float
    size: int
    mode: int
    filename: str | None
    value: bytes | None


@dataclass
class Salvaged:
    """What was found.

    Attributes:
        entries: by name; of two with one name the later.
        expected: how many entries the damaged index says it had; None where it cannot say.
        damaged: files that hold no whole entry, relative to the folder.
    """

    entries: dict[str, SalvagedEntry] = field(default_factory=dict)
    expected: int | None = None
    damaged: list[str] = field(default_factory=list)

    def add(self, entry: SalvagedEntry) -> None:
        """Take an entry, unless a later one of its name is known."""
        known = self.entries.get(entry.name)
        if known is None or known.time <= entry.time:
            self.entries[entry.name] = entry


def salvage(folder: Path, empty: bytes | None) -> Salvaged:
    """Look for whole entries in the rows of a damaged index and in the folder's files.

    Args:
        folder: the results folder; nothing in it is changed.
        empty: the bytes of an empty index that this program made; None goes without.

    Raises:
        OSError: the folder cannot be read.
    """
    found = Salvaged()
    with contextlib.suppress(FileNotFoundError, Damage):
        for data in _readings((folder / INDEX).read_bytes(), empty):
            _take_rows(data, found)
    for name, path in entry_files(folder):
        _take_file(name, path, found)
    return found


def _readings(data: bytes, empty: bytes | None) -> Iterator[bytes]:
    """The index with less and less of what it says of itself believed."""
    if len(data) < HEADER:
        return
    yield _counted(data, int.from_bytes(data[16:18], "big"))
    if empty is not None:
        size = int.from_bytes(empty[16:18], "big")
        for trusted in (HEADER, size):
            yield _counted(empty[:trusted] + data[trusted:], size)


def _counted(data: bytes, size: int) -> bytes:
    """With the pages that are there, none of them free, and no log."""
    size = 1 << 16 if size == 1 else max(size, 512)
    pages = -(-len(data) // size)
    repaired = bytearray(data.ljust(pages * size, b"\0"))
    repaired[VERSIONS] = b"\1\1"
    repaired[PAGES : PAGES + 4] = pages.to_bytes(4, "big")
    repaired[FREE : FREE + 8] = bytes(8)
    repaired[VALID_FOR : VALID_FOR + 4] = repaired[
        CHANGES : CHANGES + 4
    ]  # else the number of pages is ignored
    return bytes(repaired)


def _take_rows(data: bytes, found: Salvaged) -> None:
    """Take the whole entries among an index's rows."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as index:
        with contextlib.suppress(*FAILURES, ValueError):
            index.deserialize(data)
            ((expected,),) = index.execute("SELECT value FROM Settings WHERE key = 'count'").fetchall()
            found.expected = expected if isinstance(expected, int) and expected >= 0 else found.expected
        _take_range(index, found)


def _take_range(index: sqlite3.Connection, found: Salvaged) -> None:
    """Every row, around what cannot be read: an unreadable range is halved until it is a single row."""
    query = (
        "SELECT rowid, store_time, value FROM Cache WHERE rowid BETWEEN ? AND ? AND typeof(value) = 'blob'"
    )
    ranges, failures = deque([(-LAST, LAST)]), 0
    while ranges and failures < MOST_FAILURES:
        first, last = ranges.popleft()
        try:
            for number, written, value in index.execute(query, (first, last)):
                first = number + 1
                _take_row(written, value, found)
        except (*FAILURES, MemoryError, OverflowError):
            failures += 1
            if first < last:
                middle = (first + last) // 2
                ranges += [(first, middle), (middle + 1, last)]


def _take_row(written: object, value: bytes, found: Salvaged) -> None:
    with contextlib.suppress(Damage, NewerEntryError):
        name, _ = opened(value)
        now = time.time()
        when = float(written) if isinstance(written, int | float) and 0 <= written <= now else now
        found.add(SalvagedEntry(name, when, 0, MODE_RAW, None, value))


def _take_file(filename: str, path: Path, found: Salvaged) -> None:
    try:
        data, written = read_plain(path), path.stat().st_mtime
        name, _ = opened(data)
    except NewerEntryError:  # the later version that wrote it finds it again
        return
    except (Damage, OSError):
        found.damaged.append(filename)
    else:
        found.add(SalvagedEntry(name, written, len(data), MODE_BINARY, filename, None))
