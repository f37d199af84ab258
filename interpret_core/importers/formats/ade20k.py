"""ADE20K (Zhou et al. 2017): the full release, and SceneParse150.

SceneParse150 has masks of one channel, 0 for other classes and unlabelled, 1 to 150 by objectInfo150.txt.
The full release has for each picture `…_seg.png`, whose R/10·256 + G is the class of the object, 0 where
there is none, and `…_parts_1.png`, `…_parts_2.png` … for parts and parts of parts, coded alike. Which number
is which name say the release's JSON files (name_ndx), or in that of 2016 the lines of `…_atr.txt`, by the
instance that the blue channel counts. The index of the release is a pickle, and is not read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets.sheets import read_text
from interpret_core.errors import DamagedFileError, DatasetError
from interpret_core.importers.base import (
    OBJECT,
    PART,
    FolderImporter,
    ImportSource,
    NewLabel,
    Planes,
    SourcePicture,
    Tell,
)
from interpret_core.importers.names import required_folder
from interpret_core.importers.values import colour_values, index_values

OBJECTS, SCENES = "objectInfo150.txt", "sceneCategories.txt"
_SPLITS = {"training": "train", "validation": "val"}
_LEVELS = 8  # of parts of parts


@dataclass(frozen=True)
class Ade20k(FolderImporter):
    """ADE20K's options.

    Attributes:
        source: the folder of either release.
    """

    called: ClassVar[str] = "ade20k"
    summary: ClassVar[str] = (
        "ADE20K: the full release (objects and parts), or SceneParse150; 0 is unlabelled."
    )

    def open(self, work: Path, tell: Tell) -> ImportSource:
        """Whichever release it is."""
        root = required_folder(Path(self.source), "the folder of ADE20K")
        for place in (root, *sorted(path for path in root.iterdir() if path.is_dir())):
            if (place / OBJECTS).is_file():
                return _ParsingSource(place)
        return _FullSource(root, tell)


class _ParsingSource(ImportSource):
    """SceneParse150."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.labels = _objects(root / OBJECTS)
        self._scenes = _scenes(root / SCENES)
        self._names = [
            (split, path.name)
            for folder, split in _SPLITS.items()
            for path in sorted((root / "images" / folder).glob("*.jpg"))
        ]
        self._folders = {split: folder for folder, split in _SPLITS.items()}
        if not self._names:
            raise DatasetError(
                f"{root} has no picture in images/training or images/validation, expected the folder of "
                "ADEChallengeData2016 as it was unpacked: check it."
            )

    def __len__(self) -> int:
        return len(self._names)

    def pictures(self) -> Iterator[SourcePicture]:
        """Training, then validation."""
        for split, name in self._names:
            folder = self._folders[split]
            path = self._root / "images" / folder / name
            yield SourcePicture(
                f"{folder}/{name}", path, split, self._scenes.get(Path(name).stem, ""), (folder, name)
            )

    def planes(self, picture: SourcePicture) -> Planes:
        """One map of objects."""
        folder, name = picture.detail
        return {OBJECT: [index_values(self._root / "annotations" / folder / f"{Path(name).stem}.png")]}


def _objects(path: Path) -> list[NewLabel]:
    """objectInfo150.txt: Idx, Ratio, Train, Val, (Stuff,) Name, separated by tabs."""
    lines = [line for line in enumerate(read_text(path, {}).splitlines(), 1) if line[1].strip()]
    header = [cell.strip() for cell in lines[0][1].split("\t")] if lines else []
    if "Idx" not in header or "Name" not in header:
        raise DatasetError(f"{path} has no columns Idx and Name in its first line: restore it.")
    found = []
    for line, text in lines[1:]:
        cells = [cell.strip() for cell in text.split("\t")]
        number = cells[header.index("Idx")]
        if len(cells) != len(header) or not (number.isascii() and number.isdigit() and len(number) < 6):
            raise DatasetError(f"{path} line {line} is {text!r}, expected {len(header)} cells: restore it.")
        found.append(NewLabel(int(number), cells[header.index("Name")]))
    return found


