"""COCO's panoptic segmentation (Kirillov et al. 2019): a PNG of segment ids R + 256·G + 65536·B per picture.

A pixel's segment belongs to a category, by segments_info; id 0 is unlabelled. Things and stuff are objects
here, as in Broden, unless stuff is given a category of its own. A crowd (iscrowd) is many things at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets.layouts.names import DiskNames
from interpret_core.errors import DamagedFileError, DatasetError
from interpret_core.importers.base import (
    OBJECT,
    Importer,
    ImportSource,
    Planes,
    SourcePicture,
    Tell,
    checked_category,
)
from interpret_core.importers.coco.layout import CocoImporter, CocoSource, Part, picture_of
from interpret_core.importers.formats.coco_instances import JsonOrFolder, Pictures, WithoutCrowds
from interpret_core.importers.names import required_folder
from interpret_core.importers.values import number_values
from interpret_core.options import Option


@dataclass(frozen=True)
class CocoPanoptic(CocoImporter, Importer):
    """Options of COCO's panoptic segmentation.

    Attributes:
        source: a folder or a JSON.
        pictures: of one JSON.
        masks: of one JSON.
        stuff: category of what is no thing.
        without_crowds: whether crowds are left unlabelled.
    """

    called: ClassVar[str] = "coco-panoptic"
    summary: ClassVar[str] = "COCO's panoptic_*.json with its PNGs of segment ids: things and stuff."
    prefix: ClassVar[str] = "panoptic_"

    source: JsonOrFolder
    pictures: Pictures = ""
    masks: Annotated[str, Option("Folder of one JSON's PNGs, where it does not lie beside it.", "FOLDER")] = (
        ""
    )
    stuff: Annotated[
        str, Option("Category of stuff (sky, grass …): object, or a column of its own.", "NAME")
    ] = OBJECT
    without_crowds: WithoutCrowds = False

    def places(self) -> Sequence[Path]:
        """JSON, pictures and PNGs."""
        return [*super().places(), *(self.png_folder(one) for one in self.parts())]

    def png_folder(self, part: Part) -> Path:
        """The folder of a JSON's PNGs.

        Raises:
            DatasetError: it is missing.
        """
        folder = Path(self.masks) if self.masks else part.json.with_suffix("")
        return required_folder(
            folder, f"the PNGs of {part.json.name} (unpack its archive, or name them by --masks)"
        )

    def open(self, work: Path, tell: Tell) -> ImportSource:
        """Every picture of the JSON."""
        parts = self.parts()
        if self.masks and len(parts) > 1:
            raise DatasetError(f"--masks belongs to one JSON, but {self.source} has {len(parts)}: name one.")
        checked_category(self.stuff, "--stuff")
        return _PanopticSource(self, parts, work, tell)


class _PanopticSource(CocoSource):
    """One annotation for each picture."""

    def __init__(self, asked: CocoPanoptic, parts: Sequence[Part], work: Path, tell: Tell) -> None:
        super().__init__(parts, work, tell, named=True)
        self._asked = asked
        self._pngs: dict[Path, DiskNames] = {}
        self.labels = self._labelled(asked.stuff)
        self._stuff = {self.numbers[one.id] for one in self._categories.values() if not one.thing}

    @staticmethod
    def damaged(what: str) -> Exception:
        return DamagedFileError(f"{what}: restore the annotation.")

    def planes(self, picture: SourcePicture) -> Planes:
        """One map, or one of things and one of stuff."""
        part, record = picture_of(picture)
        if len(record.annotations) != 1:
            many = len(record.annotations)
            raise self.damaged(f"{part.json} has {many} annotations of {record.file}, expected one")
        annotation = record.annotations[0]
        folder = self._asked.png_folder(part)
        names = self._pngs.setdefault(folder, DiskNames(folder))
        path = folder / names.of(annotation["file_name"])
        numbers = self._numbers(annotation, number_values(path), f"{part.json}, {annotation['file_name']}")
        if numbers.shape != record.size:
            (h, w), (height, width) = numbers.shape, record.size
            raise self.damaged(
                f"mask {path} is {h}×{w} pixels, expected {height}×{width} as {part.json} says"
            )
        if self._asked.stuff == OBJECT:
            return {OBJECT: [numbers]}
        stuff = np.isin(numbers, list(self._stuff))
        return {OBJECT: [np.where(stuff, 0, numbers)], self._asked.stuff: [np.where(stuff, numbers, 0)]}

    def _numbers(self, annotation: dict[str, Any], ids: NDArray[np.int64], where: str) -> NDArray[np.int64]:
        """Label numbers of segment ids."""
        segments = annotation.get("segments_info")
        if not isinstance(segments, list):
            raise self.damaged(f"{where} has no segments_info, expected a list")
        of: dict[int, int] = {0: 0}
        for one in segments:
            number = one.get("id") if isinstance(one, dict) else None
            if type(number) is not int or not 0 < number < 1 << 24:
                raise self.damaged(f"{where} has segment id {number!r}, expected 1 to {(1 << 24) - 1}")
            if number in of:
                raise self.damaged(f"{where} lists segment {number} twice, expected once")
            left = one.get("iscrowd") and self._asked.without_crowds
            category = self.known(one, f"{where}, segment {number}")
            of[number] = 0 if left else self.numbers[category]
        found, places = np.unique(ids, return_inverse=True)
        for number in found.tolist():
            if number not in of:
                raise self.damaged(
                    f"{where} has pixels of segment {number}, which segments_info does not list"
                )
        lookup = np.array([of[number] for number in found.tolist()], np.int64)
        return lookup[places].reshape(ids.shape)
