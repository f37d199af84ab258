"""Cityscapes (Cordts et al. 2016): leftImg8bit, and gtFine with label ids or train ids.

Label numbers are Cityscapes' ids, as its scripts list them. Ids of the category void (0 unlabeled, 1 ego
vehicle, 2 rectification border, 3 out of roi, 4 static, 5 dynamic, 6 ground) count as unlabelled, and so does
255 in a mask of train ids; train id 0 is the road (id 7). The test set has no annotation and is left away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

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
from interpret_core.importers.names import required_folder
from interpret_core.importers.values import index_values
from interpret_core.options import Option

# id, name, train id or 255
LABELS = (
    (7, "road", 0), (8, "sidewalk", 1), (9, "parking", 255), (10, "rail track", 255), (11, "building", 2),
    (12, "wall", 3), (13, "fence", 4), (14, "guard rail", 255), (15, "bridge", 255), (16, "tunnel", 255),
    (17, "pole", 5), (18, "polegroup", 255), (19, "traffic light", 6), (20, "traffic sign", 7),
    (21, "vegetation", 8), (22, "terrain", 9), (23, "sky", 10), (24, "person", 11), (25, "rider", 12),
    (26, "car", 13), (27, "truck", 14), (28, "bus", 15), (29, "caravan", 255), (30, "trailer", 255),
    (31, "train", 16), (32, "motorcycle", 17), (33, "bicycle", 18),
)  # fmt: skip
VOID_IDS = (*range(7), 255)  # 255 is what is left of −1, the license plates that were never drawn
IGNORED = 255
SPLITS = ("train", "train_extra", "val")
_ENDING = "_leftImg8bit.png"


class Ids(StrEnum):
    """Which masks are read."""

    LABEL = "labelIds"
    TRAIN = "labelTrainIds"


class Fineness(StrEnum):
    """Fine masks, or coarse ones."""

    FINE = "gtFine"
    COARSE = "gtCoarse"


@dataclass(frozen=True)
class Cityscapes(FolderImporter):
    """Cityscapes' options.

    Attributes:
        source: the folder with leftImg8bit and gtFine.
        ids: which masks.
        annotations: gtFine or gtCoarse.
    """

    called: ClassVar[str] = "cityscapes"
    summary: ClassVar[str] = "Cityscapes: masks of label ids (or train ids), void classes unlabelled."

    ids: Annotated[str, Option("Masks to read: labelIds, or labelTrainIds (19 classes).", choices=Ids)] = (
        Ids.LABEL
    )
    annotations: Annotated[str, Option("gtFine or gtCoarse.", choices=Fineness)] = Fineness.FINE

    def open(self, work: Path, tell: Tell) -> ImportSource:
        """Pictures of the splits that are annotated."""
        return _CitySource(required_folder(Path(self.source), "the folder of Cityscapes"), self)


class _CitySource(ImportSource):
    """Pictures and masks by city."""

    def __init__(self, root: Path, asked: Cityscapes) -> None:
        required_folder(root / "leftImg8bit", "leftImg8bit in the folder of Cityscapes")
        required_folder(root / asked.annotations, f"{asked.annotations} beside leftImg8bit")
        self._root, self._asked = root, asked
        self._names = [
            (split, path.relative_to(root / "leftImg8bit").as_posix())
            for split in SPLITS
            for path in sorted((root / "leftImg8bit" / split).glob(f"*/*{_ENDING}"))
        ]
        if not self._names:
            raise DatasetError(
                f"{root / 'leftImg8bit'} holds no picture {SPLITS[0]}/CITY/…{_ENDING}: point to the folder "
                "that holds leftImg8bit."
            )
        train = asked.ids == Ids.TRAIN
        self.labels = [NewLabel(number, name) for number, name, of in LABELS if not train or of != IGNORED]
        self._lookup = _lookup(train)

    def __len__(self) -> int:
        return len(self._names)

    def pictures(self) -> Iterator[SourcePicture]:
        """Split by split, city by city."""
        for split, name in self._names:
            path = self._root / "leftImg8bit" / name
            yield SourcePicture(name, path, "train" if split != "val" else "val", detail=name)

    def planes(self, picture: SourcePicture) -> Planes:
        """One map of objects."""
        stem = str(picture.detail).removesuffix(_ENDING)
        path = (
            self._root / self._asked.annotations / f"{stem}_{self._asked.annotations}_{self._asked.ids}.png"
        )
        values = index_values(path)
        found = np.full(values.shape, -1, np.int64)
        inside = (values >= 0) & (values <= IGNORED)
        found[inside] = self._lookup[values[inside]]
        if (found < 0).any():
            number = int(values[found < 0][0])
            raise DamagedFileError(
                f"mask {path} has number {number}, which is none of Cityscapes' {self._asked.ids}: restore "
                "the mask, or choose the other --ids."
            )
        return {OBJECT: [found]}


def _lookup(train: bool) -> NDArray[np.int64]:
    """(256,) value of a mask -> id, 0 for void, −1 for what is none."""
    table = np.full(IGNORED + 1, -1, np.int64)
    table[[IGNORED] if train else list(VOID_IDS)] = 0
    for number, _, of in LABELS:
        if not train:
            table[number] = number
        elif of != IGNORED:
            table[of] = number
    return table
