"""Failures of the cache folder in one clear line, and which of them speak of a damaged index."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from pathlib import Path

from diskcache import Timeout

from interpret_core.errors import StoreError

# SQLite quotes a damaged index in its messages, which need not be text.
FAILURES = (OSError, sqlite3.Error, Timeout, UnicodeDecodeError)
FULL = (errno.ENOSPC, errno.EDQUOT)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
PROBE = 1 << 16  # bytes
INDEX = "cache.db"  # diskcache's name for it

# What SQLite says of a file that is no longer what it wrote itself. Some of it (a missing table, a broken
# constraint) would be our own mistake on a sound index: whoever acts on this looks at the index first.
_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_SCHEMA,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_EMPTY,
}

_NOT_THERE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)


class DiskFullError(StoreError):
    """No space left; the only failure that giving the reserve up can mend."""


class IndexDamageError(Exception):
    """The index is not what this program makes; it has to be made anew. The message says why."""


def tells_of_damage(error: BaseException, folder: Path) -> bool:
    """Whether a failure may come from a damaged index rather than from the system.

    Args:
        error: of a read or write of the index.
        folder: the cache folder.
    """
    error = _origin(error)
    if isinstance(error, IndexDamageError | UnicodeDecodeError):
        return True
    if not isinstance(error, sqlite3.Error):
        return False
    code = primary(error)
    if code is None:  # Python's own complaint: a text that is no UTF-8, a number too large
        return True
    if code == sqlite3.SQLITE_READONLY:  # a version number in its header can forbid writing, too
        return _may_write(folder / "results") and _may_write(folder / "results" / INDEX)
    return code in _DAMAGE or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_IOERR_SHORT_READ


def tells_of_exchange(error: BaseException, folder: Path) -> bool:
    """Whether a failure may come from somebody's deleting or exchanging the folder meanwhile.

    Args:
        error: of a read or write.
        folder: the cache folder.
    """
    error = _origin(error)
    if isinstance(error, FileNotFoundError):
        return True
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY_DBMOVED:
        return True
    return primary(error) in _NOT_THERE and not (folder / "results" / INDEX).exists()


def primary(error: BaseException) -> int | None:
    """SQLite's result code of an error without its detail; None where SQLite gave none."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def explained(error: BaseException, folder: Path, action: str) -> StoreError:
    """One clear line for what the system or SQLite reports: value, expectation, remedy.

    Args:
        error: what was caught.
        folder: the cache folder.
        action: what was tried: "read", or words such as "write to" that need a place to write.
    """
    code, text = _cause(error, folder, action)
    elsewhere = "or set INTERPRET_CACHE to a folder on another disk"
    if code in FULL or "disk is full" in text:
        return DiskFullError(
            f"The disk of the cache folder {folder} is full; results already stored are safe. "
            f"Free some space, {elsewhere}."
        )
    if code in (errno.ENOTDIR, errno.EEXIST):
        return StoreError(
            f"The cache folder {folder} is (or lies in) a file. Set INTERPRET_CACHE to a folder."
        )
    if code in FORBIDDEN or "readonly" in text or "unable to open" in text:
        if action == "read":
            return StoreError(
                f"The cache folder {folder} cannot be read by this user ({text}). "
                "Change the permissions of all that lies in it, or set INTERPRET_CACHE to another folder."
            )
        return StoreError(
            f"The cache folder {folder} cannot be written by this user ({text}). "
            "Change its permissions, or set INTERPRET_CACHE to a folder that can be written."
        )
    if "locked" in text or "busy" in text:
        return StoreError(
            f"The cache folder {folder} stayed busy for a minute: another process holds it. Try again."
        )
    return StoreError(f"Could not {action} the cache folder {folder} ({text}). Check the disk, {elsewhere}.")


def _origin(error: BaseException) -> BaseException:
    """What happened first: diskcache's Timeout and a failed ROLLBACK hide the reason in their context."""
    while isinstance(error, Timeout | sqlite3.Error) and isinstance(error.__context__, sqlite3.Error):
        error = error.__context__
    return error


def _cause(error: BaseException, folder: Path, action: str) -> tuple[int | None, str]:
    """Error number and text of a failure."""
    error = _origin(error)
    vague = isinstance(error, sqlite3.OperationalError) and "locked" not in str(error)
    if vague and (precise := _asked(folder, action)) is not None:
        error = precise
    code = error.errno if isinstance(error, OSError) else None
    return code, (os.strerror(code) if code else str(error)) or type(error).__name__


def _asked(folder: Path, action: str) -> OSError | None:
    """What the system itself says: SQLite calls a quota, say, an "I/O error"."""
    try:
        if action == "read":
            (folder / "results" / INDEX).stat()
            return (
                None if os.access(folder / "results" / INDEX, os.R_OK) else PermissionError(errno.EACCES, "")
            )
        with tempfile.TemporaryFile(dir=folder / "results") as file:
            file.write(os.urandom(PROBE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error
    return None


def _may_write(path: Path) -> bool:
    # Not by opening it: whoever closes a file gives up all of the process's locks on it, SQLite's too.
    return os.access(path, os.W_OK)
