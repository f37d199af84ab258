"""What was cleared and can be brought back for a day: entries under other names, their bytes where they were.

    aside/trash/<when>-<token>/<name>   an entry that was cleared as `<name>`

Clearing renames rows of the index, all of them in one step, and touches no file: what comes back is what it
was, byte for byte, with the time at which it was written. Whatever was stored under the same name meanwhile
stays, and what was cleared goes for good. Each file still says its first name, so where an index is lost and
made anew from the files, what was cleared is simply back.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from diskcache import Cache

from interpret_core.errors import StoreError
from interpret_core.store.disk import BLOB
from interpret_core.store.folder import BYTES, PLAIN, TIME, ResultsFolder

DAY = 24 * 3600.0  # seconds for which what was cleared can be brought back
PREFIX = "aside/trash/"
_BATCH = re.compile(r"(\d{10,13})-[0-9a-f]{8}")  # milliseconds since the epoch, and what tells two apart
_END = "\U0010ffff"


class StoredEntry(NamedTuple):
    """An entry of a folder.

    Attributes:
        name: in the index: `record/` or `state/` and its key.
        bytes: that it takes.
        written: when it was written, seconds since the epoch.
    """

    name: str
    bytes: int
    written: float

    @property
    def key(self) -> str:
        """Its key in the store."""
        return self.name.partition("/")[2]

    @property
    def kind(self) -> str:
        """The first word of its key."""
        return self.key.partition("/")[0]


class Cleared(NamedTuple):
    """What was cleared at once.

    Attributes:
        batch: names it.
        when: it was cleared, seconds since the epoch.
        entries, bytes: how many, and what they still take.
    """

    batch: str
    when: float
    entries: int
    bytes: int


class Restored(NamedTuple):
    """What came back, and how many entries did not, because something newer lies in their place."""

    entries: int
    superseded: int


def stored_entries(folder: ResultsFolder) -> list[StoredEntry]:
    """All entries, those that were cleared aside; sorted by name."""
    query = f"SELECT key, {BYTES}, {TIME} FROM Cache WHERE {PLAIN} AND NOT (key >= ? AND key < ?) ORDER BY 1"
    rows = folder.rows(query, (PREFIX, PREFIX + _END))
    return [StoredEntry(name, int(size or 0), float(written)) for name, size, written in rows]


class Trash:
    """What was cleared in a results folder. Safe to share between threads.

    Args:
        folder: the results folder.
        newer: whether an entry, by its name and when it was written, is of a later version, which nobody here
            may touch.
    """

    def __init__(self, folder: ResultsFolder, newer: Callable[[str, float], bool]) -> None:
        self._folder, self._newer = folder, newer

    def clear(self, entries: Sequence[StoredEntry]) -> Cleared | None:
        """Put entries aside, in one step; those that were written anew since they were listed stay.

        Returns:
            What was cleared, None where nothing was.

        Raises:
            StoreError: the folder cannot be written; then all are where they were.
        """
        chosen = [one for one in entries if not self._newer(one.name, one.written)]
        batch = f"{int(time.time() * 1000):013d}-{secrets.token_hex(4)}"

        def rename(cache: Cache) -> int:
            query = f"UPDATE Cache SET key = ? WHERE key = ? AND {PLAIN} AND {TIME} = ?"
            with cache.transact():
                return sum(
                    _sql(cache, query, (f"{PREFIX}{batch}/{one.name}", one.name, one.written)).rowcount
                    for one in chosen
                )

        if not chosen or not self._folder.write("write to", rename, reserve=True):
            return None
        return next((one for one in self.batches() if one.batch == batch), None)

    def batches(self) -> list[Cleared]:
        """What was cleared and is still there, the latest first."""
        query = f"SELECT key, {BYTES} FROM Cache WHERE {PLAIN} AND key >= ? AND key < ?"
        found: dict[str, list[int]] = {}
        for name, size in self._folder.rows(query, (PREFIX, PREFIX + _END)):
            found.setdefault(name.removeprefix(PREFIX).partition("/")[0], []).append(int(size or 0))
        return [
            Cleared(batch, int(told[1]) / 1000, len(sizes), sum(sizes))
            for batch, sizes in sorted(found.items(), reverse=True)
            if (told := _BATCH.fullmatch(batch))
        ]

    def restore(self, batch: str) -> Restored:
        """Bring back what was cleared at once, in one step; what was stored meanwhile wins.

        Raises:
            StoreError: it is gone, or the folder cannot be written; one clear line.
        """
        place = f"{PREFIX}{batch}/"

        def rename(cache: Cache) -> tuple[int, int, list[str]]:
            with cache.transact():
                rows = _sql(cache, "SELECT key FROM Cache WHERE key >= ? AND key < ?", (place, place + _END))
                names = [name.removeprefix(place) for (name,) in rows.fetchall()]
                query = (
                    "UPDATE Cache SET key = ? WHERE key = ? AND raw = 1 "
                    "AND NOT EXISTS (SELECT 1 FROM Cache WHERE key = ? AND raw = 1)"
                )
                back = sum(_sql(cache, query, (one, place + one, one)).rowcount for one in names)
                return back, len(names) - back, _delete(cache, place)

        if not _BATCH.fullmatch(batch):
            raise StoreError("What was cleared is gone: it was kept for a day.")
        back, superseded, files = self._folder.write("write to", rename, reserve=True)
        self._folder.unlink(files)
        if not back and not superseded:
            raise StoreError("What was cleared is gone: it was kept for a day, or somebody brought it back.")
        return Restored(back, superseded)

    def sweep(self, before: float) -> int:
        """Delete for good what was cleared before a time (seconds since the epoch); how many bytes."""
        old = [one for one in self.batches() if one.when < before]
        for one in old:
            self.delete(one.batch)
        return sum(one.bytes for one in old)

    def delete(self, batch: str) -> None:
        """Delete for good what was cleared at once."""
        if not _BATCH.fullmatch(batch):
            return

        def delete(cache: Cache) -> list[str]:
            with cache.transact():
                return _delete(cache, f"{PREFIX}{batch}/")

        # The rows first: a file that is missed is damage.
        self._folder.unlink(self._folder.write("write to", delete, reserve=True))


def _delete(cache: Cache, place: str) -> list[str]:
    """Delete the rows below a place; names of their files, as far as this store has made them."""
    within = (place, place + _END)
    rows = _sql(cache, "SELECT filename FROM Cache WHERE key >= ? AND key < ?", within).fetchall()
    _sql(cache, "DELETE FROM Cache WHERE key >= ? AND key < ?", within)
    return [name for (name,) in rows if isinstance(name, str) and BLOB.fullmatch(name)]


def _sql(cache: Any, query: str, parameters: tuple[Any, ...]) -> Any:
    return cache._sql(query, parameters)
