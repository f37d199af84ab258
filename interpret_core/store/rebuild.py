"""The index: what is wrong with one, and making one, whole, from what a folder holds.

A new index is written beside the old one and moved into its place, so that nobody ever sees half of it.
Whoever does this holds the index's lock alone (`store.index_lock`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from diskcache import Cache

from interpret_core.store.disk import PlainDisk
from interpret_core.store.failures import FAILURES, INDEX, tells_of_damage
from interpret_core.store.salvage import Salvaged, SalvagedEntry, salvage

BESIDE = "new-index-"
JOURNALS = ("-journal", "-wal", "-shm")
COLUMNS = "key, raw, store_time, access_time, size, mode, filename, value"
INSERT = f"INSERT INTO Cache ({COLUMNS}) VALUES (?, 1, ?, ?, ?, ?, ?, ?)"


class Rebuilt(NamedTuple):
    """What was wrong with an index, and what was found of it."""

    reason: str
    salvaged: Salvaged


def rebuild(folder: Path, settings: Mapping[str, Any], reason: str | None = None) -> Rebuilt | None:
    """Put a whole index where there is none, or an unsound one.

    Args:
        folder: the results folder; made if missing.
        settings: of diskcache.
        reason: why an index that looks sound is to be made anew all the same.

    Returns:
        What was done; None where the index is sound, perhaps because another process has just mended it.

    Raises:
        OSError, sqlite3.Error, Timeout: it cannot be written; what was there is as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{BESIDE}*"):  # of a process that died
        shutil.rmtree(left, ignore_errors=True)
    beside = Path(tempfile.mkdtemp(prefix=BESIDE, dir=folder))
    try:
        empty = _empty(beside, settings)
        found = _complaint(folder, beside / INDEX) or reason
        if found is None:
            return None
        salvaged = salvage(folder, empty)
        with contextlib.closing(sqlite3.connect(beside / INDEX)) as index, index:
            _insert(index, salvaged.entries.values())
        if salvaged.entries:  # nothing would be lost with an empty one
            for name in (beside / INDEX, beside):
                _synchronise(name)
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(folder / INDEX, beside / INDEX)  # others may share it
        _publish(beside / INDEX, folder / INDEX)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Rebuilt(found, salvaged)


def in_memory(folder: Path, settings: Mapping[str, Any]) -> tuple[sqlite3.Connection, Salvaged]:
    """An index of what a folder holds that is kept nowhere, for where nothing can be written.

    Raises:
        OSError: the folder cannot be read.
    """
    empty = None
    with contextlib.suppress(*FAILURES), tempfile.TemporaryDirectory() as place:
        empty = _empty(Path(place), settings)
    salvaged = salvage(folder, empty)
    index = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    index.execute("CREATE TABLE Settings (key TEXT PRIMARY KEY, value)")
    index.execute(f"CREATE TABLE Cache ({COLUMNS}, PRIMARY KEY (key, raw))")
    _insert(index, salvaged.entries.values())
    size = sum(entry.size for entry in salvaged.entries.values())
    index.execute("INSERT INTO Settings VALUES ('size', ?)", (size,))
    return index, salvaged


def _complaint(folder: Path, empty: Path) -> str | None:
    """What is wrong with a results folder's index, beside an empty one; None where it is sound."""
    path = folder / INDEX
    if not path.exists():
        return "it is missing"
    # Nobody writes now, so it does no harm that closing this file gives up all of this process's locks on it.
    with path.open("rb") as file:
        header = file.read(20)
    if len(header) == 20 and not 1 <= header[18] <= 2:
        return "its header forbids writing"
    index = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None)
    with contextlib.closing(index), contextlib.closing(sqlite3.connect(empty)) as other:
        try:
            return next(_complaints(index, other), None)
        except FAILURES as error:
            if not tells_of_damage(error, folder.parent):
                raise
            return str(error)


def _complaints(index: sqlite3.Connection, empty: sqlite3.Connection) -> Iterator[str]:
    yield from (text for (text,) in index.execute("PRAGMA integrity_check") if text != "ok")
    tables = "SELECT type, name, sql FROM sqlite_master WHERE type <> 'index' ORDER BY name"
    if index.execute(tables).fetchall() != empty.execute(tables).fetchall():
        yield "its tables are not those of a cache"
    for _ in index.execute("SELECT key, filename FROM Cache"):
        pass  # raises an error where one of them is no text
    (told,) = index.execute("SELECT SUM(value) FROM Settings WHERE key IN ('count', 'size')").fetchone()
    if told != index.execute("SELECT COUNT(*) + COALESCE(SUM(size), 0) FROM Cache").fetchone()[0]:
        yield "it miscounts its entries"
    index.execute("BEGIN IMMEDIATE")
    index.execute("ROLLBACK")


def _empty(place: Path, settings: Mapping[str, Any]) -> bytes:
    """Make an empty index in a folder; its bytes."""
    # Unsynchronised: it counts only once it is whole, and whoever opens it later sets the mode that stays.
    Cache(str(place), disk=PlainDisk, **{**settings, "sqlite_synchronous": 0}).close()
    return (place / INDEX).read_bytes()


def _insert(index: sqlite3.Connection, entries: Iterable[SalvagedEntry]) -> None:
    index.executemany(
        INSERT,
        ((one.name, one.time, one.time, one.size, one.mode, one.filename, one.value) for one in entries),
    )


def _publish(new: Path, path: Path) -> None:
    """Move an index into its place, without what belonged to the one before it."""
    for journal in JOURNALS:
        path.with_name(path.name + journal).unlink(missing_ok=True)
    new.replace(path)


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
