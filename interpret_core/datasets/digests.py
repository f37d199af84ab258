"""The digest of a data set's content, remembered per file so that the second time needs no reading.

The memo is a JSON file per folder below `cache/digests/`: file -> [size, mtime_ns, ctime_ns, inode, SHA-256],
a file on each line, since it is read line by line: there may be 250,000.
A file is read again when one of the first four differs: size and mtime alone miss a file that `mv` or `cp -p`
put in the place of another. The device is left out, as in git: that of a network share or a container is
another one after every restart, and everything would be read again. A file changed in the last two seconds is
not memoised: a second change within the clock's resolution would go unseen (git's "racily clean" entries).

The memo is a convenience: where it cannot be written or is damaged, files are read again, and nothing else
changes. Where a file turns out to be another one although none of the four differs, the folder's memo is
deleted (`distrust`).
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from interpret_core import config
from interpret_core.datasets.contents import MISSING, digest_if_there, not_there, refused
from interpret_core.datasets.shades import RECIPE
from interpret_core.errors import Cancelled
from interpret_core.files import name_bytes

VERSION = 2  # of how files are read: raise it where the same bytes become other pixels or numbers
# The same for files of a few formats alone, known by their names: all other data sets keep their digest.
_REVISION = 1
_REVISED = (".bmp", ".dib", ".tga", ".pgm", ".pnm", ".jp2", ".j2k", ".jpx", ".jpf", ".jpc", ".j2c")
_RACY_NS = 2_000_000_000
_CHUNK = 64

_ENTRY = struct.Struct("<qqqQ32s")  # size, mtime_ns, ctime_ns, inode, SHA-256: one object in place of six
_LENGTH = 32  # bytes of a SHA-256
_DIGEST = slice(_ENTRY.size - _LENGTH, _ENTRY.size)
_NOTHING = bytes(_LENGTH)


@dataclass(frozen=True)
class Content:
    """What a data set consists of.

    Attributes:
        digest: SHA-256 (hex) over tables, files and the recipe of the shades.
        names: files below the folder, sorted.
        files: the SHA-256 of each, one after the other; zeros for what is missing.
    """

    digest: str
    names: Sequence[str]
    files: bytes

    def of(self, name: str) -> bytes:
        """The SHA-256 of a file, or MISSING."""
        at = bisect_left(self.names, name) * _LENGTH
        found = self.files[at : at + _LENGTH]
        return found if found != _NOTHING else MISSING


def content_of(
    folder: Path,
    tables: Mapping[str, str],
    files: Iterable[str],
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Content:
    """Read what has not been read before, and name the whole.

    Args:
        folder: the data set's; its place does not enter.
        tables: table file -> SHA-256 of its bytes.
        files: files below the folder, in any order, repetitions allowed; a missing one enters as missing.
        progress: called with files done and files in all.
        cancelled: asked regularly; a true answer raises Cancelled.

    Raises:
        DatasetError: a file that the operating system does not hand out, though it is there.
    """
    names = sorted(set(files))
    memo = _Memo(folder)
    recipe = [VERSION, RECIPE, sorted(tables.items())]
    if any(name.lower().endswith(_REVISED) for name in names):
        recipe.append(_REVISION)
    total = hashlib.sha256(json.dumps(recipe).encode())
    chunks = [names[start : start + _CHUNK] for start in range(0, len(names), _CHUNK)]
    pool = ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1), thread_name_prefix="digest")
    found, done = bytearray(), 0  # as objects of their own, those of 250,000 files would take 18 MB
    try:
        for chunk, digests in zip(chunks, pool.map(memo.digests, chunks), strict=True):
            if cancelled is not None and cancelled():
                raise Cancelled("Stopped while reading the data set.")
            for name, digest in zip(chunk, digests, strict=True):
                found += _NOTHING if digest == MISSING else digest
                written = "missing" if digest == MISSING else digest.hex()
                total.update(name_bytes(f"{name}\0{written}\n"))
            done += len(chunk)
            if progress is not None:
                progress(done, len(names))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        memo.save()
    return Content(total.hexdigest(), names, bytes(found))


def distrust(folder: Path, name: str, digest: bytes) -> None:
    """Delete a folder's memo if it takes a file for what it is not, so that the next run reads every file.

    There are file systems, and ways to write, that leave no time of change. Where one file was changed so,
    others may have been, and runs would stop at them one by one.

    Args:
        folder: the data set's.
        name: of a file below it whose content is not what `digest` says.
        digest: the SHA-256 that was taken for the file's.
    """
    path = _memo_of(folder)
    entry = _load(path).get(name)
    with suppress(OSError):
        if entry is not None and entry == _entry((folder / name).stat(), digest):
            path.unlink()


def _memo_of(folder: Path) -> Path:
    key = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
    return config.current().cache / "digests" / f"{key}.json"


def _entry(status: os.stat_result, digest: bytes) -> bytes:
    return _ENTRY.pack(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, digest)


class _Memo:
    """Digests of the files below one folder, loaded from and saved to its JSON file."""

    def __init__(self, root: Path) -> None:
        self._prefix = f"{root}{os.sep}"
        self._path = _memo_of(root)
        self._old = _load(self._path)
        self._new: dict[str, bytes] = {}

    def digests(self, names: list[str]) -> list[bytes]:
        return [self._digest(name) for name in names]

    def _digest(self, name: str) -> bytes:
        path = f"{self._prefix}{name}"  # Path objects would take longer than the system call, 250,000 times
        try:
            status = os.stat(path)  # noqa: PTH116
            entry = known = self._old.get(name)
            if entry is None or entry != _entry(status, entry[_DIGEST]):
                digest = digest_if_there(path, status)
                if digest is None:
                    return MISSING
                entry = _entry(status, digest)
        except OSError as error:
            if not_there(error):
                return MISSING
            raise refused(path, error) from error
        if entry is not known and time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _RACY_NS:
            self._new[name] = entry
        return entry[_DIGEST]

    def save(self) -> None:
        if not self._new:
            return
        part = self._path.with_suffix(f".{os.getpid()}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8") as file:
                kept = ((name, one) for name, one in self._old.items() if name not in self._new)
                file.writelines(_lines(chain(self._new.items(), kept)))
            part.replace(self._path)
        except OSError:
            # Not worth a failure: the store reports an unwritable cache when a result is to be kept.
            return


def _lines(entries: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    """The memo, an entry on each line."""
    before = "{"
    for name, entry in entries:
        *identity, digest = _ENTRY.unpack(entry)
        yield f"{before}\n{json.dumps(name)}:{json.dumps([*identity, digest.hex()], separators=(',', ':'))}"
        before = ","
    yield "\n}\n"


def _load(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                told = line.strip().removeprefix("{").removesuffix("}").removesuffix(",")
                for name, (*identity, digest) in json.loads(f"{{{told}}}").items():
                    if len(digest) != 64:
                        return {}
                    found[name] = _ENTRY.pack(*identity, bytes.fromhex(digest))
    except (OSError, ValueError, TypeError, AttributeError, struct.error):
        return {}
    return found
