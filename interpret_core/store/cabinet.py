"""Sealed entries by kind and key: damage found and reported.

`Cabinet` knows kinds and bytes, `Store` above it records, states and locks, `ResultsFolder` below it the
index. Reading goes past diskcache, which writes whenever it opens a folder.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from diskcache import Cache

from interpret_core.errors import StoreError
from interpret_core.store.check import Check, check_folder, lost
from interpret_core.store.disk import (
    BLOB,
    MAGIC,
    START,
    Damage,
    NewerEntryError,
    PlainDisk,
    newer,
    seal,
    unseal,
)
from interpret_core.store.folder import TIME, ResultsFolder
from interpret_core.store.room import Room, note_read, size_of
from interpret_core.store.trash import StoredEntry, Trash, stored_entries

logger = logging.getLogger(__name__)
Value = TypeVar("Value")
Decode = Callable[[memoryview], Value]

KEPT_REPORTS = 100
INDEX = "index"  # stands for a key where the index itself was damaged
AT_ONCE = 500  # keys in one query; SQLite takes 999 where it is old


class Report(NamedTuple):
    """One damaged entry, deleted where it can be, or INDEX: key, why, and when (seconds since the epoch)."""

    key: str
    reason: str
    time: float


class Cabinet:
    """Entries by kind (one word) and key, in `folder/results`.

    Args:
        folder: the cache folder; made with the first write.
        size_limit: told to diskcache; the store enforces it.
        on_damage: called with each `Report`, besides the log and `damaged`.
        writable: without it everything is left as it is, damaged entries, too.
    """

    def __init__(
        self,
        folder: Path,
        size_limit: int,
        on_damage: Callable[[Report], None] | None,
        *,
        writable: bool = True,
    ) -> None:
        self.damaged: deque[Report] = deque(maxlen=KEPT_REPORTS)
        self._on_damage = on_damage
        self._folder = ResultsFolder(
            folder, size_limit, lambda line: self.report(INDEX, line), writable=writable
        )
        self._disk = PlainDisk(str(folder / "results"))
        # Damaged entries that cannot be deleted, by name: when they were written.
        self._stuck: dict[str, float | None] = {}
        # Names of entries that were looked at: when they were written, and whether by a later version.
        self._versions: dict[str, tuple[float, bool]] = {}
        self.trash = Trash(self._folder, self._was_newer)

    def close(self) -> None:
        """Close this thread's connections; the next call opens others."""
        self._folder.close()

    def keep(
        self,
        kind: str,
        key: str,
        payload: Iterable[bytes | memoryview],
        *,
        reserve: bool = False,
        own_file: bool = True,
    ) -> None:
        """Write an entry: all of it, or nothing.

        Args:
            kind: of the entry.
            key: of the entry.
            payload: its content, in pieces.
            reserve: it is small, and may use the reserve of space.
            own_file: it outlives a lost index; without, a small one lies in the index, which takes less time.
        """
        self._refuse_newer(kind, key)
        entry = seal(_name(kind, key), payload, own_file=own_file)
        self._folder.write("write to", lambda cache: cache.set(_name(kind, key), entry), reserve=reserve)

    def add(self, kind: str, key: str, payload: bytes) -> None:
        """Write an entry into a file of its own where there is none; one that is there stays."""
        self._refuse_newer(kind, key)
        entry = seal(_name(kind, key), (payload,), own_file=True)
        self._folder.write("write to", lambda cache: cache.add(_name(kind, key), entry))

    def look(self, kind: str, key: str, decode: Decode[Value]) -> Value | None:
        """The decoded entry; None where there is none or a damaged one, which is then deleted."""
        return self.examine(kind, key, decode)[0]

    def note_read(self, kind: str, key: str) -> None:
        """Note that an entry was read just now."""
        query = "SELECT filename FROM Cache WHERE key = ? AND raw = 1"
        for (filename,) in self._folder.rows(query, (_name(kind, key),)):
            if isinstance(filename, str) and BLOB.fullmatch(filename):
                note_read(self._folder.results / filename)

    def examine(self, kind: str, key: str, decode: Decode[Value]) -> tuple[Value | None, Damage | None]:
        """The decoded entry, and what was wrong with it; one of a later version counts as missing."""
        name = _name(kind, key)
        try:
            return self._examined(kind, key, decode)
        except NewerEntryError as error:
            self._is_newer(name)  # says so once
            logger.debug("%s: %s", key, error)
            return None, None

    def _examined(self, kind: str, key: str, decode: Decode[Value]) -> tuple[Value | None, Damage | None]:
        name = _name(kind, key)
        with contextlib.suppress(Damage):
            return _decoded(name, self._read(name), decode), None

        def look_again(cache: Cache) -> tuple[Value | None, Damage | None]:
            # Perhaps it was only replaced between index and file: look again while nobody can write.
            with cache.transact():
                try:
                    return _decoded(name, cache.get(name), decode), None
                except Damage as damage:
                    cache.delete(name)
                    return None, damage

        try:
            value, damage = self._folder.write("write to", look_again)
            outcome = "deleted, to be computed again"
        except StoreError as error:
            try:
                return _decoded(name, self._read(name), decode), None
            except Damage as found:
                value, damage, outcome = None, found, f"counts as missing, and stays. {error}"
                self._stuck[name] = self._time(name)
        if damage is not None:
            self._report(key, damage, outcome)
        return value, damage

    def update(
        self, kind: str, key: str, decode: Decode[Value], change: Callable[[Value | None], bytes | None]
    ) -> None:
        """Read an entry and replace it, as one step; nothing changes where `change` returns None."""
        self._refuse_newer(kind, key)
        name = _name(kind, key)

        def replace(cache: Cache) -> None:
            with cache.transact():
                try:
                    old = _decoded(name, cache.get(name), decode)
                except Damage as damage:
                    cache.delete(name)
                    self._report(key, damage, "deleted")
                    old = None
                new = change(old)
                if new is not None:
                    cache.set(name, seal(name, (new,)))

        self._folder.write("write to", replace, reserve=True)

    def has(self, kind: str, key: str) -> bool:
        """Whether there is an entry that was not found damaged."""
        return key in self.present(kind, (key,))

    def present(self, kind: str, keys: Sequence[str]) -> set[str]:
        """Those of some keys under which an entry lies that was not found damaged."""
        found = set()
        for start in range(0, len(keys), AT_ONCE):
            names = {_name(kind, key): key for key in keys[start : start + AT_ONCE]}
            marks = ", ".join("?" * len(names))
            query = f"SELECT key, {TIME} FROM Cache WHERE raw = 1 AND key IN ({marks})"
            for name, written in self._folder.rows(query, tuple(names)):
                if written != self._stuck.get(name) and not self._was_newer(name, written):
                    found.add(names[name])
        return found

    def delete(self, kind: str, key: str) -> bool:
        """Delete an entry; whether there was one that may be deleted."""
        if self._is_newer(_name(kind, key)):
            return False
        name = _name(kind, key)
        return self._folder.write("write to", lambda cache: bool(cache.delete(name)), reserve=True)

    def keys(self, kind: str, prefix: str = "") -> list[str]:
        """Keys of one kind that begin with `prefix`, sorted."""
        return list(self.written(kind, prefix))

    def written(self, kind: str, prefix: str = "") -> dict[str, float]:
        """When each of those keys was last written, in seconds since the epoch; sorted by key."""
        start = f"{kind}/{prefix}"
        # Own SQL: diskcache would walk, and decode, every key of the folder.
        query = (
            f"SELECT key, {TIME} FROM Cache "
            "WHERE raw = 1 AND typeof(key) = 'text' AND key >= ? AND key < ? ORDER BY 1"
        )
        rows = self._folder.rows(query, (start, start + "\U0010ffff"))
        return {key.removeprefix(f"{kind}/"): time for key, time in rows}

    def entries(self) -> list[StoredEntry]:
        """Every entry, of all kinds, by name."""
        return stored_entries(self._folder)

    def checksum(self, kind: str, key: str) -> bytes:
        """What an entry's seal says of its name and content, unchecked; nothing where it cannot be read."""
        return self.head(kind, key, START)[len(MAGIC) :]

    def head(self, kind: str, key: str, most: int) -> bytes:
        """The first bytes of an entry, its seal unchecked; nothing where they cannot be read."""
        query = "SELECT filename, substr(value, 1, ?) FROM Cache WHERE key = ? AND raw = 1"
        rows = self._folder.rows(query, (most, _name(kind, key)))
        filename, value = rows[0] if rows else (None, b"")
        return self._disk.start(filename, value, most)

    def size(self) -> int:
        """Bytes that the entries and their index take."""
        return size_of(self._folder)

    def room(self, kind: str, limit: int) -> Room:
        """What makes room in the folder.

        Args:
            kind: whose entries may have to go.
            limit: bytes of everything.
        """
        return Room(self._folder, kind, limit)

    def check(
        self, decoders: Mapping[str, Decode[object]], tell: Callable[[int, int], None] | None = None
    ) -> Check:
        """Read every entry, delete what is damaged or left over from a crash, and say what was found.

        Args:
            decoders: by kind.
            tell: called with how many entries were read, and of how many.

        Raises:
            StoreError: the folder cannot be written.
        """
        with self._folder.alone():
            missed = lost(self._folder.results)
        self._folder.mend(missed)
        damaged = []
        names = [(kind, key) for kind in decoders for key in self.keys(kind)]
        for done, (kind, key) in enumerate(names, 1):
            if self.examine(kind, key, decoders[kind])[1]:
                damaged.append(key)
            if tell is not None:
                tell(done, len(names))
        with self._folder.alone():
            found = check_folder(self._folder.results, damaged)
        return replace(found, size=self.size(), index=self._folder.notes())

    def _refuse_newer(self, kind: str, key: str) -> None:
        if self._is_newer(_name(kind, key)):
            raise StoreError(
                f"The cache folder {self._folder.results.parent} holds {key} of a later version of "
                "Unitscope, which this one leaves alone: update, or set INTERPRET_CACHE to another folder."
            )

    def _is_newer(self, name: str) -> bool:
        """Whether an entry was written by a later version in another format; nobody here may touch it."""
        written = self._time(name)
        return written is not None and self._was_newer(name, written)

    def _was_newer(self, name: str, written: float) -> bool:
        """The same of an entry that was written at this time."""
        known = self._versions.get(name)
        if known is None or known[0] != written:
            query = "SELECT filename, substr(value, 1, 8) FROM Cache WHERE key = ? AND raw = 1"
            rows = self._folder.rows(query, (name,))
            later = bool(rows) and newer(self._disk.start(*rows[0]))
            if later:
                logger.warning("Cache entry %s is of a later version of Unitscope: left alone.", name)
            known = self._versions[name] = (written, later)
        return known[1]

    def _time(self, name: str) -> float | None:
        """When an entry was written; None where there is none."""
        rows = self._folder.rows(f"SELECT {TIME} FROM Cache WHERE key = ? AND raw = 1", (name,))
        return rows[0][0] if rows else None

    def _read(self, name: str) -> bytes | None:
        """An entry's sealed bytes; None where there is none.

        Raises:
            Damage: its row or file is none that this store would have written.
        """
        rows = self._folder.rows("SELECT mode, filename, value FROM Cache WHERE key = ? AND raw = 1", (name,))
        if not rows:
            return None
        ((mode, filename, value),) = rows
        return self._disk.fetch(mode, filename, value, read=False)

    def _report(self, key: str, damage: Damage, outcome: str) -> None:
        logger.warning("Cache entry %s is damaged (%s): %s.", key, damage, outcome.rstrip("."))
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


def _decoded(name: str, data: bytes | None, decode: Decode[Value]) -> Value | None:
    if data is None:
        return None
    try:
        return decode(unseal(name, data))
    except ValueError as error:
        raise Damage(str(error)) from error
