"""A plain folder of photographs, no annotation: enough for photographs, colours and shades of every unit.

    classes.csv   image,class, a column `split` (train, val), and whatever else labels whole images; needed to
                  evaluate and to rank units
    images/       the pictures, in folders of any depth; without `images/`, those anywhere below the folder

Files and folders whose names begin with a dot are passed over. Links to folders are followed, up to four one
behind the other and never back into a folder that they lie in.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from interpret_core.datasets.contents import refused
from interpret_core.datasets.image_records import ImageRecords
from interpret_core.datasets.layouts.base import Layout
from interpret_core.datasets.layouts.names import KnownNames
from interpret_core.datasets.sheets import numbered_rows, read_text
from interpret_core.datasets.tables import CLASSES, IMAGES, INDEX, UNFINISHED, ImageRecord, Tables
from interpret_core.errors import DatasetError

SPLIT = "split"
LINKS = 4  # links to folders, one behind the other: more are a maze
ANNOTATION_SIZE = (112, 112)  # as in Broden at 224 px; relevance is summed on this grid
LABELS = "label.csv"  # of Broden's layout
TRIED = 50  # folders that may be data sets of their own
LOOKED_INTO = 1000  # folders, for a first picture
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"})


class FolderLayout(Layout):
    """Pictures, and the classes that they show where a table says so."""

    expects = f"{CLASSES} (a folder of images, with the columns image,class) nor pictures"

    def recognises(self, root: Path) -> bool:
        """By the table of classes; or by pictures, where no table of labels says that an index is missing."""
        return (root / CLASSES).is_file() or (not (root / LABELS).exists() and _holds_pictures(root))

    def read(self, root: Path) -> Tables:
        """The pictures, without labels."""
        return read_folder(root)


def read_folder(root: Path) -> Tables:
    """The pictures below a folder in alphabetical order, without labels, categories or sizes.

    Args:
        root: which class an image has, where it holds classes.csv, is read by `read_classes`.

    Raises:
        DatasetError: classes.csv cannot be read, there is no picture, or an import is still to go on there.
    """
    if (root / UNFINISHED).is_dir():
        raise DatasetError(
            f"{root} is an import that has not come to its end, expected one that has: the same `import` "
            "command goes on."
        )
    several = data_sets_in(root)
    if several:
        named = f"{several[0]} and others" if len(several) > 1 else several[0]
        raise DatasetError(
            f"{root} holds data sets in its folders ({named}), expected one of them: register "
            f"{several[0]}, or put what belongs together into one folder."
        )
    digests: dict[str, str] = {}
    classes = read_text(root / CLASSES, digests) if (root / CLASSES).is_file() else None
    images = IMAGES if (root / IMAGES).is_dir() else ""
    names = sorted(_pictures(root / images))
    if not names:
        raise DatasetError(
            f"{root / images} holds no picture, expected files that end in {', '.join(sorted(SUFFIXES))}: "
            "put the images there."
        )
    splits = _splits(root / CLASSES, classes, names)
    if splits is not None:
        digests[f"{SPLIT} of {CLASSES}"] = "1"  # what such a table is read as; others keep their digest
    records = ImageRecords.of(
        ImageRecord(image=name, split=(splits or {}).get(name, ""), size=None, maps={}) for name in names
    )
    return Tables(records, {}, (), ANNOTATION_SIZE, digests, images, classes)


def data_sets_in(root: Path) -> tuple[str, ...]:
    """Names of the first folders that are data sets of their own, below one without tables and pictures.

    Their pictures together, masks among them, are no data set.
    """
    tables, folders = (CLASSES, LABELS, INDEX), []
    try:
        with os.scandir(root) as entries:
            for one in entries:
                if one.name in (*tables, IMAGES) or _is_picture(one.name):
                    return ()
                if not one.name.startswith(".") and _leads_on(one):
                    folders.append(one.name)
    except OSError:
        return ()
    first = sorted(folders)[:TRIED]
    return tuple(name for name in first if any((root / name / table).is_file() for table in tables))


def _splits(path: Path, text: str | None, names: Sequence[str]) -> dict[str, str] | None:
    """Image -> what it is for; None without such a column, or with a mistake, which `classes` tells."""
    if text is None:
        return None
    known = KnownNames(names)
    try:
        header, rows = numbered_rows(path, text, ())
        if SPLIT not in header or "image" not in header:
            return None
        image, split = header.index("image"), header.index(SPLIT)
        return {name: row[split].strip() for _, row in rows for name in known.meant(row[image])}
    except DatasetError:
        return None


def _holds_pictures(folder: Path) -> bool:
    """Whether one of the first folders below one, itself included, holds a picture: not all of a disk."""
    places = itertools.islice(os.walk(folder, followlinks=True), LOOKED_INTO)
    return any(_is_picture(name) for _, _, files in places for name in files)


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")


def _pictures(folder: Path) -> Iterator[str]:
    """Picture files below a folder, relative to it, with forward slashes; also through links to folders."""
    waiting: list[tuple[str, tuple[tuple[int, int], ...], int]] = [("", (), 0)]
    while waiting:
        place, above, links = waiting.pop()
        own = _identity(folder / place)
        if own in above:  # a link to a folder that it is in
            continue
        try:
            with os.scandir(folder / place) as entries:
                listed = [one for one in entries if not one.name.startswith(".")]
        except OSError as error:
            raise refused(folder / place, error) from error
        for entry in listed:
            name = f"{place}/{entry.name}" if place else entry.name
            if _leads_on(entry):
                deeper = links + entry.is_symlink()
                if deeper > LINKS:
                    raise DatasetError(
                        f"{folder / name} is a link to a folder behind {LINKS} others, expected at most "
                        f"{LINKS} links on the way to a picture: register the folder that they lead to."
                    )
                waiting.append((name, (*above, own), deeper))
            elif _is_picture(entry.name):
                yield name


def _leads_on(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False


def _identity(folder: Path) -> tuple[int, int]:
    try:
        status = folder.stat()
    except OSError as error:
        raise refused(folder, error) from error
    return status.st_dev, status.st_ino
