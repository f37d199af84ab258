"""Names of files in tables and on the disk: the same letters may be written in several ways.

Unicode has é as one sign and as two. macOS and some archives write two where tables have one; both look alike
on every screen. A name that is not there as it is written is looked for in the other ways; a file that is
there by its own name is never taken for another.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

from interpret_core.files import name_bytes


def composed(name: str) -> str:
    """A name with its letters composed, as Unicode's normal form C."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


class DiskNames:
    """Finds files below a folder by names that may be composed in another way; keeps what it has listed."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._listed: dict[str, dict[str, list[str]]] = {}

    def of(self, name: str) -> str:
        """The name of the file that is meant, below the folder; itself where there is none or several are.

        Args:
            name: with forward slashes.
        """
        if name.isascii() or os.path.lexists(f"{self._folder}/{name}"):
            return name
        found = ""
        for part in name.split("/"):
            place = f"{found}/{part}" if found else part
            if not os.path.lexists(f"{self._folder}/{place}"):
                alike = self._in(found).get(composed(part), [])
                if len(alike) != 1:
                    return name
                place = f"{found}/{alike[0]}" if found else alike[0]
            found = place
        return found

    def has(self, name: str) -> bool:
        """Whether there is a file, or a link, of exactly this name."""
        return os.path.lexists(f"{self._folder}/{name}")

    def _in(self, place: str) -> Mapping[str, list[str]]:
        """Names in a folder by their composed form."""
        if place not in self._listed:
            names: dict[str, list[str]] = {}
            try:
                for name in os.listdir(f"{self._folder}/{place}"):  # noqa: PTH208 - names, no paths
                    names.setdefault(composed(name), []).append(name)
            except OSError:
                names = {}  # no such folder: whoever reads the file says that it is missing
            self._listed[place] = names
        return self._listed[place]


class KnownNames:
    """The images of a data set, found by names that may be written in another way."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._composed: dict[str, list[str]] = {}
        for name in known:
            if not name.isascii():
                self._composed.setdefault(composed(name), []).append(name)

    def meant(self, cell: str) -> list[str]:
        """The image that a cell names, or all whose names are the same letters; none where it is no image's.

        Spaces around a name count where an image has them.
        """
        if cell in self._known:
            return [cell]
        name = cell.strip()
        return [name] if name in self._known else self._composed.get(composed(name), [])

    def hint(self, name: str) -> str:
        """What is likely to be meant by a name that is no image's, in brackets; or nothing."""
        wanted = _loose(name)
        if any(part.startswith(".") for part in wanted.split("/")):
            return " (names that begin with a dot are passed over)"
        for how in (lambda one: one, _without_ending, _last):
            alike = [one for one in self._known if how(_loose(one)) == how(wanted)]
            if len(alike) == 1 and not _readable(alike[0]):
                return " (a file has this name in another encoding than UTF-8: rename it)"
            if len(alike) == 1:
                return f" (did you mean {alike[0]!r}?)"
            if alike:
                return ""
        return ""


def _readable(name: str) -> bool:
    """Whether a file's name is UTF-8 on the disk."""
    return not any("\udc80" <= letter <= "\udcff" for letter in name)


def _loose(name: str) -> str:
    if not _readable(name):
        name = name_bytes(name).decode("latin-1")
    plain = composed(name).replace("\\", "/").strip("/").removeprefix("./").removeprefix("images/")
    return plain.casefold()


def _without_ending(name: str) -> str:
    return str(PurePosixPath(name).with_suffix("")) if name else name


def _last(name: str) -> str:
    return name.rpartition("/")[2]
