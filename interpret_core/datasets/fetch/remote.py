"""Data sets that lie elsewhere: copied once to this machine, from any place that fsspec knows.

A copy lies below the cache folder (`config.copy_of`). It is compared with its origin when a process opens it
for the first time: files that are new or have changed there are fetched, those that are gone are deleted.
Each file takes its name when it is complete, so that whoever was stopped goes on from what is there.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
from filelock import FileLock

from interpret_core import config
from interpret_core.errors import DatasetError

logger = logging.getLogger(__name__)
RESERVE = 64 << 20  # free space to leave on the disk
BATCH = 64  # files fetched together
LISTED = "origin.json"  # beside the files: where they came from, and what each was like there
FILES = "files"
MARKS = ("ETag", "etag", "checksum", "md5Hash", "LastModified", "last_modified", "mtime", "created")
_seen: set[str] = set()  # compared with their origin by this process
_turn = threading.Lock()


def copied(url: str, *, fetch: bool = True) -> Path:
    """The folder of a data set's copy, complete.

    Args:
        url: such as s3://bucket/broden; what fsspec needs for it (s3fs, gcsfs …) is installed beside.
        fetch: compare it with its origin and fetch what is missing; else it has to be there.

    Raises:
        DatasetError: it cannot be reached and there is no complete copy, or nothing lies there.
    """
    home = config.copy_of(url)
    if not fetch or config.current().offline:
        if not _known(home).get("complete"):
            raise DatasetError(
                f"The data set at {url} is not copied to this machine yet, expected a complete copy: run "
                f"`python -m interpret_core survey --dataset {url}` once."
            )
        return home / FILES
    with _turn:
        if url not in _seen:
            home.mkdir(parents=True, exist_ok=True)
            with FileLock(home / "lock", fallback_to_soft=False):
                _fetch(url, home)
            _seen.add(url)
    return home / FILES


def _fetch(url: str, home: Path) -> None:
    """Bring a copy to what its origin is now."""
    known = _known(home)
    try:
        system, root = fsspec.core.url_to_fs(url)
        found = {
            _inside(url, PurePosixPath(path).relative_to(PurePosixPath(root))): one
            for path, one in system.find(root, detail=True).items()
        }
    except DatasetError:
        raise
    except Exception as error:  # each protocol has errors of its own
        if known.get("complete"):
            logger.warning("%s cannot be reached (%s): the copy in %s is used.", url, error, home)
            return
        raise DatasetError(
            f"{url} cannot be read ({type(error).__name__}: {error}), expected a data set's folder there: "
            "check the address and the access, and whether what fsspec needs for it is installed."
        ) from error
    there = {name: _mark(one) for name, one in found.items()}
    if not there:
        raise DatasetError(f"{url} holds no file, expected index.csv, label.csv and images/: check it.")
    files: dict[str, str] = {
        name: mark
        for name, mark in known.get("files", {}).items()
        if there.get(name) == mark and (home / FILES / name).is_file()
    }
    missing, gone = sorted(set(there) - set(files)), set(_here(home)) - set(there)
    _check_room(url, home, sum(int(found[name].get("size") or 0) for name in missing))
    if missing or gone:  # first: whoever is stopped on the way leaves nothing that looks complete
        _note(home, {"url": url, "complete": False, "files": files})
    for name in gone:
        (home / FILES / name).unlink()
    if missing:
        logger.warning("Copying %d of %d files from %s to %s.", len(missing), len(there), url, home)
    for start in range(0, len(missing), BATCH):
        names = missing[start : start + BATCH]
        _get(system, root, home, names)
        files |= {name: there[name] for name in names}
        _note(home, {"url": url, "complete": False, "files": files})
    _note(home, {"url": url, "complete": True, "files": files})


def _check_room(url: str, home: Path, needed: int) -> None:
    """An archive that unpacks to more than there is room for is not begun."""
    free = shutil.disk_usage(home).free
    if needed and needed + RESERVE > free:
        raise DatasetError(
            f"{url} needs {(needed + RESERVE) / 1e9:.1f} GB in {home}, which has {free / 1e9:.1f} GB free: "
            "make room, or choose another folder by INTERPRET_CACHE."
        )


def _get(system: Any, root: str, home: Path, names: list[str]) -> None:
    """Fetch some files; each takes its name when it is complete."""
    parts = [home / "parts" / str(number) for number in range(len(names))]
    (home / "parts").mkdir(exist_ok=True)
    try:
        system.get([f"{root}/{name}" for name in names], [str(part) for part in parts])
    except Exception as error:
        raise DatasetError(
            f"{root}/{names[0]} and what follows it cannot be copied ({type(error).__name__}: {error}): "
            "check access and disk; complete files are kept, and the same command goes on from them."
        ) from error
    for name, part in zip(names, parts, strict=True):
        (home / FILES / name).parent.mkdir(parents=True, exist_ok=True)
        part.replace(home / FILES / name)


def _here(home: Path) -> Iterator[str]:
    root = home / FILES
    return (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def _inside(url: str, name: PurePosixPath) -> str:
    if ".." in name.parts or name.is_absolute():
        raise DatasetError(f"{url} lists {str(name)!r}, which leads out of its folder: it is not copied.")
    return name.as_posix()


def _mark(found: Mapping[str, Any]) -> str:
    """What changes when a file does."""
    return json.dumps([found.get("size"), *(str(found[name]) for name in MARKS if name in found)])


def _known(home: Path) -> dict[str, Any]:
    try:
        found = json.loads((home / LISTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _note(home: Path, listed: Mapping[str, Any]) -> None:
    part = home / f"{LISTED}.part"
    part.write_text(json.dumps(listed), encoding="utf-8")
    part.replace(home / LISTED)
