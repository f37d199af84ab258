"""Self-check of a store's folder: what `Store.check` finds beside damaged entries."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

YOUNG = 3600.0  # seconds; a younger file without an index row may be a write under way


@dataclass(frozen=True)
class Check:
    """What a self-check found; everything named here has been deleted.

    Args:
        entries: entries that remain.
        size: bytes that they and the index take.
        damaged: keys whose content did not fit its checksum, or was missing.
        refused: index rows this store would not have written (a pickled key, say), never opened.
        leftovers: files without an index row, left by a crash in mid-write.
        index: complaints of SQLite about the index itself; these are not repaired.
    """

    entries: int
    size: int
    damaged: tuple[str, ...] = ()
    refused: int = 0
    leftovers: tuple[str, ...] = ()
    index: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was wrong."""
        return not (self.damaged or self.refused or self.leftovers or self.index)


def check_folder(folder: Path, damaged: Iterable[str], size: int) -> Check:
    """Clear foreign rows and leftover files out of a diskcache folder.

    Args:
        folder: holds diskcache's index and files.
        damaged: keys that were found damaged (and deleted) before.
        size: bytes of the whole folder, for the report.
    """
    # Files first, rows second: a file whose row appears in between is then known.
    files = {path.relative_to(folder).as_posix(): path for path in folder.glob("??/??/*.val")}
    with contextlib.closing(sqlite3.connect(folder / "cache.db", timeout=60)) as index:
        complaints = [text for (text,) in index.execute("PRAGMA integrity_check") if text != "ok"]
        with index:
            foreign = "DELETE FROM Cache WHERE raw IS NOT 1 OR typeof(key) <> 'text'"
            refused = index.execute(foreign).rowcount
        known = {name for (name,) in index.execute("SELECT filename FROM Cache WHERE filename IS NOT NULL")}
        ((entries,),) = index.execute("SELECT COUNT(*) FROM Cache").fetchall()
    leftovers = []
    for name, path in sorted(files.items()):
        with contextlib.suppress(FileNotFoundError):
            if name not in known and time.time() - path.lstat().st_mtime > YOUNG:
                path.unlink()
                leftovers.append(name)
    return Check(entries, size, tuple(damaged), refused, tuple(leftovers), tuple(complaints))
