"""Self-check of a results folder: what `Store.check` finds beside damaged entries.

Whoever calls this holds the index's lock alone (`store.index_lock`).
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from interpret_core.store.disk import MAGIC, Damage, NewerEntryError, entry_files, newer, opened, read_plain
from interpret_core.store.failures import FAILURES, INDEX
from interpret_core.store.index_lock import WAIT

YOUNG = 3600.0  # seconds; a younger file without an index row may be a write under way


@dataclass(frozen=True)
class Check:
    """What a self-check found; every entry, row and file named here has been deleted.

    Args:
        entries: entries that remain.
        size: bytes that they and the index take.
        damaged: keys whose content did not fit its checksum, or was missing.
        refused: index rows this store would not have written (a pickled key, say), never opened.
        leftovers: files without an index row, left by a crash in mid-write.
        index: a line for each time since the last check that the index was damaged and made anew.
    """

    entries: int
    size: int = 0
    damaged: tuple[str, ...] = ()
    refused: int = 0
    leftovers: tuple[str, ...] = ()
    index: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was wrong."""
        return not (self.damaged or self.refused or self.leftovers or self.index)


def lost(folder: Path) -> str | None:
    """Why the index must be made anew although it may look sound: it does not know some whole entries."""
    if not (folder / INDEX).exists():
        return None
    files = _old_files(folder)
    with contextlib.closing(sqlite3.connect(folder / INDEX, timeout=WAIT)) as index:
        try:
            known, keys = _known(index), {key for (key,) in index.execute("SELECT key FROM Cache")}
        except FAILURES:  # damaged in a way that will be found anyway
            return None
    missed = 0
    for name in files.keys() - known:
        with contextlib.suppress(OSError, Damage, NewerEntryError):
            missed += opened(read_plain(files[name]))[0] not in keys
    return f"it does not know {missed:,} of the entries" if missed else None


def check_folder(folder: Path, damaged: Iterable[str]) -> Check:
    """Clear foreign rows and leftover files out of a diskcache folder.

    Args:
        folder: holds diskcache's index and files.
        damaged: keys that were found damaged (and deleted) before.
    """
    # Files first, rows second: a file whose row appears in between is then known.
    files = _old_files(folder)
    with contextlib.closing(sqlite3.connect(folder / INDEX, timeout=WAIT)) as index:
        with index:
            foreign = "DELETE FROM Cache WHERE raw IS NOT 1 OR typeof(key) <> 'text'"
            refused = index.execute(foreign).rowcount
        known = _known(index)
        ((entries,),) = index.execute("SELECT COUNT(*) FROM Cache").fetchall()
    leftovers = []
    for name in sorted(files.keys() - known):
        with contextlib.suppress(FileNotFoundError):
            if _of_later_version(files[name]):
                continue
            files[name].unlink()
            leftovers.append(name)
    return Check(entries, 0, tuple(damaged), refused, tuple(leftovers))


def _of_later_version(path: Path) -> bool:
    """A file without an index row that a later version may still know."""
    try:
        return newer(read_plain(path, len(MAGIC)))
    except (Damage, OSError):
        return False


def _old_files(folder: Path) -> dict[str, Path]:
    """Files of entries, by their name in the index, but for those whose write may be under way."""
    found = {}
    for name, path in entry_files(folder):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.lstat().st_mtime > YOUNG:
                found[name] = path
    return found


def _known(index: sqlite3.Connection) -> set[str]:
    return {name for (name,) in index.execute("SELECT filename FROM Cache WHERE filename IS NOT NULL")}
