"""A format that is imported: the same folder, with masks of any sizes, into the layout that is read."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from PIL import Image

from interpret_core.errors import DatasetError
from interpret_core.importers import Importer, ImportSource, NewLabel, SourcePicture
from interpret_core.importers.base import Folder, Planes, Tell
from interpret_core.options import Option

TABLE, MASK = "names.csv", ".mask"


@dataclass(frozen=True)
class StemMasks(Importer):
    """Its fields are the options of `import stem-masks`."""

    called: ClassVar[str] = "stem-masks"
    summary: ClassVar[str] = "Pictures with a grey mask beside each, <stem>.mask.png."

    source: Folder
    category: Annotated[str, Option("What its labels are: object, part, material …")] = "object"

    def places(self) -> Sequence[Path]:
        """What is read."""
        return (Path(self.source),)

    def open(self, work: Path, tell: Tell) -> ImportSource:
        """Its tables are read now, its pictures one by one later."""
        return _Opened(Path(self.source), self.category)


class _Opened(ImportSource):
    """What is in one folder."""

    def __init__(self, root: Path, category: str) -> None:
        if not (root / TABLE).is_file():
            raise DatasetError(f"{root} has no {TABLE}, expected one with the columns value and name.")
        with (root / TABLE).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        self.labels = [NewLabel(int(row["value"]), row["name"], category) for row in rows]
        self._paths = [path for path in sorted(root.glob("*.png")) if not path.stem.endswith(MASK)]
        self._category = category

    def __len__(self) -> int:
        return len(self._paths)

    def pictures(self) -> Iterator[SourcePicture]:
        """In the same order each time, so that an import which was cut off can go on."""
        for path in self._paths:
            yield SourcePicture(path.name, path)

    def planes(self, picture: SourcePicture) -> Planes:
        """Label maps by category; 0 is unlabelled, and each may have a size of its own."""
        with Image.open(picture.path.with_name(f"{picture.path.stem}{MASK}.png")) as mask:
            return {self._category: [np.asarray(mask.convert("L")).astype(np.int64)]}
