"""A folder of photographs, or a folder for each class, also below train, val and test.

There is no annotation in it: what comes out serves top pictures, evaluation and relevance. The folder that a
picture lies in is its class; pictures beside such folders have none. What train and val are for is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from interpret_core.datasets.classes import spelling
from interpret_core.errors import DatasetError
from interpret_core.importers.base import FolderImporter, ImportSource, SourcePicture, Tell
from interpret_core.importers.names import pictures_below, required_folder, target_name

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


@dataclass(frozen=True)
class PictureFolder(FolderImporter):
    """Options of a folder of photographs.

    Attributes:
        source: the folder.
    """

    called: ClassVar[str] = "folder"
    summary: ClassVar[str] = (
        "Photographs without masks: a folder, or a folder for each class (also in train, val)."
    )

    def open(self, work: Path, tell: Tell) -> ImportSource:
        """All pictures below it."""
        return _FolderSource(required_folder(Path(self.source), "a folder of photographs"))


class _FolderSource(ImportSource):
    """Pictures by path."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names = pictures_below(root)
        if not self._names:
            raise DatasetError(f"{root} holds no picture, expected .jpg, .png or the like: check the folder.")
        self._split = all(
            name.split("/")[0].lower() in SPLITS and name.count("/") >= 2 for name in self._names
        )
        self._check_classes()

    def _check_classes(self) -> None:
        spelled: dict[str, str] = {}
        for name in self._names:
            label = self._label(name)
            other = spelled.setdefault(spelling(label), label)
            if other != label:
                raise DatasetError(
                    f"{self._root} has the folders {other!r} and {label!r}, expected one spelling of each "
                    "class: "
                    "rename one of them."
                )

    def _label(self, name: str) -> str:
        parts = name.split("/")[1 if self._split else 0 : -1]
        label = parts[0] if parts else ""
        return label if label.isprintable() and _text(label) else target_name(label)

    def __len__(self) -> int:
        return len(self._names)

    def pictures(self) -> Iterator[SourcePicture]:
        """In the order of their names."""
        for name in self._names:
            split = SPLITS[name.split("/")[0].lower()] if self._split else ""
            yield SourcePicture(name, self._root / name, split, self._label(name))


def _text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
