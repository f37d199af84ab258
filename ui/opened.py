"""Registered data sets, opened once and kept up to date: a page must look for results under today's digest.

The tables are looked at on every use (a few calls of `stat`). Pictures and masks are far too many for that:
they are looked at again when a job has ended since, and otherwise about once a minute. A look reads only
files whose size or time has changed, yet walks over all of them, so it happens in a thread: whoever asks
waits a moment for it (long enough for thousands of files) and else goes on with what was known.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from interpret_core.datasets import Dataset
from interpret_core.errors import UnitscopeError

EVERY = 60.0  # seconds after which every file is looked at again
PATIENCE = 0.5  # seconds that whoever asks waits for such a look
Stamp = tuple[tuple[str, int, int], ...]


class _Kept(NamedTuple):
    dataset: Dataset
    stamp: Stamp
    looked: float  # seconds since the epoch


def stamp(folder: Path) -> Stamp:
    """Name, size and time of change of each table."""
    found = []
    for path in sorted(folder.glob("*.csv")):
        try:
            status = path.stat()
        except OSError:
            continue  # gone since the listing: that is a change as well
        found.append((path.name, status.st_size, status.st_mtime_ns))
    return tuple(found)


class Shelf:
    """The data sets in use, by name and folder. Safe to share between threads."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._lookers: dict[tuple[str, str], threading.Thread] = {}
        self._lock = threading.Lock()

    def get(
        self, name: str, folder: Path | None, opener: Callable[[], Dataset], since: float = 0.0
    ) -> Dataset:
        """The data set as it is on disk, as far as the module's first words promise.

        Args:
            name: registered name.
            folder: where it lies, None for a name that is not registered.
            opener: opens it anew.
            since: seconds since the epoch; every file is looked at again if that has not happened after it.

        Raises:
            DatasetError: from `opener`.
        """
        key, now = (name, str(folder)), stamp(folder) if folder else ()
        kept = self._kept.get(key)
        if kept is None or kept.stamp != now:
            kept = _Kept(opener(), now, time.time())
            self._kept[key] = kept
        elif kept.looked <= since:
            self._look(key, kept, opener)
        elif time.time() - kept.looked > EVERY:
            with self._lock:
                looker = self._lookers.get(key)
                if looker is None or not looker.is_alive():
                    looker = threading.Thread(target=self._look, args=(key, kept, opener), daemon=True)
                    self._lookers[key] = looker
                    looker.start()
            looker.join(PATIENCE)
        return self._kept.get(key, kept).dataset

    def _look(self, key: tuple[str, str], kept: _Kept, opener: Callable[[], Dataset]) -> None:
        looked, now = time.time(), stamp(Path(key[1]))
        try:
            fresh = opener()
            same = fresh.digest == kept.dataset.digest
        except (UnitscopeError, OSError):
            self._kept.pop(key, None)  # whoever asks next opens it and gets the reason
            return
        self._kept[key] = _Kept(kept.dataset if same else fresh, now, looked)
