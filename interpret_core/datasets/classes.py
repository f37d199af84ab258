"""Which class each image belongs to, and which images rank units and which test them.

    classes.csv   image,class; beside index.csv. An image is named as there, and may be missing: no class.
                  Without index.csv, an image is named by its place below the folder of the images.

index.csv's split column says what an image is for: `train` for ranking, `val` for testing. Images of a class
without such a word are divided here, so that every class has both.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interpret_core.concepts import appearance
from interpret_core.datasets.dataset import Dataset
from interpret_core.datasets.layouts.names import KnownNames
from interpret_core.datasets.sheets import numbered_rows
from interpret_core.datasets.tables import CLASSES, INDEX
from interpret_core.errors import DatasetError, ParameterError, unknown
from interpret_core.files import name_bytes
from interpret_core.options import Split

NO_CLASS = -1


@dataclass(frozen=True, eq=False)
class Classes:
    """The classes of a data set with N images.

    Attributes:
        names: in alphabetical order.
        of_image: (N,) int64 index into `names`, −1 for an image without a class.
        split: (N,) text: "train", "val", another word of index.csv, or "" for an image without a class.
    """

    names: tuple[str, ...]
    of_image: NDArray[np.int64]
    split: NDArray[np.str_]

    def images(self, split: str) -> NDArray[np.int64]:
        """(n,) indices of the images that have a class and belong to a split, ascending.

        Args:
            split: "train", "val" or "all", which takes every image with a class.

        Raises:
            ParameterError: another split.
        """
        if split not in list(Split):
            raise ParameterError(unknown("split", split, list(Split)))
        wanted = self.of_image != NO_CLASS
        return np.flatnonzero(wanted if split == Split.ALL else wanted & (self.split == split))

    def by_image(self) -> dict[int, str]:
        """Index -> class, of the images that have one."""
        there = np.flatnonzero(self.of_image != NO_CLASS).tolist()
        return {index: self.names[self.of_image[index]] for index in there}

    def counts(self) -> dict[str, int]:
        """Class -> images, in alphabetical order."""
        there = self.of_image[self.of_image != NO_CLASS]
        counted = np.bincount(there, minlength=len(self.names)).tolist()
        return dict(zip(self.names, counted, strict=True))


def spelling(name: str) -> str:
    """What two spellings of a class have in common: `Park_bench` and `park  bench` are one name."""
    return appearance(name.replace("_", " ").lower())


def lists_classes(dataset: Dataset) -> bool:
    """Whether classes.csv says anything of any image: some tools write one of a header alone."""
    table = dataset.classes_table
    return table is not None and any(line.strip(" \t,;") for line in table.splitlines()[1:])


def read_classes(dataset: Dataset) -> Classes:
    """The classes of a data set, from its classes.csv as it was when the data set was opened.

    Raises:
        DatasetError: no such file, missing columns, or a row that contradicts index.csv or another row.
    """
    path = dataset.root / CLASSES
    if dataset.classes_table is None:
        raise DatasetError(
            f"Data set {dataset.name} has no classes: expected {path} with the columns image,class; "
            "write the class of each image there."
        )
    places: dict[str, list[int]] = defaultdict(list)
    for index, record in enumerate(dataset.records):
        places[record.image].append(index)
    where_known = INDEX if dataset.annotated else str(dataset.images)
    class_of = _listed(path, dataset.classes_table, places, where_known)
    names = tuple(sorted(set(class_of.values())))
    number = {name: at for at, name in enumerate(names)}
    of_image = np.full(len(dataset), NO_CLASS, np.int64)
    for image, name in class_of.items():
        of_image[places[image]] = number[name]
    return with_splits(dataset, names, of_image)


def with_splits(dataset: Dataset, names: tuple[str, ...], of_image: NDArray[np.int64]) -> Classes:
    """Classes however they are known: what each image is for comes from index.csv, or else from its name.

    Args:
        dataset: whose images they are.
        names: of the classes, in alphabetical order.
        of_image: (N,) index into `names`, −1 for an image without a class.
    """
    class_of = {
        record.image: names[number]
        for record, number in zip(dataset.records, of_image.tolist(), strict=True)
        if number != NO_CLASS
    }
    return Classes(names, of_image, _split(dataset, class_of))


def _listed(path: Path, text: str, known: Mapping[str, Sequence[int]], where_known: str) -> dict[str, str]:
    """Image -> class, every row of the table's text checked."""
    header, rows = numbered_rows(path, text, ("image", "class"))
    image_column, class_column = header.index("image"), header.index("class")
    names = KnownNames(known)
    found: dict[str, tuple[str, int]] = {}
    spelled: dict[str, tuple[str, int]] = {}
    for line, row in rows:
        name, where = row[class_column].strip(), f"{path} line {line}"
        image = image_of_row(where, row[image_column], names, where_known)
        if not name:
            raise DatasetError(f"{where}: {image} has no class, expected a name: fill it, or remove the row.")
        before, at = found.setdefault(image, (name, line))
        if at != line:
            twice = "is listed again" if before == name else f"is {name!r} here and {before!r}"
            raise DatasetError(f"{where}: {image} {twice} on line {at}, expected once: remove one row.")
        other, at = spelled.setdefault(spelling(name), (name, line))
        if other != name:
            quoted = ascii if appearance(other) == appearance(name) else repr
            raise DatasetError(
                f"{where}: class {quoted(name)} is spelled {quoted(other)} on line {at}, expected one "
                "spelling: correct one of them."
            )
    if not found:
        raise DatasetError(f"{path} lists no image, expected at least one row: write a row per image.")
    return {image: name for image, (name, _) in found.items()}


def image_of_row(where: str, written: str, names: KnownNames, where_known: str) -> str:
    """The image that a row of a table is about, whose name may be written in another Unicode form.

    Args:
        where: the table and the line.
        written: the cell as it stands there.
        names: of all images.
        where_known: where these stand, for the message.

    Raises:
        DatasetError: none, or several may be meant.
    """
    meant = names.meant(written)
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise DatasetError(
            f"{where}: image {written!a} may be any of {', '.join(map(ascii, meant))}, whose names are the "
            "same letters, expected the name of one: rename all but one of them."
        )
    written = written.strip()
    raise DatasetError(
        f"{where}: image {written!r} is not in {where_known}, expected one of its images"
        f"{names.hint(written)}: correct the row."
    )


def _split(dataset: Dataset, class_of: Mapping[str, str]) -> NDArray[np.str_]:
    """(N,) what each image is for; where index.csv is silent, the halves of each class."""
    words = [record.split.lower() for record in dataset.records]
    silent: dict[str, set[str]] = defaultdict(set)
    for record, word in zip(dataset.records, words, strict=True):
        if not word and record.image in class_of:
            silent[class_of[record.image]].add(record.image)
    halves = {image: half for images in silent.values() for image, half in _halved(images)}
    return np.array(
        [word or halves.get(record.image, "") for record, word in zip(dataset.records, words, strict=True)]
    )


def _halved(images: Iterable[str]) -> Iterable[tuple[str, str]]:
    """The images of one class, each with its half, by the digest of its file name, whatever their order.

    Of an odd number, one more is for ranking. Fewer than four images are halved like any others: leaving one
    out at a time (method §5) is for whoever ranks and tests on so few.
    """
    ordered = sorted(images, key=lambda image: hashlib.sha256(name_bytes(image)).digest())
    half = (len(ordered) + 1) // 2
    return [(image, str(Split.TRAIN if place < half else Split.VAL)) for place, image in enumerate(ordered)]
