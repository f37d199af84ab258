"""What folders of additions have in common: files written whole, how long something waits, who is told what."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from interpret_core.errors import StoreError

DAY = 24 * 3600.0  # seconds for which something removed can be put back
PATIENCE = 2 * 3600.0  # seconds that something staged waits
MOST_STAGED = 8  # additions of a kind that wait at the same time
RESERVE = 1 << 30  # bytes of disk that no upload takes
VARIABLE = "INTERPRET_UPLOADS"


class Removal(NamedTuple):
    """Something that was removed: its name, when (seconds since the epoch), and where it waits."""

    name: str
    when: float
    place: Path


def removals(folder: Path, suffix: str = "") -> Iterator[Removal]:
    """What can still be put back, by the names `removal_name` gives; in no order."""
    for place in children(folder):
        when, mark, name = place.name.removesuffix(suffix).partition("~")
        if mark and when.isdigit() and int(when) / 1e9 > time.time() - DAY:
            yield Removal(name, int(when) / 1e9, place)


def removal_name(name: str) -> str:
    """What something removed just now is called while it waits."""
    return f"{time.time_ns()}~{name}"


def children(folder: Path) -> list[Path]:
    """What lies in a folder, nothing where there is none."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def old(place: Path) -> bool:
    """Whether something staged has waited long enough."""
    try:
        return place.stat().st_mtime < time.time() - PATIENCE
    except OSError:  # somebody else has it just now
        return False


def status(path: Path) -> tuple[object, ...]:
    """Tells a file from any other that was or will be there; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def write(file: Path, content: bytes | memoryview) -> None:
    """Write a file so that it is whole even if the machine stops right afterwards."""
    with file.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def waiting_already(what: str) -> StoreError:
    """Too many additions wait."""
    return StoreError(
        f"{MOST_STAGED} uploaded {what} wait to be registered already, expected fewer: register or take away "
        f"one of them, or come back later; each waits for {PATIENCE / 3600:.0f} hours."
    )


def unwritable(folder: Path, what: str, error: OSError) -> StoreError:
    """The folder of some additions cannot be written."""
    return StoreError(
        f"The folder of added {what}, {folder}, cannot be written ({error.strerror or error}): free space or "
        f"change its permissions, or name another in {VARIABLE}."
    )
