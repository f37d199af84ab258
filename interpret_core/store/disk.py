"""How an entry lies on disk: sealed bytes and nothing else.

diskcache pickles whatever it cannot store plainly, and unpickles whatever a database row says is a pickle.
A cache folder can be shared, and a pickle can run code; so `PlainDisk` writes and reads plain bytes only,
and follows no path out of its folder. Each entry carries its name and a SHA-256 of name and content, so that
an index that was lost can be made anew from the entries themselves.

    magic (8 bytes) | SHA-256 of all that follows (32) | length of the name (8, little-endian) | name, UTF-8,
    filled up with zeros to a multiple of 8, so that arrays in the payload stay aligned | payload
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
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from diskcache import Disk
from diskcache.core import MODE_BINARY, MODE_RAW, UNKNOWN

from interpret_core.store.failures import explained

logger = logging.getLogger(__name__)

MAGIC = b"unitsc02"
OLDER = b"unitsc01"  # without the name: results of versions whose keys nobody asks for any more
START = len(MAGIC) + hashlib.sha256().digest_size
LENGTH = 8  # bytes that say how long the name is
ALIGNMENT = 8
BLOB = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}\.val")


class Damage(Exception):
    """An entry that must not be served; the message says why."""


class NewerEntryError(Exception):
    """An entry of a later version of this program: it is left alone."""


class Sealed(NamedTuple):
    """An entry as it is written.

    Attributes:
        pieces: header and payload, not joined, to spare a copy.
        own_file: whatever its size, it gets a file of its own, and outlives the index.
    """

    pieces: tuple[bytes | memoryview, ...]
    own_file: bool = False


def seal(name: str, payload: Iterable[bytes | memoryview], *, own_file: bool = False) -> Sealed:
    """Magic, checksum and name in front of a payload, which is given in pieces."""
    text = name.encode()
    told = len(text).to_bytes(LENGTH, "little") + text + bytes(-len(text) % ALIGNMENT)
    payload = tuple(payload)
    return Sealed((MAGIC + _checksum(told, *payload) + told, *payload), own_file)


def unseal(name: str, data: bytes) -> memoryview:
    """The payload of the sealed entry of this name, without a copy.

    Raises:
        Damage: another format, a checksum that does not fit, or another entry's bytes.
        NewerEntryError: written by a later version.
    """
    found, payload = opened(data)
    if found != name:
        raise Damage("it is another entry's content")
    return payload


def payload_of(start: bytes) -> bytes:
    """What the first bytes of a sealed entry hold of its payload, unchecked; nothing without a seal."""
    if start[: len(MAGIC)] != MAGIC or len(start) < START + LENGTH:
        return b""
    name = int.from_bytes(start[START : START + LENGTH], "little")
    return start[START + LENGTH + name + -name % ALIGNMENT :]


def newer(start: bytes | memoryview) -> bool:
    """Whether the first bytes of an entry are those of a later version of this format."""
    word, number = bytes(start[:-2]), bytes(start[-2:])
    return word == MAGIC[:-2] and number.isdigit() and number > MAGIC[-2:]


def opened(data: bytes) -> tuple[str, memoryview]:
    """Name and payload of a sealed entry, without a copy.

    Raises:
        Damage: another format, or a checksum that does not fit.
        NewerEntryError: written by a later version.
    """
    view = memoryview(data)
    if newer(view[: len(MAGIC)]):
        raise NewerEntryError("written by a later version of Unitscope")
    if view[: len(OLDER)] == OLDER:
        raise Damage("written by an older version")
    if len(view) < START + LENGTH or view[: len(MAGIC)] != MAGIC:
        raise Damage("not an entry of this store")
    if view[len(MAGIC) : START] != _checksum(view[START:]):  # so what follows is what `seal` wrote
        raise Damage("checksum differs")
    length = int.from_bytes(view[START : START + LENGTH], "little")
    named = view[START + LENGTH :]
    return bytes(named[:length]).decode(), named[length + -length % ALIGNMENT :]


def _checksum(*parts: bytes | memoryview) -> bytes:
    checksum = hashlib.sha256()
    for part in parts:
        checksum.update(part)
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
        """Write a sealed entry into a file of its own, or a small one that need not have one into the row."""
        if type(value) is not Sealed or read:
            raise TypeError(f"A {type(value).__name__} is not a sealed entry; the store keeps nothing else.")
        size = sum(map(len, value.pieces))
        if size < self.min_file_size and not value.own_file:
            return 0, MODE_RAW, None, sqlite3.Binary(b"".join(value.pieces))
        filename, path = self.filename()
        self._pending.filename = filename
        with _create(Path(path)) as file:
            for piece in value.pieces:
                file.write(piece)
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
            return read_plain(Path(self._directory, filename))
        except FileNotFoundError:
            raise Damage("its file is missing") from None
        except OSError as error:
            # diskcache takes any OSError for "not there"; too many open files is no reason to compute again.
            raise explained(error, Path(self._directory).parent, "read") from error

    def start(self, filename: str | None, value: object, most: int = len(MAGIC)) -> bytes:
        """The first bytes of an entry, from its file or its row; nothing where they cannot be read."""
        if filename is None:
            return value if type(value) is bytes else b""
        if not BLOB.fullmatch(filename):
            return b""
        with contextlib.suppress(Damage, OSError):
            return read_plain(Path(self._directory, filename), most)
        return b""

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


def entry_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files that this store may have made in a results folder, by their name in the index, sorted."""
    for path in sorted(folder.glob("??/??/*.val")):
        name = path.relative_to(folder).as_posix()
        if BLOB.fullmatch(name):
            yield name, path


def read_plain(path: Path, most: int = -1) -> bytes:
    """A regular file's bytes: all of them, or at most the first so many.

    Raises:
        Damage: it is something else.
        OSError: the system does not let us read it.
    """
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
        return file.readall() if most < 0 else file.read(most)