def _scenes(path: Path) -> dict[str, str]:
    """Picture -> scene, where the table is there; it lists test pictures as well."""
    if not path.is_file():
        return {}
    pairs = (line.split() for line in read_text(path, {}).splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


class _FullSource(ImportSource):
    """The full release: every picture beside its masks."""

    def __init__(self, root: Path, tell: Tell) -> None:
        self._root = root
        self._names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*_seg.png"))
        if not self._names:
            raise DatasetError(
                f"{root} holds neither {OBJECTS} nor masks …_seg.png, expected ADE20K's full release or "
                "SceneParse150: check the folder."
            )
        names = _Names()
        for done, name in enumerate(self._names, 1):
            names.read(root / name)
            tell("read names", done, len(self._names))
        self.labels = names.labels()
        self.notes = tuple(filter(None, [names.note()]))
        if not self.labels:
            raise DatasetError(
                f"No text beside the masks of {root} names a class, expected some: restore them."
            )

    def __len__(self) -> int:
        return len(self._names)

    def pictures(self) -> Iterator[SourcePicture]:
        """In the order of their names."""
        for name in self._names:
            stem = name.removesuffix("_seg.png")
            split = next((_SPLITS[part] for part in name.split("/") if part in _SPLITS), "")
            yield SourcePicture(f"{stem}.jpg", self._root / f"{stem}.jpg", split, detail=stem)

    def planes(self, picture: SourcePicture) -> Planes:
        """A map of objects, and one for each level of parts."""
        maps = [_classes(self._root / f"{picture.detail}_seg.png")]
        for level in range(1, _LEVELS + 1):
            path = self._root / f"{picture.detail}_parts_{level}.png"
            if not path.exists():
                break
            maps.append(_classes(path))
        return {OBJECT: maps[:1], PART: [np.where(one > 0, one + _OF_PARTS, 0) for one in maps[1:]]}


# Parts have numbers of their own: what is an object in one picture is a part in another (a door, a wheel),
# and a label counts in the category of its map alone.
_OF_PARTS = 20_000


def _classes(path: Path) -> NDArray[np.int64]:
    """(h, w) R/10·256 + G."""
    colours = colour_values(path)
    if (colours[..., 0] % 10).any():
        raise DamagedFileError(f"mask {path} has a red value that is no multiple of ten: restore it.")
    return _numbered(colours)


def _numbered(colours: NDArray[np.uint8]) -> NDArray[np.int64]:
    return colours[..., 0].astype(np.int64) // 10 * 256 + colours[..., 1]


class _Names:
    """Class numbers and their names, gathered from the pictures' texts."""

    def __init__(self) -> None:
        self._objects: dict[int, Counter[str]] = {}
        self._parts: dict[int, Counter[str]] = {}

    def read(self, mask: Path) -> None:
        """What stands beside one mask."""
        stem = mask.with_name(mask.name.removesuffix("_seg.png"))
        described, lines = stem.with_suffix(".json"), stem.with_name(f"{stem.name}_atr.txt")
        if described.is_file():
            self._add_described(described)
        elif lines.is_file():
            self._add_lines(lines, stem)
        else:
            raise DatasetError(
                f"{mask} has neither {described.name} nor {lines.name} beside it: restore one of them."
            )

    def labels(self) -> list[NewLabel]:
        """Objects, then parts; each by the name that most pictures give it."""
        objects, parts = (
            {number: names.most_common(1)[0][0] for number, names in sorted(table.items())}
            for table in (self._objects, self._parts)
        )
        found = [NewLabel(number, name) for number, name in objects.items()]
        return [*found, *(NewLabel(number + _OF_PARTS, name, PART) for number, name in parts.items())]

    def note(self) -> str:
        """What the texts do not agree about, in a sentence, or nothing."""
        several = [
            (number, names)
            for table in (self._objects, self._parts)
            for number, names in table.items()
            if len(names) > 1
        ]
        if not several:
            return ""
        number, names = several[0]
        return (
            f"{len(several):,} classes bear more than one name in the texts, and have that of most pictures: "
            f"{number} is {' and '.join(map(repr, sorted(names)[:3]))}"
        )

    def _add(self, number: int, name: str, part: bool) -> None:
        table = self._parts if part else self._objects
        table.setdefault(number, Counter())[name] += 1

    def _add_described(self, path: Path) -> None:
        try:
            objects = json.loads(_text(path))["annotation"]["object"]
            objects = [objects] if isinstance(objects, dict) else objects
            for one in objects:
                level = int(one["parts"]["part_level"])
                self._add(_index(one["name_ndx"]), str(one["name"]).strip(), level > 0)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DatasetError(
                f"{path} is broken ({type(error).__name__}: {error}), expected ADE20K's annotation.object "
                "with name, name_ndx and parts.part_level: restore it."
            ) from error

    def _add_lines(self, path: Path, stem: Path) -> None:
        """`instance # part level # occluded # name # …`; the masks say which number an instance has."""
        levels: dict[int, dict[int, str]] = {}
        for line, text in enumerate(_text(path).splitlines(), 1):
            if not text.strip():
                continue
            cells = [cell.strip() for cell in text.split("#")]
            if len(cells) < 4 or not cells[0].isdigit() or not cells[1].isdigit() or not cells[3]:
                raise DatasetError(
                    f"{path} line {line} is {text!r}, expected instance # part level # occluded # name."
                )
            levels.setdefault(int(cells[1]), {})[int(cells[0])] = cells[3]
        for level, named in sorted(levels.items()):
            mask = stem.with_name(f"{stem.name}_seg.png" if level == 0 else f"{stem.name}_parts_{level}.png")
            for number, instance in _instances(mask, set(named) if level else set()):
                if instance in named:
                    self._add(number, named[instance], level > 0)


def _instances(mask: Path, numbered: set[int]) -> Iterator[tuple[int, int]]:
    """(class, instance) of what a mask holds.

    Of objects, the instances are the blue values in their order, from 1 (loadAde20K of the release's tools);
    of parts they are the blue values themselves, where these are the numbers that the text gives.
    """
    try:
        colours = colour_values(mask)
    except DamagedFileError:
        return  # told where its picture is left out
    numbers, blue = _numbered(colours), colours[..., 2]
    values = np.unique(blue[numbers > 0]).tolist()
    direct = bool(values) and set(values) <= numbered
    for place, value in enumerate(values, 1):
        for number in np.unique(numbers[(blue == value) & (numbers > 0)]).tolist():
            yield number, value if direct else place


def _index(value: Any) -> int:
    number = int(value)
    if not 0 < number < _OF_PARTS:
        raise ValueError(f"name_ndx is {value!r}")
    return number


def _text(path: Path) -> str:
    """A text of the release; some are in UTF-8, some in Latin-1."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
