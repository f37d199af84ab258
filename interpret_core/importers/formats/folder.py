"""A folder of photographs, or a folder for each class, also below train, val and test.

There is no annotation in it: what comes out serves top pictures, evaluation and relevance. The folder that a
picture lies in is its class; pictures beside such folders have none. What train and val are for is kept.

With `--segmenter`, a model annotates the pictures, and every label is marked as predicted (`segmenters`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from interpret_core.concepts import PREDICTED
from interpret_core.datasets.classes import spelling
from interpret_core.errors import DatasetError
from interpret_core.importers.base import (
    FolderImporter,
    ImportSource,
    Planes,
    Preparation,
    SourcePicture,
    Tell,
)
from interpret_core.importers.grid import by_category
from interpret_core.importers.names import is_text, pictures_below, required_folder, target_name
from interpret_core.options import Option

if TYPE_CHECKING:
    from interpret_core.importers.segmenters.segmenter import Segmenter

LOOKS = 3  # pictures on which a segmenter's answers tell it from another, whatever its code says
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
        segmenter: `package.module:factory[@weights]` of the model that labels the pictures; None for none.
    """

    called: ClassVar[str] = "folder"
    summary: ClassVar[str] = (
        "Photographs without masks: a folder, or a folder for each class (also in train, val); --segmenter "
        "labels them."
    )

    segmenter: Annotated[
        str | None,
        Option(
            "package.module:factory[@weights] that labels the pictures; its labels are marked (predicted)."
        ),
    ] = None

    def to_json(self) -> dict[str, Any]:
        """Without a segmenter, as before there were any: imports from then are known again."""
        told = super().to_json()
        return told if self.segmenter is not None else {"source": told["source"]}

    def prepared(self) -> Preparation:
        """With its segmenter loaded and asked for the first pictures, if there is one."""
        if self.segmenter is None:
            return super().prepared()
        from interpret_core.importers.segmenters.segmenter import load_segmenter  # brings torch along

        source = _SegmentedSource(self._root(), load_segmenter(self.segmenter))
        return Preparation(lambda _work, _tell: source, {"segmenter": source.segmenter_record()})

    def open(self, work: Path, tell: Tell) -> ImportSource:
        """All pictures below it."""
        return _FolderSource(self._root()) if self.segmenter is None else self.prepared().open(work, tell)

    def _root(self) -> Path:
        return required_folder(Path(self.source), "a folder of photographs")


def _splits(names: Sequence[str]) -> bool:
    """Whether the first folders are train, val and test and no classes; a picture beside them is in none."""
    within = [name for name in names if "/" in name]
    first = {name.split("/")[0].lower() for name in within}
    deep = any(name.count("/") >= 2 for name in within)
    return bool(first) and first <= set(SPLITS) and (deep or len(first) > 1)


class _FolderSource(ImportSource):
    """Pictures by path."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names = pictures_below(root)
        if not self._names:
            raise DatasetError(f"{root} holds no picture, expected .jpg, .png or the like: check the folder.")
        self._split = _splits(self._names)
        self._check_classes()

    def _check_classes(self) -> None:
        spelled: dict[str, str] = {}
        for name in self._names:
            label = self._label(name)
            other = spelled.setdefault(spelling(label), label)
            if other != label:
                composed = partial(unicodedata.normalize, "NFC")
                shown = [
                    ascii(one) if composed(other) == composed(label) else repr(one) for one in (other, label)
                ]
                raise DatasetError(
                    f"{self._root} has the folders {shown[0]} and {shown[1]}, expected one spelling of each "
                    "class: rename one of them."
                )

    def _label(self, name: str) -> str:
        parts = name.split("/")[1 if self._split else 0 : -1]
        label = parts[0] if parts else ""
        return label if label.isprintable() and is_text(label) else target_name(label)

    def __len__(self) -> int:
        return len(self._names)

    def pictures(self) -> Iterator[SourcePicture]:
        """In the order of their names."""
        for name in self._names:
            split = SPLITS[name.split("/")[0].lower()] if self._split and "/" in name else ""
            yield SourcePicture(name, self._root / name, split, self._label(name))


class _SegmentedSource(_FolderSource):
    """The same, labelled by a segmenter."""

    upright = True

    def __init__(self, root: Path, segmenter: Segmenter) -> None:
        super().__init__(root)
        self._segmenter, self.labels = segmenter, segmenter.known.labels
        self.notes = [
            f"All labels are predictions of {segmenter.name}, marked {PREDICTED}: units are compared with "
            "another model's answers"
        ]
        if segmenter.known.nothing:
            self.notes.append(f"Counted as unlabelled: {', '.join(segmenter.known.nothing)}")

    def segmenter_record(self) -> dict[str, Any]:
        """What the segmenter is made of, and what it answers here."""
        paths = (one.path for one in self.pictures())
        return {**self._segmenter.record, "answers": self._segmenter.told(paths, LOOKS)}

    def planes(self, picture: SourcePicture) -> Planes:
        """A map for each category."""
        return by_category(self._segmenter.numbers(picture.path), self.labels)
