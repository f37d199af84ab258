"""The store: results and job states under one folder, shared by threads, processes and users.

    folder/results   diskcache: an index in SQLite, an entry above 32 kB in a file of its own
    folder/locks     one file per key that was ever computed; the system drops a lock with its process
    folder/logs      output of background jobs

Nothing is evicted, nothing is pickled, and a damaged entry is deleted and reported instead of served.
Results that come with the program (`results.shipped`) count as stored; each is copied into the folder when it
is first asked for, and never over an entry.
Needs a file system with working locks (a local disk); a network share may not have them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from interpret_core import demo
from interpret_core.errors import Cancelled, StoreError
from interpret_core.results.cabinet import Cabinet, Report
from interpret_core.results.check import Check, check_folder
from interpret_core.results.disk import explained
from interpret_core.results.records import Record, canonical_json
from interpret_core.results.shipped import Shipped

logger = logging.getLogger(__name__)

RECORD, STATE = "record", "state"
SIZE_LIMIT = 1 << 40  # bytes; a refusal with a message, never an eviction


class Store:
    """Records and small JSON states by key.

    Safe to use from several threads, after a fork, and from several processes at once.

    Args:
        folder: the cache folder; made if missing.
        size_limit: bytes above which `put` refuses a record. Nothing is ever evicted to make room.
        on_damage: called with each `Report` of a damaged entry, besides the log and `damaged`.
        shipped: folders of shipped results; by default the demo's, where it is shown.

    Raises:
        StoreError: the folder cannot be used; one line with the remedy. Every method may raise it.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        size_limit: int = SIZE_LIMIT,
        on_damage: Callable[[Report], None] | None = None,
        shipped: Sequence[str | os.PathLike[str]] | None = None,
    ) -> None:
        self.folder = Path(folder).absolute()
        self.size_limit = size_limit
        self._cabinet = Cabinet(self.folder, size_limit, on_damage)
        if shipped is None:
            shipped = (demo.RESULTS,) if demo.shown() else ()
        self.shipped = tuple(Shipped(Path(place), self._cabinet.report) for place in shipped)

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            _reopened,
            (str(self.folder), self.size_limit, tuple(str(one.folder) for one in self.shipped)),
        )

    def __enter__(self) -> Store:
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
        return record if record is not None else self._unpacked(key)

    def _unpacked(self, key: str) -> Record | None:
        """A shipped record, which is stored from now on."""
        payload = next((found for one in self.shipped if (found := one.get(key)) is not None), None)
        if payload is None:
            return None
        try:
            if self.size() + len(payload) <= self.size_limit:
                self._cabinet.add(RECORD, key, payload)
        except StoreError as error:  # no room: it can be unpacked again
            logger.warning("Shipped result %s is used without being stored: %s", key, error)
        return Record.from_bytes(payload)

    def put(self, key: str, record: Record) -> None:
        """Keep a record: all of it, or nothing.

        Raises:
            StoreError: full disk, no permission, or the size limit; what was stored before stays as it was.
        """
        payload = record.to_bytes()
        if self.size() + len(payload) > self.size_limit:
            raise StoreError(
                f"The cache folder {self.folder} would exceed its limit of {self.size_limit / 1e6:.0f} MB: "
                f"{len(payload) / 1e6:.1f} MB more do not fit. Delete results, or raise the limit."
            )
        self._cabinet.keep(RECORD, key, payload)

    def has(self, key: str) -> bool:
        """Whether a record lies under `key`; only `get` also checks that it is undamaged."""
        return self._cabinet.has(RECORD, key) or any(one.has(key) for one in self.shipped)

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

    def compute(
        self, key: str, function: Callable[[], Record], cancelled: Callable[[], bool] | None = None
    ) -> Record:
        """The record under `key`, made by `function` unless it is there: once, whoever else asks for it.

        Args:
            key: holds everything that changes the answer.
            function: makes the record; called while the key is locked.
            cancelled: asked while another thread or process computes; true raises `Cancelled`.
        """
        record = self.get(key)
        if record is not None:
            return record
        with self.lock(key, cancelled):
            record = self.get(key)
            if record is None:
                record = function()
                self.put(key, record)
        return record

    @contextlib.contextmanager
    def lock(self, key: str, cancelled: Callable[[], bool] | None = None) -> Iterator[None]:
        """Hold `key` against every other thread and process; the system lets go of it when a process dies.

        Not re-entrant: a thread that locks a key twice gets a RuntimeError. A forked child shares the lock.
        """
        path = self.folder / "locks" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.lock"
        lock = FileLock(path, fallback_to_soft=False)  # a soft lock would outlive its process
        try:
            lock.acquire(cancel_check=cancelled)
        except Timeout:
            raise Cancelled(f"Cancelled while waiting for {key}.") from None
        except (OSError, NotImplementedError) as error:
            raise explained(error, self.folder, "lock a file in") from error
        try:
            yield
        finally:
            lock.release()

    def get_json(self, key: str) -> Any:
        """The JSON value under `key`; None if there is none, or if it was damaged."""
        value = self._cabinet.look(STATE, key, _parsed)
        if value is None:
            value = next((found for one in self.shipped if (found := one.state(key)) is not None), None)
        return value

    def put_json(self, key: str, value: Any) -> None:
        """Keep a small JSON value; the size limit is not for these, and a full disk still takes a few."""
        self._cabinet.keep(STATE, key, canonical_json(value).encode(), reserve=True)

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

    def check(self) -> Check:
        """Read every entry, delete what is damaged or left over from a crash, and say what was found."""
        decoders: dict[str, Callable[[memoryview], Any]] = {RECORD: Record.from_bytes, STATE: _parsed}
        damaged = [
            key
            for kind, decode in decoders.items()
            for key in self._cabinet.keys(kind)
            if self._cabinet.examine(kind, key, decode)[1]
        ]
        with self._cabinet.guard("check"):
            return check_folder(self.folder / "results", damaged, self.size())


def _parsed(data: memoryview) -> Any:
    return json.loads(bytes(data))


def _reopened(folder: str, size_limit: int, shipped: tuple[str, ...]) -> Store:
    return Store(folder, size_limit=size_limit, shipped=shipped)
