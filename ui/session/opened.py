"""Registered data sets, opened once and kept up to date: a page must look for results under today's digest.

The tables are looked at on every use (a few calls of `stat`). Pictures and masks are far too many for that:
they are looked at again when a job has ended since, when one that is read turns out to be another, and
otherwise about once a minute. A look reads only
files whose size or time has changed, yet walks over all of them, so it happens in a thread: whoever asks
waits a moment for it (long enough for thousands of files) and else goes on with what was known.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from interpret_core.datasets import Dataset
from interpret_core.errors import ChangedFileError, UnitscopeError

EVERY = 60.0  # seconds after which every file is looked at again
PATIENCE = 0.5  # seconds that whoever asks waits for such a look
_T = TypeVar("_T")
Stamp = tuple[tuple[str, int, int, int, int], ...]


class Place(NamedTuple):
    """A data set as it is asked for.

    Attributes:
        name: registered name.
        folder: where it lies, None for a name that is not registered.
        opener: opens it anew.
    """

    name: str
    folder: Path | None
    opener: Callable[[], Dataset]


class _Kept(NamedTuple):
    dataset: Dataset
    stamp: Stamp
    looked: float  # seconds since the epoch


def stamp(folder: Path) -> Stamp:
    """Name, size, times of change and inode of each table (see `datasets.digests`)."""
    found = []
    for path in sorted(folder.glob("*.csv")):
        try:
            status = path.stat()
        except OSError:
            continue  # gone since the listing: that is a change as well
        found.append(
            (path.name, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino),
        )
    return tuple(found)


class Shelf:
    """The data sets in use, by name and folder. Safe to share between threads."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._lookers: dict[tuple[str, str], threading.Thread] = {}
        self._lock = threading.Lock()

    def get(self, place: Place, since: float = 0.0) -> Dataset:
        """The data set as it is on disk, as far as the module's first words promise.

        Args:
            place: which one.
            since: seconds since the epoch; every file is looked at again if that has not happened after it.

        Raises:
            DatasetError: from the opener.
        """
        key, now = (place.name, str(place.folder)), stamp(place.folder) if place.folder else ()
        kept = self._kept.get(key)
        if kept is None or kept.stamp != now:
            kept = _Kept(place.opener(), now, time.time())
            self._kept[key] = kept
        elif kept.looked <= since:
            self._look(key, kept, place.opener)
        elif time.time() - kept.looked > EVERY:
            with self._lock:
                looker = self._lookers.get(key)
                if looker is None or not looker.is_alive():
                    looker = threading.Thread(target=self._look, args=(key, kept, place.opener), daemon=True)
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


def reading_of(
    name: str, opened: Callable[[float], Dataset], digest: str, read: Callable[[Dataset], _T]
) -> _T:
    """What a data set's files hold, as it was when a result was made of it.

    A file that turns out to be another one has all of them looked at again, at once.

    Args:
        name: of the data set.
        opened: gives it; whatever changed before the time it is told is taken into account.
        digest: of the data set that the result is of.
        read: reads them.

    Raises:
        ChangedFileError: it is another data set now; one line.
        UserError: from the opener or from `read`.
    """
    now = _of_result(name, opened(0.0), digest)
    try:
        return read(now)
    except ChangedFileError:
        return read(_of_result(name, opened(time.time()), digest))


def _of_result(name: str, opened: Dataset, digest: str) -> Dataset:
    if opened.digest != digest:
        raise ChangedFileError(
            f"Data set {name} is another one than when this result was computed, so its photographs are not "
            "shown beside it: reload this page, or put the files back."
        )
    return opened
