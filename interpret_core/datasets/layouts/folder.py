"""A plain folder of photographs, no annotation: enough for photographs, colours and shades of every unit.

    classes.csv   image,class and whatever else labels whole images; needed to evaluate and to rank units
    images/       the pictures, in folders of any depth; without `images/`, those anywhere below the folder

Files and folders whose names begin with a dot are passed over.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from interpret_core.datasets.image_records import ImageRecords
from interpret_core.datasets.layouts.base import Layout
from interpret_core.datasets.sheets import read_text
from interpret_core.datasets.tables import CLASSES, IMAGES, ImageRecord, Tables
from interpret_core.errors import DatasetError

ANNOTATION_SIZE = (112, 112)  # as in Broden at 224 px; relevance is summed on this grid
LABELS = "label.csv"  # of Broden's layout
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
        DatasetError: classes.csv cannot be read, or there is no picture.
    """
    digests: dict[str, str] = {}
    classes = read_text(root / CLASSES, digests) if (root / CLASSES).is_file() else None
    images = IMAGES if (root / IMAGES).is_dir() else ""
    names = sorted(_pictures(root / images))
    if not names:
        raise DatasetError(
            f"{root / images} holds no picture, expected files that end in {', '.join(sorted(SUFFIXES))}: "
            "put the images there."
        )
    records = ImageRecords.of(ImageRecord(image=name, split="", size=None, maps={}) for name in names)
    return Tables(records, {}, (), ANNOTATION_SIZE, digests, images, classes)


def _holds_pictures(folder: Path) -> bool:
    """Whether one of the first folders below one, itself included, holds a picture: not all of a disk."""
    places = itertools.islice(os.walk(folder), LOOKED_INTO)
    return any(_is_picture(name) for _, _, files in places for name in files)


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")


def _pictures(folder: Path) -> Iterator[str]:
    """Picture files below a folder, relative to it, with forward slashes."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if _is_picture(name):
                yield (Path(place) / name).relative_to(folder).as_posix()
