"""The digest of a data set's content, remembered per file so that the second time needs no reading.

The memo is a JSON file per folder below `cache/digests/`: file -> [size, mtime_ns, SHA-256]. A file is read
again when its size or time differs. A file changed in the last two seconds is not memoised: a second change
within the clock's resolution would go unseen (git's "racily clean" entries). The memo is a convenience:
where it cannot be written or is damaged, files are read again, and nothing else changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from interpret_core import config
from interpret_core.datasets.shades import RECIPE
from interpret_core.errors import Cancelled

VERSION = 1
_RACY_NS = 2_000_000_000
_CHUNK = 64
_MISSING = "missing"

Entry = tuple[int, int, str]


def content_digest(
    root: Path,
    tables: Mapping[str, str],
    files: Iterable[str],
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> str:
    """SHA-256 (hex) over tables, files and the recipe of the shades.

    Args:
        root: the folder; its place does not enter.
        tables: table file -> SHA-256 of its bytes.
        files: files relative to root, in any order, repetitions allowed; a missing one enters as missing.
        progress: called with files done and files in all.
        cancelled: asked regularly; a true answer raises Cancelled.
    """
    names = sorted(set(files))
    memo = _Memo(root)
    total = hashlib.sha256(json.dumps([VERSION, RECIPE, sorted(tables.items())]).encode())
    chunks = [names[start : start + _CHUNK] for start in range(0, len(names), _CHUNK)]
    pool = ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1), thread_name_prefix="digest")
    done = 0
    try:
        for chunk, digests in zip(chunks, pool.map(memo.digests, chunks), strict=True):
            if cancelled is not None and cancelled():
                raise Cancelled("Stopped while reading the data set.")
            for name, digest in zip(chunk, digests, strict=True):
                total.update(f"{name}\0{digest}\n".encode())
            done += len(chunk)
            if progress is not None:
                progress(done, len(names))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        memo.save()
    return total.hexdigest()


class _Memo:
    """Digests of the files below one folder, loaded from and saved to its JSON file."""

    def __init__(self, root: Path) -> None:
        self._prefix = f"{root}{os.sep}"
        key = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]
        self._path = config.current().cache / "digests" / f"{key}.json"
        self._old = _load(self._path)
        self._new: dict[str, Entry] = {}

    def digests(self, names: list[str]) -> list[str]:
        return [self._digest(name) for name in names]

    def _digest(self, name: str) -> str:
        path = f"{self._prefix}{name}"  # Path objects would take longer than the system call, 250,000 times
        try:
            status = os.stat(path)  # noqa: PTH116
            entry = self._old.get(name)
            if entry is None or entry[:2] != (status.st_size, status.st_mtime_ns):
                # A picture is small: one read, no streaming.
                entry = (
                    status.st_size,
                    status.st_mtime_ns,
                    hashlib.sha256(Path(path).read_bytes()).hexdigest(),
                )
        except OSError:
            return _MISSING
        if time.time_ns() - status.st_mtime_ns > _RACY_NS:
            self._new[name] = entry
        return entry[2]

    def save(self) -> None:
        entries = self._old | self._new
        if entries == self._old:
            return
        part = self._path.with_suffix(f".{os.getpid()}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(entries, separators=(",", ":")), encoding="utf-8")
            part.replace(self._path)
        except OSError:
            # Not worth a failure: the store reports an unwritable cache when a result is to be kept.
            return


def _load(path: Path) -> dict[str, Entry]:
    try:
        content: Any = json.loads(path.read_bytes())
        return {
            name: (int(size), int(time_ns), str(digest)) for name, (size, time_ns, digest) in content.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
