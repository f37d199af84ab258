"""COCO's instances (Lin et al. 2014): polygons, and run-length codes for crowds.

Each category is drawn as the union of its instances. Objects overlap, so a picture may have several maps: no
two categories share a pixel of one. A crowd (iscrowd) is a region of many objects of the category.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from interpret_core.errors import DamagedFileError
from interpret_core.importers.base import OBJECT, Importer, ImportSource, Planes, SourcePicture, Tell
from interpret_core.importers.coco.codes import NoMaskError, drawn
from interpret_core.importers.coco.layout import CocoImporter, CocoSource, Part, picture_of
from interpret_core.options import Option

JsonOrFolder = Annotated[
    str, Option("COCO's folder (annotations/, train2017/ …), or one JSON file.", "SOURCE", argument=True)
]
Pictures = Annotated[str, Option("Folder of one JSON's pictures, where it does not lie beside it.", "FOLDER")]
WithoutCrowds = Annotated[bool, Option("Leave regions of many objects (iscrowd) unlabelled.")]


@dataclass(frozen=True)
class CocoInstances(CocoImporter, Importer):
    """Options of COCO's instances.

    Attributes:
        source: a folder or a JSON.
        pictures: of one JSON.
        without_crowds: whether crowds are left unlabelled.
    """

    called: ClassVar[str] = "coco-instances"
    summary: ClassVar[str] = (
        "COCO's instances_*.json: polygons and run-length codes; crowds count as their category."
    )
    prefix: ClassVar[str] = "instances_"

    source: JsonOrFolder
    pictures: Pictures = ""
    without_crowds: WithoutCrowds = False

    def open(self, work: Path, tell: Tell) -> ImportSource:
        """Every picture of the JSON, also those without an object."""
        return _InstanceSource(self.parts(), work, tell, crowds=not self.without_crowds)


class _InstanceSource(CocoSource):
    """Annotations by picture."""

    def __init__(self, parts: Sequence[Part], work: Path, tell: Tell, *, crowds: bool) -> None:
        super().__init__(parts, work, tell, named=False)
        self._crowds = crowds
        self.labels = self._labelled(OBJECT)

    @staticmethod
    def damaged(what: str) -> Exception:
        return DamagedFileError(f"{what}: correct the annotation.")

    def planes(self, picture: SourcePicture) -> Planes:
        """As many maps as overlapping categories need."""
        part, record = picture_of(picture)
        regions: dict[int, NDArray[np.bool_]] = {}
        for one in record.annotations:
            where = f"{part.json}, annotation {one.get('id')!r} of {record.file}"
            category = self.known(one, where)
            if one.get("iscrowd") and not self._crowds:
                continue
            try:
                region = drawn(one.get("segmentation"), record.size)
            except NoMaskError as error:
                raise self.damaged(f"{where} {error}") from error
            regions[category] = regions[category] | region if category in regions else region
        maps: list[NDArray[np.int64]] = []
        for category, region in sorted(regions.items()):
            free = next((one for one in maps if not one[region].any()), None)
            if free is None:
                free = np.zeros(record.size, np.int64)
                maps.append(free)
            free[region] = self.numbers[category]
        return {OBJECT: maps}
