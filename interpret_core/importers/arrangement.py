"""A folder of somebody's pictures, however they lie in it, as a data set that the reader knows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from interpret_core.datasets.layouts.folder import LABELS, SUFFIXES
from interpret_core.datasets.registry import layouts
from interpret_core.datasets.tables import CLASSES, IMAGES, INDEX
from interpret_core.errors import DatasetError
from interpret_core.importers.base import ImportSettings, Tell
from interpret_core.importers.formats.folder import SPLITS, PictureFolder
from interpret_core.importers.runner import run_import
from interpret_core.importers.target import Imported

TABLES = (INDEX, LABELS, CLASSES)
_LOOKED_AT = 400  # folders in which others are looked for
_DEEPEST = 3  # folders below the first
# Folders by which other formats are known: format -> names in lower case that stand side by side.
_FORMATS = {
    "voc": ("jpegimages", "segmentationclass"),
    "cityscapes": ("leftimg8bit", "gtfine"),
    "camvid": ("701_stillsraw_full", "labeledapproved_full"),
    "ade20k": ("images", "annotations"),
}
_MASKS = re.compile(
    r"(.*_)?(masks?|labels?|annotations?|segmentations?|segmentation(class|object)|ground_?truths?|gt)(_.*)?"
)
_PICTURES = re.compile(r"(.*_)?(images?|pictures?|photos?|imgs?|jpegimages|jpegs?|rgb)(_.*)?")
_ENDINGS = ("_mask", "_seg", "_label", "_labels", "_labelids", "_segmentation", "_gt", "_l")
_COCO = re.compile(r"(?:.*/)?annotations/(panoptic|instances|person_keypoints|captions|stuff)_[^/]*\.json")


class Wish(NamedTuple):
    """How a folder shall be read.

    Attributes:
        classed: whether its folders are classes.
        copy: whether pictures are copied, in place of links to them.
        photographs: whether all its pictures are photographs, whatever they look like.
        name: of the folder in messages, where people know it by another; "" for its own.
        beside: names of files that belong to it and are not there.
    """

    classed: bool
    copy: bool = False
    photographs: bool = False
    name: str = ""
    beside: Sequence[str] = ()


@dataclass(frozen=True)
class Arranged:
    """A data set that can be opened.

    Attributes:
        folder: of it.
        imported: what was imported where its folders became classes; None where it is read as it is.
    """

    folder: Path
    imported: Imported | None = None


class MasksBesideError(DatasetError):
    """Pictures that look like photographs with their masks, and are told by no table."""


class _Inside(NamedTuple):
    """What lies in a folder: folders, and names of files; hidden ones are passed over."""

    folders: tuple[Path, ...]
    files: tuple[str, ...]

    @property
    def pictures(self) -> Iterator[str]:
        return (name for name in self.files if Path(name).suffix.lower() in SUFFIXES)

    @property
    def tables(self) -> bool:
        return not set(TABLES).isdisjoint(self.files)


def pictures_root(folder: Path) -> Path:
    """The folder that is meant: archives often hold nothing but one folder, which holds the data set."""
    while True:
        inside = _inside(folder)
        if len(inside.folders) != 1 or inside.tables or any(inside.pictures):
            return folder
        if inside.folders[0].name == IMAGES:
            return folder
        folder = inside.folders[0]


def arranged(source: Path, into: Path, wish: Wish, tell: Tell) -> Arranged:
    """Make a folder readable: as it is where tables say what is in it, else with its folders as classes.

    Args:
        source: the folder.
        into: where its pictures are imported to, if they are; it is not there yet.
        wish: how it shall be read.
        tell: progress; what it raises ends this.

    Raises:
        MasksBesideError: pictures look like masks of others.
        DatasetError: there is no picture.
    """
    name, inside = wish.name or source.name, _inside(source)
    if inside.tables:
        return Arranged(source)
    other = "" if wish.photographs else _format_of(source, wish.beside)
    if other:
        raise MasksBesideError(
            f"{name} looks like pictures with masks beside them, expected pictures alone or Broden's tables: "
            f"bring it in with `python -m interpret_core import {other}`."
        )
    if not any(one.recognises(source) for one in layouts()):
        raise DatasetError(f"{name} holds no picture, expected .jpg, .png or the like in it.")
    if not (wish.classed and inside.folders):
        return Arranged(source)
    # Pictures lie in images/ where nothing else is said.
    lie_in = inside.folders[0] if [one.name for one in inside.folders] == [IMAGES] else source
    if not _inside(lie_in).folders:
        return Arranged(source)
    found = run_import(PictureFolder(source=str(lie_in)), ImportSettings(into, copy=wish.copy), tell)
    return Arranged(into, found)


def data_folders(root: Path) -> list[Path]:
    """Folders at or below one that can be made a data set, in the order of their names; reads no picture.

    Those in a data set are part of it; those of the first folder are listed whatever it is itself.
    """
    first = _inside(root)
    found = [root] if _is_data(first) else []
    waiting = [] if first.tables else [(one, 1) for one in first.folders]
    for _ in range(_LOOKED_AT):
        if not waiting:
            break
        folder, depth = waiting.pop(0)
        inside = _inside(folder)
        if _is_data(inside):
            found.append(folder)
        elif depth < _DEEPEST:
            waiting += [(one, depth + 1) for one in inside.folders]
    return sorted(found)


def _is_data(inside: _Inside) -> bool:
    """Whether tables, pictures, or a folder for each class lie in it, these perhaps in train and val."""
    if inside.tables or any(inside.pictures):
        return True
    for folder in inside.folders:
        below = _inside(folder)
        if any(below.pictures):
            return True
        if folder.name.lower() in SPLITS and any(any(_inside(one).pictures) for one in below.folders):
            return True
    return False


def _format_of(folder: Path, beside: Sequence[str]) -> str:
    """The command that imports what stands there side by side, at any depth; empty where none does."""
    if coco := _coco(beside):
        return coco
    waiting = [(folder, 0)]
    for _ in range(_LOOKED_AT):
        if not waiting:
            break
        place, depth = waiting.pop(0)
        inside = _inside(place)
        found = _side_by_side(inside)
        if found:
            return found
        if depth < _DEEPEST:
            waiting += [(one, depth + 1) for one in inside.folders]
    return ""


def _side_by_side(inside: _Inside) -> str:
    names = {one.name.lower(): one for one in inside.folders}
    annotations = _inside(names["annotations"]).files if "annotations" in names else ()
    if coco := _coco(["/".join(("annotations", name)) for name in annotations]):
        return coco
    for name, several in _FORMATS.items():
        if set(several) <= set(names):
            return name
    beside = any(map(_MASKS.fullmatch, names)) and any(map(_PICTURES.fullmatch, names))
    return "masks" if beside or _masks_between(inside) else ""


def _coco(names: Sequence[str]) -> str:
    """The command that imports COCO's annotations of one of these names; empty where none is of COCO."""
    found = next((match for name in names if (match := _COCO.fullmatch(name))), None)
    if found is None:
        return ""
    return "coco-panoptic" if found[1] == "panoptic" else "coco-instances"


def _masks_between(inside: _Inside) -> bool:
    """Whether most pictures lie beside another that is called like their mask."""
    pictures = list(inside.pictures)
    stems = {Path(name).stem.lower() for name in pictures}
    masks = {f"{stem}{ending}" for stem in stems for ending in _ENDINGS} & stems
    twice = len(pictures) - len(stems)  # 1.jpg and 1.png
    return bool(pictures) and (len(masks) > len(stems) / 3 or twice > len(pictures) / 3)


def _inside(folder: Path) -> _Inside:
    """One look at a folder; what cannot be listed holds nothing."""
    folders: list[str] = []
    files: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    (folders if entry.is_dir() else files).append(entry.name)
    except OSError:
        return _Inside((), ())
    return _Inside(tuple(folder / name for name in sorted(folders)), tuple(sorted(files)))
