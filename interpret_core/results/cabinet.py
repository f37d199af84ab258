"""Sealed entries in a diskcache folder: opening it, failures in one line, damage found and reported.

`Cabinet` knows kinds and bytes; `Store` beside it knows records, states and locks.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from diskcache import Cache, Timeout

from interpret_core.results.disk import Damage, DiskFullError, PlainDisk, explained, seal, unseal

logger = logging.getLogger(__name__)
Value = TypeVar("Value")
Decode = Callable[[memoryview], Value]
Answer = TypeVar("Answer")

KEPT_REPORTS = 100
RESERVE = 1 << 19  # bytes set aside: on a full disk, SQLite needs room even to delete
WAIT = 60.0  # seconds for a lock of the index, before the folder counts as busy
FAILURES = (OSError, sqlite3.Error, Timeout)
SETTINGS: dict[str, Any] = {
    "eviction_policy": "none",
    "cull_limit": 0,
    "statistics": 0,
    "tag_index": 0,
    "disk_min_file_size": 1 << 15,
    "sqlite_journal_mode": "wal",
    "sqlite_synchronous": 1,  # a power cut may lose the last entries (they are recomputed), not the index
    "sqlite_wal_autocheckpoint": 64,  # pages; keeps the log smaller than the reserve
    "sqlite_mmap_size": 0,  # a truncated index must raise an error, not a bus error
}


class Report(NamedTuple):
    """One damaged entry that was deleted: its key, why, and when (seconds since the epoch)."""

    key: str
    reason: str
    time: float


class Cabinet:
    """Entries by kind (one letter) and key, in `folder/results`.

    Args:
        folder: the cache folder; made if missing.
        size_limit: told to diskcache; the store enforces it.
        on_damage: called with each `Report`, besides the log and `damaged`.

    Raises:
        StoreError: the folder cannot be used; one line with the remedy.
    """

    def __init__(self, folder: Path, size_limit: int, on_damage: Callable[[Report], None] | None) -> None:
        self.folder = folder
        self.damaged: deque[Report] = deque(maxlen=KEPT_REPORTS)
        self._settings = {**SETTINGS, "size_limit": size_limit}
        self._on_damage = on_damage
        self._inherited: list[Cache] = []
        self._pid = os.getpid()
        self._cache = self._open()

    def close(self) -> None:
        """Close this thread's connection; the next call opens another."""
        self._cache.close()

    @contextlib.contextmanager
    def guard(self, action: str) -> Iterator[Cache]:
        """This process's cache; failures become a `StoreError` and leave nothing half-done behind."""
        cache, kept = self._current(), False
        try:
            yield cache
            kept = True
        except FAILURES as error:
            cache.close()  # a COMMIT that failed may leave its transaction open
            raise explained(error, self.folder, action) from error
        finally:
            cache.disk.settle(kept=kept)

    def keep(self, kind: str, key: str, payload: bytes, *, reserve: bool = False) -> None:
        """Write an entry: all of it, or nothing; a small one may use the reserve of space."""
        name = _name(kind, key)

        def write() -> None:
            with self.guard("write to") as cache:
                cache.set(name, seal(name, payload))

        self._insist(write) if reserve else write()

    def add(self, kind: str, key: str, payload: bytes) -> None:
        """Write an entry where there is none; one that is there, from whomever, stays."""
        name = _name(kind, key)
        with self.guard("write to") as cache:
            cache.add(name, seal(name, payload))

    def look(self, kind: str, key: str, decode: Decode[Value]) -> Value | None:
        """The decoded entry; None where there is none or a damaged one, which is then deleted."""
        return self.examine(kind, key, decode)[0]

    def examine(self, kind: str, key: str, decode: Decode[Value]) -> tuple[Value | None, Damage | None]:
        """The decoded entry, and what was wrong with it."""
        name = _name(kind, key)
        with self.guard("read") as cache:
            with contextlib.suppress(Damage):
                return _decoded(cache, name, decode), None
            # Perhaps it was only replaced between index and file: look again while nobody can write.
            with cache.transact():
                try:
                    return _decoded(cache, name, decode), None
                except Damage as error:
                    damage = error
                    cache.delete(name)
        self._report(key, damage)
        return None, damage

    def update(
        self, kind: str, key: str, decode: Decode[Value], change: Callable[[Value | None], bytes | None]
    ) -> None:
        """Read an entry and replace it, as one step; nothing changes where `change` returns None."""
        name = _name(kind, key)

        def replace() -> None:
            with self.guard("write to") as cache, cache.transact():
                try:
                    old = _decoded(cache, name, decode)
                except Damage as damage:
                    cache.delete(name)
                    self._report(key, damage)
                    old = None
                new = change(old)
                if new is not None:
                    cache.set(name, seal(name, new))

        self._insist(replace)

    def has(self, kind: str, key: str) -> bool:
        """Whether there is an entry, damaged or not."""
        with self.guard("read") as cache:
            return _name(kind, key) in cache

    def delete(self, kind: str, key: str) -> bool:
        """Delete an entry; whether there was one."""

        def remove() -> bool:
            with self.guard("write to") as cache:
                return bool(cache.delete(_name(kind, key)))

        return self._insist(remove)

    def keys(self, kind: str, prefix: str = "") -> list[str]:
        """Keys of one kind that begin with `prefix`, sorted."""
        return list(self.written(kind, prefix))

    def written(self, kind: str, prefix: str = "") -> dict[str, float]:
        """When each of those keys was last written, in seconds since the epoch; sorted by key."""
        start = f"{kind}/{prefix}"
        # Own SQL: diskcache would walk, and decode, every key of the folder.
        query = (
            "SELECT key, store_time FROM Cache "
            "WHERE raw = 1 AND typeof(key) = 'text' AND key >= ? AND key < ? ORDER BY 1"
        )
        with self.guard("read"), contextlib.closing(self._index()) as index:
            rows = index.execute(query, (start, start + "\U0010ffff")).fetchall()
        return {key.removeprefix(f"{kind}/"): float(time) for key, time in rows}

    def size(self) -> int:
        """Bytes that the entries and their index take."""
        with self.guard("read") as cache:
            return int(cache.volume())

    def _open(self) -> Cache:
        try:
            for name in ("results", "locks", "logs"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder / "results"):
                pass  # says at once, and precisely, when nothing can be written here
            cache = Cache(str(self.folder / "results"), timeout=WAIT, disk=PlainDisk, **self._settings)
            self._set_aside()
            return cache
        except (*FAILURES, TypeError) as error:
            raise explained(error, self.folder, "open") from error

    def _set_aside(self) -> None:
        """Fill the reserve, where there is room."""
        reserve = self.folder / "results" / "reserve"
        if not reserve.exists():
            try:
                reserve.write_bytes(os.urandom(RESERVE))  # zeros could take no space at all
            except OSError:
                reserve.unlink(missing_ok=True)

    def _insist(self, write: Callable[[], Answer]) -> Answer:
        """Do something small even on a full disk, on the space of the reserve; fill it again later."""
        try:
            answer = write()
        except DiskFullError:
            (self.folder / "results" / "reserve").unlink(missing_ok=True)
            return write()
        self._set_aside()
        return answer

    def _current(self) -> Cache:
        if self._pid != os.getpid():
            # SQLite forbids even closing a connection that came through a fork, so it is kept, unused.
            self._inherited.append(self._cache)
            self._cache, self._pid = self._open(), os.getpid()
        return self._cache

    def _index(self) -> sqlite3.Connection:
        path = self.folder / "results" / "cache.db"
        return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=WAIT)

    def _report(self, key: str, damage: Damage) -> None:
        logger.warning("Cache entry %s is damaged (%s): deleted, to be computed again.", key, damage)
        self.report(key, str(damage))

    def report(self, key: str, reason: str) -> None:
        """Note a damaged entry, and tell whoever wanted to know."""
        report = Report(key, reason, time.time())
        self.damaged.append(report)
        if self._on_damage is not None:
            self._on_damage(report)


def _name(kind: str, key: str) -> str:
    """The key in the database: kinds never meet."""
    if not isinstance(key, str) or not key:
        raise ValueError(f"Key {key!r} is not a text of at least one character.")
    return f"{kind}/{key}"


def _decoded(cache: Cache, name: str, decode: Decode[Value]) -> Value | None:
    data = cache.get(name)
    if data is None:
        return None
    try:
        return decode(unseal(name, data))
    except ValueError as error:
        raise Damage(str(error)) from error
