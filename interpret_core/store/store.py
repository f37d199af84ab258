"""The store: results and job states under one folder, shared by threads, processes and users.

    folder/results   diskcache: an index in SQLite, with small states in it; a record has a file of its own
    folder/locks     a file per key that is being computed; the system drops a lock with its process
    folder/logs      output of background jobs

Results are never evicted (what seconds bring back makes room, see `store.room`), nothing is pickled, and a
damaged entry is deleted and reported instead of served. A damaged index is made anew from what is left, and a
deleted folder with the next write. What is stored can be read where nothing can be written: without the right
to, or on a full disk. Results that come with the program (`store.bundle`) count as stored; each is copied
into the folder when it is first asked for, and never over an entry. Needs a file system with working locks (a
local disk); a network share may not have them.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from interpret_core import config, demo
from interpret_core.errors import StoreError
from interpret_core.store import key_locks
from interpret_core.store.bundle.shipped import Shipped
from interpret_core.store.cabinet import Cabinet, Report
from interpret_core.store.check import Check
from interpret_core.store.disk import payload_of
from interpret_core.store.failures import DiskFullError, explained
from interpret_core.store.kinds import kind_of
from interpret_core.store.lease import Lease
from interpret_core.store.records import Record, canonical_json, metadata_of
from interpret_core.store.room import Usage
from interpret_core.store.trash import DAY, Cleared, Restored, StoredEntry

logger = logging.getLogger(__name__)

RECORD, STATE = "record", "state"
HEAD = 1 << 14  # bytes of a record that nearly always hold its metadata
LONGEST_HEAD = 1 << 24
SIZE_LIMIT = config.MOST_CACHE  # bytes, where nothing is said
SWEEP = 3600.0  # seconds after which whoever writes looks for what killed processes left


class Store:
    """Records and small JSON states by key.

    Safe to use from several threads, after a fork, and from several processes at once.

    Args:
        folder: the cache folder; made with the first write.
        size_limit: bytes above which what seconds bring back makes room, and `put` at last refuses a record;
            by default what INTERPRET_CACHE_SIZE says.
        on_damage: called with each `Report` of a damaged entry, besides the log and `damaged`.
        shipped: folders of shipped results; by default the demo's, where it is shown.
        beneath: another folder, which is looked in for what is not here; nothing is copied from it.

    Raises:
        StoreError: the folder cannot be read; one line with the remedy. Every method may raise it, those that
            write also where it cannot be written.
    """

    writable = True

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        size_limit: int | None = None,
        on_damage: Callable[[Report], None] | None = None,
        shipped: Sequence[str | os.PathLike[str]] | None = None,
        beneath: ReadOnlyStore | None = None,
    ) -> None:
        self.folder = Path(folder).absolute()
        self.size_limit = config.cache_size() if size_limit is None else size_limit
        self._cabinet = Cabinet(self.folder, self.size_limit, on_damage, writable=self.writable)
        self._room = self._cabinet.room(RECORD, self.size_limit)
        self._swept = -SWEEP
        if shipped is None:
            shipped = (demo.RESULTS,) if demo.shown() else ()
        self.shipped = tuple(Shipped(Path(place), self._cabinet.report) for place in shipped)
        self.beneath = beneath
        self._unstored = False
        self._cabinet.size()  # says at once, and precisely, when nothing can be read here

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            _reopened,
            (str(self.folder), self.size_limit, tuple(str(one.folder) for one in self.shipped), self.beneath),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close this thread's connection; the next call opens another."""
        self._cabinet.close()

    @property
    def damaged(self) -> deque[Report]:
        """The last reports of damaged entries that this object deleted."""
        return self._cabinet.damaged

    def get(self, key: str) -> Record | None:
        """The record under `key`; None if there is none, or if it was damaged (then it is deleted)."""
        record = self._cabinet.look(RECORD, key, Record.from_bytes)
        if record is not None and kind_of(key).again and self.writable:
            self._cabinet.note_read(RECORD, key)
        if record is None and self.beneath is not None:
            record = self.beneath.get(key)
        return record if record is not None else self._unpacked(key)

    def _unpacked(self, key: str) -> Record | None:
        """A shipped record, which is stored from now on."""
        payload = next((found for one in self.shipped if (found := one.get(key)) is not None), None)
        if payload is None:
            return None
        try:
            self._room.make(kind_of(key), len(payload))
            self._cabinet.add(RECORD, key, payload)
        except StoreError as error:  # no room, or no right to write: it can be unpacked again
            if not self._unstored:
                logger.warning("Shipped results are used without being stored: %s", error)
            self._unstored = True
        return Record.from_bytes(payload)

    def put(self, key: str, record: Record) -> None:
        """Keep a record: all of it, or nothing.

        Where there is no room, what seconds bring back is deleted first, what was not read for longest.

        Raises:
            StoreError: full disk, no permission, or the size limit; no result that was stored before is
                touched.
        """
        payload, kind = record.pieces(), kind_of(key)
        size = sum(map(len, payload))
        if time.monotonic() - self._swept > SWEEP:
            self._swept = time.monotonic()
            key_locks.sweep(self.folder)
        self._room.make(kind, size)
        try:
            self._cabinet.keep(RECORD, key, payload)
        except DiskFullError:
            if kind.again or not self._room.free(2 * size):
                raise
            self._cabinet.keep(RECORD, key, payload)

    def has(self, key: str) -> bool:
        """Whether a record lies under `key`; only `get` also checks that it is undamaged."""
        return key in self.present((key,))

    def present(self, keys: Sequence[str]) -> set[str]:
        """Those of some keys under which a record lies, as `has` tells of one; one look for all of them."""
        found = self._cabinet.present(RECORD, keys)
        if self.beneath is not None:
            found |= self.beneath.present([key for key in keys if key not in found])
        found.update(key for key in keys if key not in found and any(one.has(key) for one in self.shipped))
        return found

    def checksum(self, key: str) -> bytes:
        """What tells a record from others that were ever under this key; unchecked, nothing without one."""
        return self._cabinet.checksum(RECORD, key)

    def delete(self, key: str) -> bool:
        """Delete a record; whether there was one. A shipped one comes back when it is asked for."""
        return self._cabinet.delete(RECORD, key)

    def keys(self, prefix: str = "") -> list[str]:
        """Keys of the records in the folder that begin with `prefix`, sorted."""
        return self._cabinet.keys(RECORD, prefix)

    def written(self, prefix: str = "") -> dict[str, float]:
        """When records and JSON values that begin with `prefix` were last written, seconds since the epoch.

        Under a key that has both, the record's time.
        """
        return self._cabinet.written(STATE, prefix) | self._cabinet.written(RECORD, prefix)

    def size(self) -> int:
        """Bytes that records, states and their index take."""
        return self._cabinet.size()

    def usage(self) -> dict[str, Usage]:
        """What is stored by kind (`store.kinds`): how many entries, and their bytes.

        Cheap enough for a page: one look at the index, and again after some seconds only.
        """
        return self._room.usage()

    def entries(self) -> list[StoredEntry]:
        """Every record and state in the folder, with its bytes, by name; what was cleared aside."""
        return self._cabinet.entries()

    def metadata(self, key: str) -> Any:
        """A record's metadata without its arrays, unchecked: for lists, not for numbers. None without."""
        found, most = None, HEAD
        while found is None and 0 < most <= LONGEST_HEAD:
            before = most
            found, needed = metadata_of(payload_of(self._cabinet.head(RECORD, key, most)))
            most = needed + HEAD if needed + HEAD > before and needed > 8 else 0
        return found

    def clear(self, entries: Sequence[StoredEntry]) -> Cleared | None:
        """Put entries of `entries()` aside, in one step; for a day they can be restored (`store.trash`).

        Those that were written anew since they were listed stay, and so does what comes with the program.
        What is aside counts in `size()` as long as it is there.

        Returns:
            What was cleared, None where nothing was.
        """
        return self._cabinet.trash.clear(entries)

    def cleared(self) -> list[Cleared]:
        """What was cleared and can be restored, the latest first."""
        return [one for one in self._cabinet.trash.batches() if time.time() - one.when < DAY]

    def restore(self, batch: str) -> Restored:
        """Bring back what was cleared at once, byte for byte; what was stored meanwhile under a key wins.

        Raises:
            StoreError: it is gone, or the folder cannot be written.
        """
        return self._cabinet.trash.restore(batch)

    def delete_cleared(self, batch: str) -> None:
        """Delete for good what was cleared at once."""
        self._cabinet.trash.delete(batch)

    def sweep_cleared(self) -> int:
        """Delete for good what was cleared more than a day ago; how many bytes."""
        return self._cabinet.trash.sweep(time.time() - DAY)

    def compute(
        self,
        key: str,
        function: Callable[[], Record],
        cancelled: Callable[[], bool] | None = None,
        *,
        needed: bool = True,
    ) -> Record:
        """The record under `key`, made by `function` unless it is there: once, whoever else asks for it.

        Args:
            key: holds everything that changes the answer.
            function: makes the record; called while the key is locked.
            cancelled: asked while another thread or process computes; true raises `Cancelled`.
            needed: raise where the record cannot be kept; else, being quickly made, it is used all the same.
        """
        record = self.get(key)
        if record is not None:
            return record
        try:
            with self.lock(key, cancelled):
                record = self.get(key)
                if record is None:
                    record = function()
                    self.put(key, record)
        except StoreError as error:
            if needed:
                raise
            logger.info("%s is used without being stored: %s", key, error)
        return record if record is not None else function()

    @contextlib.contextmanager
    def lock(self, key: str, cancelled: Callable[[], bool] | None = None) -> Iterator[None]:
        """Hold `key` against every other thread and process; the system lets go of it when a process dies.

        Not re-entrant: a thread that locks a key twice gets a RuntimeError. A forked child shares the lock.
        """
        with key_locks.held(self.folder, key, cancelled):
            yield

    def lease(self, key: str) -> Lease | None:
        """The lock of `key` as one that a child process can hold on; None where somebody has it."""
        try:
            return Lease.taken(key_locks.path_of(self.folder, key))
        except OSError as error:
            raise explained(error, self.folder, "lock a file in") from error

    def inherited(self, key: str, descriptor: int) -> Lease:
        """The lease of `key` that the process that started this one handed over."""
        return Lease(key_locks.path_of(self.folder, key), descriptor)

    def leased(self, key: str) -> bool:
        """Whether somebody holds the lock of `key`; asks without writing."""
        return Lease.held(key_locks.path_of(self.folder, key))

    def sweep_locks(self) -> int:
        """Delete files of locks that nobody holds; how many."""
        return key_locks.sweep(self.folder)

    def get_json(self, key: str) -> Any:
        """The JSON value under `key`; None if there is none, or if it was damaged."""
        value = self._cabinet.look(STATE, key, _parsed)
        if value is None and self.beneath is not None:
            value = self.beneath.get_json(key)
        if value is None:
            value = next((found for one in self.shipped if (found := one.state(key)) is not None), None)
        return value

    def put_json(self, key: str, value: Any, *, needed: bool = True, lasting: bool = False) -> None:
        """Keep a small JSON value; the size limit is not for these, and a full disk still takes a few.

        Args:
            key: of the value.
            value: anything JSON can say.
            needed: raise where it cannot be kept; else, only sparing work later, it is done without.
            lasting: it is found again, as records are, where the index is lost; takes a file.
        """
        try:
            content = (canonical_json(value).encode(),)
            self._cabinet.keep(STATE, key, content, reserve=True, own_file=lasting)
        except StoreError as error:
            if needed:
                raise
            logger.info("%s is not stored: %s", key, error)

    def update_json(self, key: str, change: Callable[[Any], Any]) -> Any:
        """Replace a JSON value by what `change` makes of it, as one step towards all other processes.

        Args:
            key: of the value; `change` gets None where there is none.
            change: quick, for everybody else waits; called again where the disk was full.
                Returning None leaves the value as it was.

        Returns:
            The value afterwards.
        """
        values: list[Any] = []

        def changed(old: Any) -> bytes | None:
            new = change(old)
            values.append(old if new is None else new)
            return None if new is None else canonical_json(new).encode()

        self._cabinet.update(STATE, key, _parsed, changed)
        return values[-1]

    def delete_json(self, key: str) -> bool:
        """Delete a JSON value; whether there was one."""
        return self._cabinet.delete(STATE, key)

    def json_keys(self, prefix: str = "") -> list[str]:
        """Keys of the JSON values that begin with `prefix`, sorted."""
        return self._cabinet.keys(STATE, prefix)

    def check(self, tell: Callable[[int, int], None] | None = None) -> Check:
        """Read every entry, delete what is damaged or left over from a crash, and say what was found.

        A damaged index is made anew, and locks that killed processes left are swept.

        Args:
            tell: called with how many entries were read, and of how many.
        """
        key_locks.sweep(self.folder)
        return self._cabinet.check({RECORD: Record.from_bytes, STATE: _parsed}, tell)


class ReadOnlyStore(Store):
    """A folder that is left as it is: what is damaged there counts as missing, and stays."""

    writable = False

    def __init__(
        self, folder: str | os.PathLike[str], *, on_damage: Callable[[Report], None] | None = None
    ) -> None:
        super().__init__(folder, on_damage=on_damage, shipped=())

    def __reduce__(self) -> tuple[Any, ...]:
        return ReadOnlyStore, (str(self.folder),)


def _parsed(data: memoryview) -> Any:
    return json.loads(bytes(data))


def _reopened(folder: str, size_limit: int, shipped: tuple[str, ...], beneath: ReadOnlyStore | None) -> Store:
    return Store(folder, size_limit=size_limit, shipped=shipped, beneath=beneath)
