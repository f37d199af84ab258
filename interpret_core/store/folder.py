"""A results folder: read whenever it can be read, written or told why not, mended when damaged.

folder/results/cache.db      the index; `results.rebuild` makes it, diskcache writes to it
folder/results/reserve       room for a few small entries on a full disk
folder/results/rebuilt.txt   what was said of indexes made anew, until a check has told it
folder/locks/index.lock      held by whoever writes to the index, or exchanges it
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from diskcache import Cache

from interpret_core.errors import StoreError
from interpret_core.store import index_lock
from interpret_core.store.disk import PlainDisk
from interpret_core.store.failures import (
    FAILURES,
    DiskFullError,
    IndexDamageError,
    explained,
    primary,
    tells_of_damage,
    tells_of_exchange,
)
from interpret_core.store.index import Identity, Index, identity
from interpret_core.store.index_lock import WAIT
from interpret_core.store.rebuild import Rebuilt, in_memory, rebuild

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

# Of a row of the index, as SQL: a number whatever a damaged row says, and rows that this store has written.
TIME = "COALESCE(CAST(store_time AS REAL), 0.0)"
BYTES = "CASE WHEN filename IS NULL THEN length(value) ELSE size END"
PLAIN = "raw = 1 AND typeof(key) = 'text'"

RESERVE = 1 << 19  # bytes set aside: on a full disk, SQLite needs room even to delete
ATTEMPTS = 8  # the index may have to be mended, and somebody may be deleting the folder
PAUSE = 0.02  # seconds between two
SETTINGS: dict[str, Any] = {
    "eviction_policy": "none",
    "cull_limit": 0,
    "statistics": 0,
    "tag_index": 0,
    "disk_min_file_size": 1 << 15,
    # A write-ahead log would need a further file, and room for it, even to read, and a folder copied without
    # it would lack the last entries. Without one, whoever reads waits for a commit, which takes milliseconds.
    "sqlite_journal_mode": "truncate",
    "sqlite_synchronous": 1,  # a power cut may lose the last entries (they are recomputed), not the index
    "sqlite_mmap_size": 0,  # a truncated index must raise an error, not a bus error
}


class _Opened(NamedTuple):
    """diskcache on the index that lay there when this process opened it."""

    cache: Cache
    file: Identity
    pid: int


class ResultsFolder:
    """The index and files of `folder/results`.

    Args:
        folder: the cache folder; made with the first write.
        size_limit: told to diskcache; the store enforces it.
        tell: called with a line about an index that was damaged, besides the log.
        writable: whether anything may be changed here; else whatever writes raises a `StoreError`.
    """

    def __init__(
        self, folder: Path, size_limit: int, tell: Callable[[str], None], *, writable: bool = True
    ) -> None:
        self.folder, self._writable = folder, writable
        self.results = folder / "results"
        self._settings = {**SETTINGS, "size_limit": size_limit}
        self._tell = tell
        self._lock = folder / "locks" / "index.lock"
        self._index = Index(self.results)
        self._opened: _Opened | None = None
        self._inherited: list[Cache] = []
        self._used = False

    def close(self) -> None:
        """Close this thread's connections; the next call opens others."""
        self._index.close()
        if self._opened is not None and self._opened.pid == os.getpid():
            self._opened.cache.close()

    def unlink(self, filenames: Iterable[str]) -> None:
        """Delete files whose rows are gone: one that is left over is found by the check."""
        for name in filenames:
            with contextlib.suppress(OSError):
                (self.results / name).unlink()

    def rows(self, query: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """What a query of the index finds; nothing where nothing was ever stored.

        Raises:
            StoreError: it cannot be read; one line with the remedy.
        """

        def look() -> list[Any]:
            return self._index.rows(query, parameters)

        return self._insist("read", look, self._mend_or_read_in_memory)

    def write(self, action: str, change: Callable[[Cache], Answer], *, reserve: bool = False) -> Answer:
        """Change what is stored: all of it, or nothing.

        Args:
            action: what is done to the cache folder, in words.
            change: called with diskcache, and again where the folder was damaged, exchanged or full.
            reserve: a small change, which may use the reserve of space.

        Raises:
            StoreError: it cannot be written; one line with the remedy.
        """

        self._require_writable()

        def attempt() -> Answer:
            return self._insist(action, lambda: self._write(change), lambda _: self.mend())

        answer, given_up = self._with_reserve(attempt) if reserve else (attempt(), False)
        if not given_up:
            self._set_aside()
        return answer

    def mend(self, reason: str | None = None) -> None:
        """Make the index anew if it is missing or unsound, and say so where anything can have been lost.

        Args:
            reason: why it must be made anew although it looks sound.

        Raises:
            StoreError: it cannot be written.
        """

        self._require_writable()

        def attempt() -> Rebuilt | None:
            with index_lock.alone(self._lock):
                return rebuild(self.results, self._settings, reason)

        done, _ = self._with_reserve(lambda: self._insist("write to", attempt, lambda _: None))
        if done is not None and (self._used or done.salvaged.entries or done.salvaged.damaged):
            line = _told(self.folder, done)
            self._say(line)
            with contextlib.suppress(OSError), self._notes.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        self._used = True

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every writer away.

        Raises:
            StoreError: the folder cannot be written.
        """
        self._require_writable()
        with self._explaining("write to"), index_lock.alone(self._lock):
            yield

    def _require_writable(self) -> None:
        if not self._writable:
            raise StoreError(f"The cache folder {self.folder} is only read here.")

    def notes(self) -> tuple[str, ...]:
        """What was said of indexes made anew since this was asked last."""
        try:
            lines = self._notes.read_text(encoding="utf-8").splitlines()
            self._notes.unlink()
        except FileNotFoundError:
            return ()
        return tuple(lines)

    @property
    def _notes(self) -> Path:
        return self.results / "rebuilt.txt"

    def _insist(self, action: str, attempt: Callable[[], Answer], mend: Callable[[str], None]) -> Answer:
        """Try again where the index was damaged, which is then mended, or exchanged or deleted meanwhile."""
        for _ in range(ATTEMPTS - 1):
            try:
                return attempt()
            except (*FAILURES, IndexDamageError) as error:
                damaged = tells_of_damage(error, self.folder)
                if not (damaged or tells_of_exchange(error, self.folder)):
                    raise explained(error, self.folder, action) from error
                if damaged:
                    mend(str(error))
                time.sleep(PAUSE)
        with self._explaining(action):
            return attempt()

    @contextlib.contextmanager
    def _explaining(self, action: str) -> Iterator[None]:
        try:
            yield
        except (*FAILURES, IndexDamageError) as error:
            raise explained(error, self.folder, action) from error

    def _write(self, change: Callable[[Cache], Answer]) -> Answer:
        with index_lock.shared(self._lock), self._writing() as opened:
            answer = change(opened.cache)
        if identity(self._index.path) != opened.file:
            raise IndexDamageError("it was deleted while it was written to")
        return answer

    @contextlib.contextmanager
    def _writing(self) -> Iterator[_Opened]:
        """diskcache; failures leave nothing half-done behind."""
        opened, kept = self._current(), False
        try:
            yield opened
            kept = True
        except FAILURES:
            opened.cache.close()  # a COMMIT that failed may leave its transaction open
            raise
        finally:
            opened.cache.disk.settle(kept=kept)

    def _current(self) -> _Opened:
        now, opened = identity(self._index.path), self._opened
        if opened is not None and (opened.file, opened.pid) == (now, os.getpid()):
            return opened
        if opened is not None and opened.pid != os.getpid():
            # SQLite forbids even closing a connection that came through a fork, so it is kept, unused.
            self._inherited.append(opened.cache)
        if now is None:
            raise IndexDamageError("it is missing")
        try:
            cache = self._open()
        except (TypeError, ValueError, LookupError, AttributeError) as error:  # nonsense among its settings
            raise IndexDamageError(f"{type(error).__name__}: {error}") from error
        self._opened, self._used = _Opened(cache, now, os.getpid()), True
        return self._opened

    def _open(self) -> Cache:
        """diskcache, whose constructor does not wait for another's write at its last step."""
        end = time.monotonic() + WAIT
        while True:
            try:
                return Cache(str(self.results), timeout=WAIT, disk=PlainDisk, **self._settings)
            except sqlite3.OperationalError as error:
                if primary(error) != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
            time.sleep(PAUSE)

    def _mend_or_read_in_memory(self, reason: str) -> None:
        """Where nothing can be written, what is left of a damaged index is read all the same."""
        try:
            self.mend()
        except StoreError as problem:
            with self._explaining("read"):
                memory, salvaged = in_memory(self.results, self._settings)
            self._index.read_from(memory)
            self._say(
                f"The index of the cache folder {self.folder} is unusable ({reason}) and cannot be made "
                f"anew; {len(salvaged.entries):,} entries were found again, and are read. {problem}"
            )

    def _with_reserve(self, attempt: Callable[[], Answer]) -> tuple[Answer, bool]:
        """Do something small even on a full disk, on the space of the reserve; whether that was given up."""
        try:
            return attempt(), False
        except DiskFullError:
            self._give_up_reserve()
            return attempt(), True

    def _say(self, line: str) -> None:
        logger.warning(line)
        self._tell(line)

    def _set_aside(self) -> None:
        """Fill the reserve, where there is room."""
        reserve = self.results / "reserve"
        if not reserve.exists():
            try:
                reserve.write_bytes(os.urandom(RESERVE))  # zeros could take no space at all
            except OSError:
                self._give_up_reserve()

    def _give_up_reserve(self) -> None:
        with contextlib.suppress(OSError):
            (self.results / "reserve").unlink(missing_ok=True)


def _told(folder: Path, done: Rebuilt) -> str:
    """One line: what was wrong, what was done, what is lost."""
    found, expected, damaged = len(done.salvaged.entries), done.salvaged.expected, len(done.salvaged.damaged)
    of = f" of {expected:,}" if expected is not None and expected > found else ""
    aside = f", {damaged:,} damaged files are left aside" if damaged else ""
    return (
        f"The index of the cache folder {folder} was unusable ({done.reason}) and is made anew; "
        f"{found:,}{of} entries were found again{aside}. What is missing is computed when it is asked for."
    )
