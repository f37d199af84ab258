"""A format of data sets that an installed package adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np

from interpret_core.importers import Importer, ImportSource, NewLabel, SourcePicture
from interpret_core.importers.base import OBJECT, Folder, Planes, Tell
from interpret_core.options import Option


@dataclass(frozen=True)
class Halves(Importer):
    """Pictures whose left half is one thing."""

    called: ClassVar[str] = "halves"
    summary: ClassVar[str] = "Pictures of halves."

    source: Folder
    left: Annotated[str, Option("What the left half is.")] = "left"

    def places(self) -> Sequence[Path]:
        return (Path(self.source),)

    def open(self, work: Path, tell: Tell) -> ImportSource:
        return _HalvesSource(self)


class _HalvesSource(ImportSource):
    def __init__(self, asked: Halves) -> None:
        self._paths = sorted(Path(asked.source).glob("*.png"))
        self.labels = [NewLabel(7, asked.left)]

    def __len__(self) -> int:
        return len(self._paths)

    def pictures(self) -> Iterator[SourcePicture]:
        for path in self._paths:
            yield SourcePicture(path.name, path)

    def planes(self, picture: SourcePicture) -> Planes:
        return {OBJECT: [np.array([[7, 0]])]}
