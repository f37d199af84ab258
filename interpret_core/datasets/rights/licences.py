"""A data set's licences: files that it comes with, and a table of those of single pictures.

    LICENSE, licence.txt, COPYING, COPYRIGHT, NOTICE, ATTRIBUTION …   beside the tables
    licences/…      the same, as an import has copied them from the source
    licences.csv    image,licence,address,origin: of single pictures, as an import found it in the annotations

None of it enters the digest, so that no result becomes another one by it. Nothing here judges what a licence
permits: that is for whoever passes something on.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER, TABLE = "licences", "licences.csv"
COLUMNS = ("image", "licence", "address", "origin")
UNSTATED = "not stated"
_NAMES = re.compile(r".*licen[cs]e.*|(copying|copyright|notice|attribution)\b.*", re.IGNORECASE)
_TEXTS = frozenset({"", ".txt", ".md", ".rst", ".html", ".htm", ".pdf"})
_LARGEST = 2_000_000  # bytes of a text: what is larger is something else


@dataclass(frozen=True)
class LicenceCount:
    """A licence of single pictures.

    Attributes:
        name: as the source says it; "not stated" where it says none of a picture.
        address: where its text is; empty where that is not said.
        pictures: under it.
    """

    name: str
    address: str
    pictures: int


@dataclass(frozen=True)
class Rights:
    """What a data set's files say of its pictures.

    Attributes:
        files: texts of licences, relative to the data set's folder.
        licences: of single pictures, the most frequent first; empty where nothing is said of any.
    """

    files: tuple[str, ...] = ()
    licences: tuple[LicenceCount, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """A sentence for each; none where nothing is said."""
        found = [f"Licence of the pictures, as the data set comes with it: {name}" for name in self.files]
        for one in self.licences:
            where = f" ({one.address})" if one.address else ""
            found.append(f"{one.pictures:,} pictures: {one.name}{where}")
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """`licences` for a file's description; nothing where nothing is said."""
        if not self.files and not self.licences:
            return {}
        counts = [
            {"licence": one.name, "address": one.address, "pictures": one.pictures} for one in self.licences
        ]
        return {"licences": {"files": list(self.files), "pictures": counts}}


def licence_files(folder: Path) -> list[Path]:
    """Texts in a folder that by their names are licences, in alphabetical order; pictures never are."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    return [
        one
        for one in entries
        if _NAMES.fullmatch(one.name)
        and one.suffix.lower() in _TEXTS
        and one.is_file()
        and one.stat().st_size <= _LARGEST
    ]


def rights_of(root: Path) -> Rights:
    """What the files of a data set say; a table that cannot be read says nothing.

    Args:
        root: the data set's folder.
    """
    copied = sorted((root / FOLDER).iterdir()) if (root / FOLDER).is_dir() else []
    files = [*licence_files(root), *(one for one in copied if one.is_file())]
    return Rights(tuple(one.relative_to(root).as_posix() for one in files), _counts(root / TABLE))


def _counts(table: Path) -> tuple[LicenceCount, ...]:
    try:
        with table.open(encoding="utf-8", newline="") as file:
            found = Counter(
                ((row.get("licence") or "").strip() or UNSTATED, (row.get("address") or "").strip())
                for row in csv.DictReader(file)
            )
    except (OSError, ValueError, csv.Error):
        return ()
    return tuple(LicenceCount(*told, count) for told, count in found.most_common())
