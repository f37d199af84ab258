"""What the tables of a data set say, whatever the layout on disk that they are read from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from PIL import Image

INDEX, CLASSES = "index.csv", "classes.csv"
IMAGES = "images"  # the folder of the pictures
UNFINISHED = ".import"  # a folder that lies there as long as an import is not at its end
CATEGORY_ORDER = ("object", "part", "material", "color", "scene", "texture")
MAX_LABEL = 0xFFFF  # a mask encodes R + 256·G
MAX_PIXELS = 64_000_000  # beyond this an image is a mistake or an attack, not a photograph for a CNN

Numbers = Callable[[Image.Image], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One row of index.csv.

    Attributes:
        image: file below images/, with forward slashes.
        split: as written ("train", "val"), "" where there is no such column.
        size: (height, width) of the image in pixels; None where no table states it.
        maps: category -> its items in order: mask files below images/, or numbers for the whole image.
        mask_size: (height, width) of its masks where they have a size of their own; None: as all others.
    """

    image: str
    split: str
    size: tuple[int, int] | None
    maps: Mapping[str, tuple[str | int, ...]]
    mask_size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """One row of label.csv.

    Attributes:
        number: what a mask encodes, 1 … 65535.
        name: for display, without Broden's `-c` and `-s`.
        raw: the name as written.
        categories: category -> number of images that label.csv states (0 where it states none).
    """

    number: int
    name: str
    raw: str
    categories: Mapping[str, int]


@dataclass(frozen=True)
class Tables:
    """Everything the tables of one folder say.

    Attributes:
        records: rows of index.csv, duplicates included.
        labels: number -> Label.
        categories: Broden's order first, then further columns in index.csv's order.
        annotation_size: (H, W) of the annotation grid.
        digests: table file -> SHA-256 of its bytes as they were read.
        images: folder of the pictures below the data set's, "" where it is the same.
        classes: text of classes.csv as it was read, None where there is none.
        mask_size: (height, width) of the masks of all records that name none of their own, where masks are
            resampled; None where all are as large as the grid.
        numbers: how a decoded mask becomes (H, W) label numbers; None: as Broden encodes them (`masks`).
    """

    records: Sequence[ImageRecord]
    labels: Mapping[int, Label]
    categories: tuple[str, ...]
    annotation_size: tuple[int, int]
    digests: Mapping[str, str]
    images: str = IMAGES
    classes: str | None = None
    numbers: Numbers | None = None
    mask_size: tuple[int, int] | None = None
