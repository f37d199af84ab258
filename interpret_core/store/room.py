"""Room in a results folder: what it holds by kind, and what makes room for what.

Entries that are computed again in seconds (`store.kinds`) have a bound of their own, so that no address can
fill the disk, and are deleted where the folder would exceed its limit: those first that nobody has read for
the longest. Results are never deleted; where they alone exceed the limit, the next one is refused. When an
entry was last read is the access time of its file: it costs a reader no write to the index, and every process
sees it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from diskcache import Cache

from interpret_core.errors import StoreError
from interpret_core.sizes import written
from interpret_core.store.disk import BLOB, MAGIC, Damage, newer, read_plain
from interpret_core.store.folder import BYTES, PLAIN, ResultsFolder
from interpret_core.store.kinds import AGAIN, EntryKind

AGAIN_BYTES = 4 << 30  # of all entries that are computed again in seconds
AGAIN_ENTRIES = 100_000
LEFT = 7 / 8  # of a bound that was exceeded: room for a while, so that not every write has to look
EVERY = 60.0  # seconds after which other processes' writes are taken into account
RECENT = 10.0  # seconds for which an answer for people is kept
READ_AGAIN = 60.0  # seconds: an entry read twice within them is noted once
AT_ONCE = 200  # rows deleted in one step, which everybody else waits for
_KIND = "substr(rest, 1, instr(rest || '/', '/') - 1)"
_USAGE = (
    f"SELECT {_KIND}, COUNT(*), SUM(bytes) FROM (SELECT substr(key, instr(key, '/') + 1) AS rest, "
    f"{BYTES} AS bytes FROM Cache WHERE {PLAIN}) GROUP BY 1"
)


class Usage(NamedTuple):
    """What entries of a kind take: how many there are, and their bytes."""

    entries: int
    bytes: int


def size_of(folder: ResultsFolder) -> int:
    """Bytes that the entries and their index take."""
    rows = folder.rows(
        "SELECT page_count * page_size + "
        "(SELECT COALESCE(SUM(value), 0) FROM Settings WHERE key = 'size') "
        "FROM pragma_page_count, pragma_page_size"
    )
    return int(rows[0][0]) if rows else 0


def note_read(path: Path) -> None:
    """Note that an entry's file was read just now, where that can be noted."""
    with contextlib.suppress(OSError):
        status, now = path.stat(), time.time()
        if now - status.st_atime > READ_AGAIN:
            os.utime(path, ns=(int(now * 1e9), status.st_mtime_ns))


class _UnreadEntry(NamedTuple):
    name: str
    filename: str
    size: int
    read: float  # seconds since the epoch


