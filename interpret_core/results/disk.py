"""How an entry lies on disk: sealed bytes and nothing else.

diskcache pickles whatever it cannot store plainly, and unpickles whatever a database row says is a pickle.
A cache folder can be shared, and a pickle can run code; so `PlainDisk` writes and reads plain bytes only,
and follows no path out of its folder. Each entry carries a SHA-256 of its name and content.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import re
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any, NamedTuple

from diskcache import Disk, Timeout
from diskcache.core import MODE_BINARY, MODE_RAW, UNKNOWN

from interpret_core.errors import StoreError

logger = logging.getLogger(__name__)

MAGIC = b"unitsc01"
HEADER_SIZE = len(MAGIC) + hashlib.sha256().digest_size
BLOB = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}\.val")
FULL = (errno.ENOSPC, errno.EDQUOT)


class Damage(Exception):
    """An entry that must not be served; the message says why."""


class DiskFullError(StoreError):
    """No space left; the only failure that giving the reserve up can mend."""


class Sealed(NamedTuple):
    """An entry as it is written: header and payload, kept apart to spare a copy."""

    header: bytes
    payload: bytes


def seal(name: str, payload: bytes) -> Sealed:
    """Magic and checksum in front of a payload."""
    return Sealed(MAGIC + _checksum(name, payload), payload)


def unseal(name: str, data: bytes) -> memoryview:
    """The payload of a sealed entry, without a copy.

    Raises:
        Damage: another format, or a checksum that does not fit name and payload.
    """
    view = memoryview(data)
    if len(view) < HEADER_SIZE or view[: len(MAGIC)] != MAGIC:
        raise Damage("not an entry of this store")
    payload = view[HEADER_SIZE:]
    if view[len(MAGIC) : HEADER_SIZE] != _checksum(name, payload):
        raise Damage("checksum differs")
    return payload


def _checksum(name: str, payload: bytes | memoryview) -> bytes:
    # The name is part of it: an entry that ends up under another key is damaged too.
    checksum = hashlib.sha256(name.encode() + b"\0")
    checksum.update(payload)
    return checksum.digest()


class PlainDisk(Disk):  # type: ignore[misc]
    """diskcache's disk without pickle: text keys, sealed bytes, regular files inside the folder."""

    def __init__(self, directory: str, min_file_size: int = 0, pickle_protocol: int = 0) -> None:
        super().__init__(directory, min_file_size, pickle_protocol)
        self._pending = threading.local()

    def put(self, key: object) -> tuple[str, bool]:
        """The database's form of a key: text as it is, anything else refused."""
        if type(key) is not str:
            raise TypeError(f"Key {key!r} is not text; the store keeps no other keys.")
        return key, True

    def get(self, key: object, raw: object) -> str:
        """The key of a database row; a pickled one is refused, unopened."""
        if not raw or type(key) is not str:
            raise Damage("its key is not text")
        return key

    def store(self, value: object, read: bool, key: object = UNKNOWN) -> tuple[int, int, str | None, Any]:
        """Write a sealed entry: small ones into the row, others into a file of their own."""
        if type(value) is not Sealed or read:
            raise TypeError(f"A {type(value).__name__} is not a sealed entry; the store keeps nothing else.")
        size = len(value.header) + len(value.payload)
        if size < self.min_file_size:
            return 0, MODE_RAW, None, sqlite3.Binary(b"".join(value))
        filename, path = self.filename()
        self._pending.filename = filename
        with _create(Path(path)) as file:
            file.write(value.header)
            file.write(value.payload)
        return size, MODE_BINARY, filename, None

    def fetch(self, mode: int, filename: str | None, value: object, read: bool) -> bytes:
        """Read a sealed entry's bytes.

        Raises:
            Damage: the row is not plain bytes (a pickle, say), or its file is missing or not a plain file.
            StoreError: the file is there and the system does not let us read it.
        """
        if mode == MODE_RAW and type(value) is bytes and not read:
            return value
        if mode != MODE_BINARY or read or not isinstance(filename, str) or not BLOB.fullmatch(filename):
            raise Damage("not plain bytes; left unopened")
        try:
            return _read(Path(self._directory, filename))
        except FileNotFoundError:
            raise Damage("its file is missing") from None
        except OSError as error:
            # diskcache takes any OSError for "not there"; too many open files is no reason to compute again.
            raise explained(error, Path(self._directory), "read") from error

    def remove(self, file_path: object) -> None:
        """Delete an entry's file; a path that this store would not have made is left alone."""
        if isinstance(file_path, str) and BLOB.fullmatch(file_path):
            super().remove(file_path)
        else:
            logger.warning("The cache names a file outside itself, %r: left alone.", file_path)

    def settle(self, *, kept: bool) -> None:
        """After a write of this thread: forget its file, or delete it when the write did not go through."""
        filename = getattr(self._pending, "filename", None)
        self._pending.filename = None
        if filename is not None and not kept:
            self.remove(filename)


def _create(path: Path) -> Any:
    for _ in range(10):
        with contextlib.suppress(FileNotFoundError):  # another process has just removed the empty folder
            path.parent.mkdir(parents=True, exist_ok=True)
            return path.open("xb")
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def _read(path: Path) -> bytes:
    try:
        # A link could lead out of the folder, a pipe would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENOTDIR):
            raise Damage("its file is not a plain file") from None
        raise
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Damage("its file is not a plain file")
        return file.readall()


def explained(error: BaseException, folder: Path, action: str) -> StoreError:
    """One clear line for what the system or SQLite reports: value, expectation, remedy."""
    code, text = _cause(error)
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
    if code in (errno.EACCES, errno.EPERM, errno.EROFS) or "readonly" in text or "unable to open" in text:
        return StoreError(
            f"The cache folder {folder} cannot be written by this user ({text}). "
            "Change its permissions, or set INTERPRET_CACHE to a folder that can be written."
        )
    if "malformed" in text or "not a database" in text or isinstance(error, TypeError):
        return StoreError(
            f"The index of the cache folder {folder} is damaged ({text}). "
            "Delete its folder results; everything in it can be computed again."
        )
    if "locked" in text or "busy" in text:
        return StoreError(
            f"The cache folder {folder} stayed busy for a minute: another process holds it. Try again."
        )
    return StoreError(f"Could not {action} the cache folder {folder} ({text}). Check the disk, {elsewhere}.")


def _cause(error: BaseException) -> tuple[int | None, str]:
    """Error number and text; diskcache's Timeout and a failed ROLLBACK hide the reason in their context."""
    while isinstance(error, Timeout | sqlite3.Error) and isinstance(error.__context__, sqlite3.Error):
        error = error.__context__
    code = error.errno if isinstance(error, OSError) else None
    return code, (os.strerror(code) if code else str(error)) or type(error).__name__
