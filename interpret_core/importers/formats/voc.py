"""PASCAL VOC (Everingham et al. 2010): JPEGImages, and SegmentationClass with palette masks.

A mask's palette index is the class: 0 background, 1 to 20 in alphabetical order, 255 the border between
objects and what is too hard to tell. Background and border count as unlabelled: background is all that is
none of the twenty. Masks that were stored as the devkit's colours are read by those.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from interpret_core.datasets.sheets import read_text
from interpret_core.errors import DamagedFileError, DatasetError
from interpret_core.importers.base import (
    OBJECT,
    FolderImporter,
    ImportSource,
    NewLabel,
    Planes,
    SourcePicture,
    Tell,
)
from interpret_core.importers.names import checked_name, required_folder
from interpret_core.importers.values import (
    Colour,
    colour_values,
    has_colours,
    index_values,
    labels_of_colours,
)

CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable",
    "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
VOID = 255
_PICTURES, _MASKS = "JPEGImages", "SegmentationClass"


@dataclass(frozen=True)
class Voc(FolderImporter):
    """PASCAL VOC's options.

    Attributes:
        source: the folder of one year, or VOCdevkit where it holds one.
    """

    called: ClassVar[str] = "voc"
    summary: ClassVar[str] = (
        "PASCAL VOC: palette masks of SegmentationClass; 0 (background) and 255 (border) are unlabelled."
    )

    def open(self, work: Path, tell: Tell) -> ImportSource:
        """Pictures that have a mask of classes."""
        return _VocSource(_year(required_folder(Path(self.source), "the folder of VOC2012")))


def _year(folder: Path) -> Path:
    """The folder that holds JPEGImages."""
    years = [folder] if (folder / _PICTURES).is_dir() else []
    years = years or sorted(path.parent for path in folder.glob(f"*/{_PICTURES}"))
    years = years or sorted(path.parent for path in folder.glob(f"VOCdevkit/*/{_PICTURES}"))
    if len(years) != 1:
        held = ", ".join(path.name for path in years) or "no such folder"
        raise DatasetError(
            f"{folder} holds {held}, expected one folder with {_PICTURES} and {_MASKS}: name the folder of "
            "one year, such as VOCdevkit/VOC2012."
        )
    required_folder(years[0] / _MASKS, f"{_MASKS} beside {_PICTURES}")
    return years[0]


class _VocSource(ImportSource):
    """One year."""

    labels = tuple(NewLabel(number, name) for number, name in enumerate(CLASSES, 1))

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names = sorted(path.stem for path in (root / _MASKS).glob("*.png"))
        if not self._names:
            raise DatasetError(f"{root / _MASKS} holds no mask, expected PNG files: check the folder.")
        self._split = {name: split for split in ("val", "train") for name in self._listed(split)}
        if missing := sorted(set(self._split) - set(self._names)):
            self.notes = (
                f"{len(missing):,} pictures are listed for segmentation and have no mask, and are not "
                "imported: "
                f"{', '.join(missing[:3])}",
            )

    def _listed(self, split: str) -> list[str]:
        path = self._root / "ImageSets" / "Segmentation" / f"{split}.txt"
        if not path.is_file():
            return []
        lines = enumerate(read_text(path, {}).split("\n"), 1)
        return [checked_name(line.strip(), f"{path} line {at}") for at, line in lines if line.strip()]

    def __len__(self) -> int:
        return len(self._names)

    def pictures(self) -> Iterator[SourcePicture]:
        """In alphabetical order."""
        for name in self._names:
            yield SourcePicture(
                f"{name}.jpg", self._root / _PICTURES / f"{name}.jpg", self._split.get(name, ""), detail=name
            )

    def planes(self, picture: SourcePicture) -> Planes:
        """One map of objects."""
        path = self._root / _MASKS / f"{picture.detail}.png"
        if has_colours(path):
            numbers = labels_of_colours(colour_values(path), _colours(), path, "restore the mask")
        else:
            numbers = index_values(path)
        numbers = np.where(numbers == VOID, 0, numbers)
        if numbers.max(initial=0) > len(CLASSES):
            raise DamagedFileError(
                f"mask {path} has number {int(numbers.max())}, expected 0 to {len(CLASSES)} or {VOID}: "
                "restore it."
            )
        return {OBJECT: [numbers]}


@cache
def _colours() -> dict[Colour, int]:
    """The devkit's colours: bits 0, 1 and 2 of a number, and so on, are the highest bits of R, G and B."""
    found: dict[Colour, int] = {}
    for number in (*range(len(CLASSES) + 1), VOID):
        channels = [0, 0, 0]
        for place in range(8):
            for channel in range(3):
                channels[channel] |= (number >> (3 * place + channel) & 1) << (7 - place)
        found[(channels[0], channels[1], channels[2])] = number
    return found
