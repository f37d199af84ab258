"""Pictures and masks in two folders, and a palette file that says what the masks' values or colours mean.

A mask is that of the picture with its path and name, whatever their endings, and an ending that the masks
have in common (`--suffix _mask`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets.layouts.names import composed
from interpret_core.errors import DamagedFileError, DatasetError
from interpret_core.importers.base import Importer, ImportSource, Planes, SourcePicture, Tell
from interpret_core.importers.grid import by_category
from interpret_core.importers.names import pictures_below, required_folder
from interpret_core.importers.palettes import read_palette
from interpret_core.importers.values import colour_values, index_values, labels_of_colours
from interpret_core.options import Option

_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


@dataclass(frozen=True)
class MaskFolder(Importer):
    """Options of pictures with masks.

    Attributes:
        pictures: folder of the pictures.
        masks: folder of the masks.
        palette: file.
        suffix: what a mask's name has behind that of its picture.
    """

    called: ClassVar[str] = "masks"
    summary: ClassVar[str] = (
        "Pictures and index or colour masks of the same names, with a palette file: number,name or "
        "r,g,b,name."
    )

    pictures: Annotated[str, Option("Folder of the pictures.", "PICTURES", argument=True)]
    masks: Annotated[str, Option("Folder of the masks.", "MASKS", argument=True)]
    palette: Annotated[
        str, Option("CSV with number,name or r,g,b,name (and category), or lines R G B name.", "FILE")
    ]
    suffix: Annotated[str, Option("What masks have behind the picture's name, such as _mask.", "TEXT")] = ""

    def places(self) -> Sequence[Path]:
        """Both folders and the palette."""
        return (Path(self.pictures), Path(self.masks), Path(self.palette))

    def open(self, work: Path, tell: Tell) -> ImportSource:
        """Pictures that have a mask."""
        return _MaskSource(self)


class _MaskSource(ImportSource):
    """Pictures paired with masks by path."""

    def __init__(self, asked: MaskFolder) -> None:
        self._root = required_folder(Path(asked.pictures), "the folder of the pictures")
        self._masks = required_folder(Path(asked.masks), "the folder of the masks")
        self._palette, self._file = read_palette(Path(asked.palette)), asked.palette
        self.labels = self._palette.labels
        self._pairs = list(self._paired(asked.suffix))
        if not self._pairs:
            raise DatasetError(
                f"No picture of {self._root} has a mask of its "
                f"name{asked.suffix and ' and ' + asked.suffix} in "
                f"{self._masks}, expected dog/1.jpg and dog/1{asked.suffix}.png, say: check both folders "
                "and --suffix."
            )
        if self._palette.nothing:
            self.notes = (*self.notes, f"Counted as unlabelled: {', '.join(self._palette.nothing)}")

    def _paired(self, suffix: str) -> Iterator[tuple[str, str]]:
        masks: dict[str, str] = {}
        for name in pictures_below(self._masks):
            stem = composed(_stem(name))
            if not stem.endswith(composed(suffix)):
                continue
            before = masks.setdefault(stem.removesuffix(composed(suffix)), name)
            if before != name:
                raise DatasetError(
                    f"{self._masks} holds two masks of one picture, {before} and {name}, expected one: "
                    "remove one."
                )
        seen: dict[str, str] = {}
        without = 0
        for name in pictures_below(self._root):
            if self._root == self._masks and suffix and _stem(name).endswith(suffix):
                continue
            mask = masks.get(composed(_stem(name)))
            if mask is None:
                without += 1
                continue
            before = seen.setdefault(mask, name)
            if before != name:
                raise DatasetError(
                    f"{self._root} holds {before} and {name} for one mask, {mask}, expected one picture: "
                    "rename one of them."
                )
            yield name, mask
        notes = [
            (without, "pictures have no mask"),
            (len(set(masks.values()) - set(seen)), "masks have no picture"),
        ]
        self.notes = [f"{many:,} {what}, and are not imported" for many, what in notes if many]

    def __len__(self) -> int:
        return len(self._pairs)

    def pictures(self) -> Iterator[SourcePicture]:
        """In the order of their names."""
        for name, mask in self._pairs:
            split = _SPLITS.get(name.split("/")[0].lower(), "") if "/" in name else ""
            yield SourcePicture(name, self._root / name, split, detail=mask)

    def planes(self, picture: SourcePicture) -> Planes:
        """A map for each category."""
        path = self._masks / str(picture.detail)
        if self._palette.colours:
            remedy = f"add the colour to {self._file}, or save the mask without smoothing and not as JPEG"
            numbers = labels_of_colours(colour_values(path), self._palette.colours, path, remedy)
        else:
            numbers = self._numbered(path)
        return by_category(numbers, self.labels)

    def _numbered(self, path: Path) -> NDArray[np.int64]:
        values = index_values(path)
        table = np.full(
            max(256, int(values.max(initial=0)) + 1, max(self._palette.numbers) + 1), -1, np.int64
        )
        table[0] = 0 if 0 not in self._palette.numbers else -1
        for value, number in self._palette.numbers.items():
            table[value] = number
        found = table[np.maximum(values, 0)]
        strange = (found < 0) | (values < 0)
        if strange.any():
            raise DamagedFileError(
                f"mask {path} has value {int(values[strange][0])} ({int(strange.sum()):,} of "
                f"{strange.size:,} "
                f"pixels), which {self._file} does not list: add it there (with the name void, if it shall "
                "not count), or correct the mask."
            )
        return found


def _stem(name: str) -> str:
    return name[: -len(Path(name).suffix)] if Path(name).suffix else name
