"""Names of files: those that a source's tables give, checked, and those that the new data set gets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from interpret_core.datasets.layouts.folder import SUFFIXES
from interpret_core.errors import DatasetError
from interpret_core.files import name_bytes

# What index.csv's cells and the reader's paths have no room for; the percent sign so that no two names meet.
_ESCAPED = frozenset(b'%;\\:"') | frozenset(range(32)) | {127}
_LONGEST = 240  # bytes of a name; most file systems take 255, and a mask's is longer by its ending


def checked_name(name: object, where: str) -> str:
    """A file's name as a table gives it, once it is sure that it stays below its folder.

    Raises:
        DatasetError: no text, or a path that leads elsewhere.
    """
    if not isinstance(name, str) or not name.strip():
        raise DatasetError(f"{where}: file name {name!r}, expected a text: correct it.")
    absolute = name[:1] == "/" or name[1:2] == ":"
    if absolute or "\\" in name or "\0" in name or {"..", ".", ""} & set(name.split("/")):
        raise DatasetError(
            f"{where}: file name {name!r}, expected one below its folder, with forward slashes and without "
            "`..`: correct it; nothing was imported."
        )
    return name


def target_name(name: str) -> str:
    """A name of the new data set for one of the source; no two alike, and always below its folder.

    Bytes that index.csv cannot hold, or that are not UTF-8, become `%3B` and the like.

    Raises:
        DatasetError: longer than file systems take, or no name at all.
    """
    parts = [_escaped(part) for part in name.split("/")]
    if {"", ".", ".."} & set(parts):
        raise DatasetError(f"{name!r} is no name below a folder, expected one such as dog/1.jpg: rename it.")
    if any(len(part.encode()) > _LONGEST for part in parts):
        raise DatasetError(
            f"{name!r} is longer than {_LONGEST} bytes, expected shorter names: rename the file."
        )
    return "/".join(parts)


def _escaped(part: str) -> str:
    try:
        part.encode()
        whole = True
    except UnicodeEncodeError:
        whole = False
    found = []
    for character in part:
        code = ord(character)
        if code in _ESCAPED or 0x80 <= code < 0xA0 or character in "\u2028\u2029":
            found.append("".join(f"%{byte:02X}" for byte in character.encode()))
        elif not whole and 0xDC80 <= code <= 0xDCFF:
            found.append(f"%{code - 0xDC00:02X}")
        else:
            found.append(character)
    text = "".join(found)
    bare = text.strip()  # the reader's cells are stripped
    start = text[: len(text) - len(text.lstrip())]
    end = text[len(text.rstrip()) :] if bare else ""
    quoted = ["".join(f"%{byte:02X}" for byte in one.encode()) for one in (start, end)]
    return f"{quoted[0]}{bare}{quoted[1]}"


def is_text(name: str) -> bool:
    """Whether it can be written as UTF-8: names of files and texts of JSON may hold halves of characters."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def pictures_below(folder: Path) -> list[str]:
    """Names of the pictures below a folder, in the order of their bytes; hidden ones are passed over."""
    return sorted(_walked(folder), key=name_bytes)


def _walked(folder: Path) -> Iterator[str]:
    seen: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        status = os.stat(place)  # noqa: PTH116 - as in `digests`
        known = (status.st_dev, status.st_ino)
        if known in seen:  # a link that leads back
            folders[:] = []
            continue
        seen.add(known)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield (Path(place) / name).relative_to(folder).as_posix()


def required_folder(path: Path, what: str) -> Path:
    """A folder that has to be there.

    Raises:
        DatasetError: it is not.
    """
    if not path.is_dir():
        raise DatasetError(f"{path} does not exist or is no folder, expected {what}: check the path.")
    return path
