"""A folder of somebody's pictures, however they lie in it, as a data set that the reader knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
    "ade20k": ("images", "annotations"),
    "camvid": ("701_stillsraw_full", "labeledapproved_full"),
    "masks": ("images", "masks"),
}
_MASKS = ("masks", "mask", "labels", "annotations", "segmentation", "groundtruth", "gt")
_ENDINGS = ("_mask", "_seg", "_label", "_labels", "_labelids", "_segmentation", "_gt", "_l")
_PICTURES = ("images", "image", "pictures", "photos", "imgs", "img", "jpegimages")


@dataclass(frozen=True)
class Arranged:
    """A data set that can be opened.

    Attributes:
        folder: of it.
        imported: what was imported where its folders became classes; None where it is read as it is.
    """

    folder: Path
    imported: Imported | None = None


def pictures_root(folder: Path) -> Path:
    """The folder that is meant: archives often hold nothing but one folder, which holds the data set."""
    while True:
        inside = [one for one in _listed(folder) if not one.name.startswith(".")]
        if len(inside) != 1 or not inside[0].is_dir() or inside[0].name == IMAGES:
            return folder
        below = [one for one in _listed(inside[0]) if not one.name.startswith(".")]
        if any(_is_picture(one) for one in below) and not _has_tables(inside[0]):
            return folder  # one class of pictures
        folder = inside[0]


def arranged(
    source: Path,
    into: Path,
    *,
    classed: bool,
    copy: bool,
    tell: Tell,
    name: str = "",
) -> Arranged:
    """Make a folder readable: as it is where tables say what is in it, else with its folders as classes.

    Args:
        source: the folder.
        into: where its pictures are imported to, if they are; it is not there yet.
        classed: whether folders are classes.
        copy: whether pictures are copied, in place of links to them.
        tell: progress; what it raises ends this.
        name: of the folder in messages, where people know it by another.

    Raises:
        DatasetError: there is no picture, or the folder is of a format that a command imports.
    """
    name = name or source.name
    if _has_tables(source):
        return Arranged(source)
    other = _format_of(source)
    if other:
        raise DatasetError(
            f"{name} looks like pictures with masks beside them, expected pictures alone or Broden's "
            f"tables: bring it in with `python -m interpret_core import {other}`."
        )
    if not any(one.recognises(source) for one in layouts()):
        raise DatasetError(f"{name} holds no picture, expected .jpg, .png or the like in it.")
    folders = _folders(source)
    if not (classed and folders):
        return Arranged(source)
    # Pictures lie in images/ where nothing else is said.
    lie_in = folders[0] if [one.name for one in folders] == [IMAGES] else source
    settings = ImportSettings(into, copy=copy)
    found = run_import(PictureFolder(source=str(lie_in)), settings, tell)
    return Arranged(into, found)


def data_folders(root: Path) -> list[Path]:
    """Folders at or below one that can be made a data set, in the order of their names; reads no picture.

    Those in a data set are part of it; those of the first folder are listed whatever it is itself.
    """
    found = [root] if _is_data(root) else []
    waiting = [] if _has_tables(root) else [(one, 1) for one in _folders(root)]
    for _ in range(_LOOKED_AT):
        if not waiting:
            break
        folder, depth = waiting.pop(0)
        if _is_data(folder):
            found.append(folder)
        elif depth < _DEEPEST:
            waiting += [(one, depth + 1) for one in _folders(folder)]
    return sorted(found)


def _is_data(folder: Path) -> bool:
    """Whether tables, pictures, or a folder for each class lie in it, these perhaps in train and val."""
    below = _folders(folder)
    splits = [inner for one in below if one.name.lower() in SPLITS for inner in _folders(one)]
    return _has_tables(folder) or any(map(_holds_pictures, (folder, *below, *splits)))


def _has_tables(folder: Path) -> bool:
    return any((folder / name).is_file() for name in TABLES)


def _format_of(folder: Path) -> str:
    """The command that imports what stands there side by side; empty where that is nothing known."""
    names = {one.name.lower(): one for one in _folders(folder)}
    if "annotations" in names and any(one.suffix == ".json" for one in _listed(names["annotations"])):
        return "coco-instances"
    for name, side_by_side in _FORMATS.items():
        if set(side_by_side) <= set(names):
            return name
    beside = set(names) & set(_MASKS) and set(names) & set(_PICTURES)
    return "masks" if beside or any(map(_masks_beside, (folder, *_folders(folder)))) else ""


def _masks_beside(folder: Path) -> bool:
    """Whether most pictures lie beside another that is called like their mask."""
    stems = {one.stem.lower() for one in _listed(folder) if _is_picture(one)}
    masks = {f"{stem}{ending}" for stem in stems for ending in _ENDINGS} & stems
    return len(masks) > len(stems) / 3


def _folders(folder: Path) -> list[Path]:
    return sorted(one for one in _listed(folder) if one.is_dir() and not one.name.startswith("."))


def _holds_pictures(folder: Path) -> bool:
    return any(_is_picture(one) for one in _listed(folder))


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