class Room:
    """Keeps a results folder within its limit. Safe to share between threads.

    Args:
        folder: the results folder.
        record: the word that stands before the keys of records.
        limit: bytes of everything in it.
        again_bytes, again_entries: bounds of what is computed again in seconds.
    """

    def __init__(
        self,
        folder: ResultsFolder,
        record: str,
        limit: int,
        again_bytes: int = AGAIN_BYTES,
        again_entries: int = AGAIN_ENTRIES,
    ) -> None:
        self._folder, self._record, self._limit = folder, record, limit
        self._bound = Usage(again_entries, min(again_bytes, limit))
        self._again = Usage(0, 0)  # as far as this process knows
        self._looked = -EVERY
        self._told: tuple[float, dict[str, Usage]] | None = None

    def usage(self) -> dict[str, Usage]:
        """By kind, what is stored; an answer of a few seconds ago will do."""
        told = self._told
        if told is None or time.monotonic() - told[0] > RECENT:
            told = self._told = (time.monotonic(), self._usage())
        return dict(told[1])

    def _usage(self) -> dict[str, Usage]:
        return {str(kind): Usage(entries, size or 0) for kind, entries, size in self._folder.rows(_USAGE)}

    def make(self, kind: EntryKind, size: int) -> None:
        """Make room for an entry that is about to be written.

        Args:
            kind: its kind.
            size: its bytes.

        Raises:
            StoreError: there is none, whatever could be deleted; one line with the sizes and what to do.
        """
        if kind.again:
            self._bounded(size)
        excess = size_of(self._folder) + size - self._limit
        if excess > 0:
            self.free(excess)
            total = size_of(self._folder)
            if total + size > self._limit:
                raise StoreError(self._refusal(size, total))

    def free(self, size: int, entries: int = 0) -> int:
        """Delete what is computed again in seconds, at least so much of it, as far as there is any.

        Args:
            size: bytes and number.
            entries: bytes and number.

        Returns:
            Bytes that were freed.
        """
        freed = count = 0
        for batch in _batches(self._oldest(), AT_ONCE):
            if freed >= size and count >= entries:
                break
            chosen: list[_UnreadEntry] = []
            for one in batch:
                if freed >= size and count >= entries:
                    break
                chosen.append(one)
                freed, count = freed + one.size, count + 1
            self._delete(chosen)
        self._looked = -EVERY
        self._told = None
        return freed

    def _bounded(self, size: int) -> None:
        """Keep what is computed again in seconds within its own bound."""
        if time.monotonic() - self._looked > EVERY or self._over(size):
            found = [one for kind, one in self._usage().items() if kind in AGAIN]
            self._again = Usage(sum(one.entries for one in found), sum(one.bytes for one in found))
            self._looked = time.monotonic()
        if self._over(size):
            entries, most = self._bound
            many = self._again.entries - int(LEFT * entries) if self._again.entries >= entries else 0
            self.free(max(0, self._again.bytes + size - int(LEFT * most)), many)
        self._again = Usage(self._again.entries + 1, self._again.bytes + size)

    def _over(self, size: int) -> bool:
        return self._again.bytes + size > self._bound.bytes or self._again.entries >= self._bound.entries

    def _oldest(self) -> Iterator[_UnreadEntry]:
        """What is computed again in seconds, by when it was last read."""
        found = []
        for kind in AGAIN:
            start = f"{self._record}/{kind}/"
            query = (
                f"SELECT key, filename, size FROM Cache WHERE {PLAIN} "
                "AND typeof(filename) = 'text' AND typeof(size) = 'integer' AND key >= ? AND key < ?"
            )
            for name, filename, size in self._folder.rows(query, (start, start + "\U0010ffff")):
                with contextlib.suppress(OSError):
                    if not BLOB.fullmatch(filename):
                        continue  # a path that this store would not have made is left alone
                    read = (self._folder.results / filename).lstat().st_atime
                    found.append(_UnreadEntry(name, filename, size, read))
        yield from sorted(found, key=lambda one: one.read)

    def _delete(self, entries: Sequence[_UnreadEntry]) -> None:
        """Delete entries, unless they were written anew meanwhile, or by a later version."""
        chosen = [one for one in entries if not self._of_later_version(one)]

        def delete(cache: Cache) -> list[str]:
            with cache.transact():
                return [one.filename for one in chosen if _deleted_row(cache, one)]

        # The rows first: a file that is missed is damage.
        self._folder.unlink(self._folder.write("write to", delete, reserve=True))

    def _of_later_version(self, entry: _UnreadEntry) -> bool:
        try:
            return newer(read_plain(self._folder.results / entry.filename, len(MAGIC)))
        except (Damage, OSError):
            return False

    def _refusal(self, size: int, total: int) -> str:
        return (
            f"The cache folder {self._folder.folder} would exceed its limit of {written(self._limit)}: "
            f"{written(size)} more do not fit beside the {written(total)} in it, and results are never "
            "deleted by themselves. Delete results, or raise the limit (INTERPRET_CACHE_SIZE)."
        )


def _deleted_row(cache: Any, entry: _UnreadEntry) -> bool:
    query = "DELETE FROM Cache WHERE key = ? AND raw = 1 AND filename = ?"
    return bool(cache._sql(query, (entry.name, entry.filename)).rowcount == 1)


def _batches(entries: Iterable[_UnreadEntry], size: int) -> Iterator[list[_UnreadEntry]]:
    batch: list[_UnreadEntry] = []
    for one in entries:
        batch.append(one)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
