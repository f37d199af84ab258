"""Reading the index: connections that write nothing and are shared by the threads of a process.

Reading needs no room and no right to write: the index has no write-ahead log, so that SQLite makes no file
for a reader, and what is opened here is only ever read. A connection belongs to one file, not to its path:
when the index was deleted or made anew by anybody, the next look opens the new one.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from interpret_core.store.disk import entry_files
from interpret_core.store.failures import INDEX, IndexDamageError, primary
from interpret_core.store.index_lock import WAIT

UNWRITABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)
COLUMNS = (
    *("rowid", "key", "raw", "store_time", "expire_time", "access_time", "access_count"),
    *("tag", "size", "mode", "filename", "value"),
)  # of diskcache's table
ASTRAY = (
    "SELECT 1 FROM (SELECT key, raw FROM Cache NOT INDEXED LIMIT 1) AS first WHERE NOT EXISTS "
    "(SELECT 1 FROM Cache WHERE key = first.key AND raw = first.raw)"
)
Identity = tuple[int, int]  # device and number of a file


class _Idle(NamedTuple):
    """A connection that nobody uses just now: to which file, opened by which process."""

    connection: sqlite3.Connection
    file: Identity
    pid: int


def identity(path: Path) -> Identity | None:
    """Which file lies at this path now; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def has_entries(folder: Path) -> bool:
    """Whether a results folder holds files of entries."""
    return next(entry_files(folder), None) is not None


class Index:
    """A results folder's index, for reading; safe to share between threads, and after a fork.

    Args:
        folder: holds the index and the entries' files; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / INDEX
        self._idle: deque[_Idle] = deque()  # no lock around it: a fork could copy one that is held
        self._inherited: list[sqlite3.Connection] = []
        self._stand_in: tuple[Identity | None, sqlite3.Connection] | None = None

    def rows(self, query: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """What a query finds; nothing where nothing was ever stored.

        Raises:
            OSError, sqlite3.Error: the index cannot be read.
            IndexDamageError: there are entries and no index.
        """
        now, stand_in = identity(self.path), self._stand_in
        if stand_in is not None and stand_in[0] == now:
            return stand_in[1].execute(query, parameters).fetchall()
        if now is None:
            if has_entries(self.folder):
                raise IndexDamageError("it is missing")
            return []
        with self._connection(now) as connection:
            return connection.execute(query, parameters).fetchall()

    def read_from(self, memory: sqlite3.Connection) -> None:
        """Read from this connection as long as the file stays the one that it is now."""
        self._stand_in = (identity(self.path), memory)

    def close(self) -> None:
        """Close what nobody uses just now; the next look opens another connection."""
        self._taken(None)

    @contextlib.contextmanager
    def _connection(self, now: Identity) -> Iterator[sqlite3.Connection]:
        connection, reusable = self._taken(now), True
        if connection is None:
            connection, reusable = opened(self.path)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if reusable:
            self._idle.append(_Idle(connection, now, os.getpid()))
        else:
            connection.close()

    def _taken(self, now: Identity | None) -> sqlite3.Connection | None:
        """An idle connection to the present file, from now on nobody else's; others are closed."""
        with contextlib.suppress(IndexError):
            while True:
                connection, file, pid = self._idle.pop()
                if pid != os.getpid():
                    # SQLite forbids even closing what came through a fork, so it is kept, unused.
                    self._inherited.append(connection)
                elif file == now:
                    return connection
                else:
                    connection.close()
        return None


def opened(path: Path) -> tuple[sqlite3.Connection, bool]:
    """A connection that only reads, and whether it may be used again.

    Raises:
        sqlite3.Error: the index cannot be read.
    """
    try:
        connection, journal = _connected(path, "mode=rw")
    except sqlite3.OperationalError as error:
        if primary(error) not in UNWRITABLE:
            raise
        # Where nothing can be written, SQLite takes rw for ro. Only a journal to play back (left by a crash
        # in mid-write), or the log of an older version, then stands in the way: the index is read as it lies;
        # what does not fit together is told by its errors and the entries' seals.
        return _connected(path, "mode=ro&immutable=1")[0], False
    return connection, journal != "wal"  # as long as a reader keeps a log open, nobody can end it


def _connected(path: Path, mode: str) -> tuple[sqlite3.Connection, str]:
    connection = sqlite3.connect(
        f"{path.as_uri()}?{mode}", uri=True, timeout=WAIT, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA query_only = 1")
        ((journal,),) = connection.execute("PRAGMA journal_mode").fetchall()
        _check(connection)
    except BaseException:
        connection.close()
        raise
    return connection, journal


def _check(connection: sqlite3.Connection) -> None:
    """Two marks of a damage that SQLite would not notice, and under which sound entries would look damaged.

    Raises:
        IndexDamageError: columns are shifted, or a row is not found by its key.
    """
    columns = connection.execute("SELECT name FROM pragma_table_info('Cache')").fetchall()
    if tuple(name for (name,) in columns) != COLUMNS:
        raise IndexDamageError("its table is not that of a cache")
    if connection.execute(ASTRAY).fetchall():
        raise IndexDamageError("its rows are not found by their keys")
