"""CamVid (Brostow et al. 2009): photographs, masks `…_L.png` of one colour per class, label_colors.txt.

`Void` counts as unlabelled. Pictures and masks may lie anywhere below the folder; a mask is that of the
picture with its name without `_L`. The index masks that SegNet's authors made are `import masks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from interpret_core.datasets.layouts.names import composed
from interpret_core.errors import DatasetError
from interpret_core.importers.base import OBJECT, FolderImporter, ImportSource, Planes, SourcePicture, Tell
from interpret_core.importers.names import pictures_below, required_folder
from interpret_core.importers.palettes import read_palette
from interpret_core.importers.values import colour_values, labels_of_colours

COLOURS = "label_colors.txt"
_MARK = "_L"


@dataclass(frozen=True)
class CamVid(FolderImporter):
    """CamVid's options.

    Attributes:
        source: the folder with photographs, masks and label_colors.txt.
    """

    called: ClassVar[str] = "camvid"
    summary: ClassVar[str] = "CamVid: colour masks …_L.png by label_colors.txt, Void unlabelled."

    def open(self, work: Path, tell: Tell) -> ImportSource:
        """Photographs that have a mask."""
        return _CamVidSource(required_folder(Path(self.source), "the folder of CamVid"))


class _CamVidSource(ImportSource):
    """Photographs paired with masks by name."""

    def __init__(self, root: Path) -> None:
        self._root = root
        tables = sorted(root.rglob(COLOURS))
        if len(tables) != 1:
            held = "none" if not tables else f"{len(tables)} ({', '.join(map(str, tables[:3]))})"
            raise DatasetError(f"{root} holds {held} of {COLOURS}, expected one: put it into the folder.")
        self._palette = read_palette(tables[0])
        if not self._palette.colours:
            raise DatasetError(f"{tables[0]} has no line `R G B name`, expected one per class: restore it.")
        self.labels = self._palette.labels
        self._pairs = list(self._paired(pictures_below(root)))
        if not self._pairs:
            raise DatasetError(
                f"{root} holds no photograph with a mask of its name and {_MARK}, such as "
                "0001TP_006690.png and "
                f"0001TP_006690{_MARK}.png: check the folder."
            )

    def _paired(self, names: list[str]) -> Iterator[tuple[str, str]]:
        masks: dict[str, str] = {}
        for name in names:
            stem = composed(Path(name).stem)
            if stem.endswith(_MARK):
                before = masks.setdefault(stem.removesuffix(_MARK), name)
                if before != name:
                    raise DatasetError(
                        f"{self._root} holds two masks of one name, {before} and {name}, expected one: "
                        "remove one of them."
                    )
        unpaired = set(masks)
        for name in names:
            stem = composed(Path(name).stem)
            if stem in masks:
                unpaired.discard(stem)
                yield name, masks[stem]
        if unpaired:
            self.notes = (f"{len(unpaired):,} masks have no photograph: {', '.join(sorted(unpaired)[:3])}",)

    def __len__(self) -> int:
        return len(self._pairs)

    def pictures(self) -> Iterator[SourcePicture]:
        """In the order of their names."""
        for name, mask in self._pairs:
            yield SourcePicture(name, self._root / name, _split(name), detail=mask)

    def planes(self, picture: SourcePicture) -> Planes:
        """One map of objects."""
        path = self._root / str(picture.detail)
        remedy = f"restore the mask, or add the colour to {COLOURS}; JPEG and smoothing make such colours"
        return {OBJECT: [labels_of_colours(colour_values(path), self._palette.colours, path, remedy)]}


def _split(name: str) -> str:
    """By the folder that a picture lies in, where that is called like a split."""
    first = name.split("/")[0].lower()
    return first if first in ("train", "val", "test") and "/" in name else ""
