"""Labels of whole images: columns of classes.csv, folders, annotations that label an image as a whole.

class         of classes.csv, as `datasets.read_classes` reads it
further ones  of classes.csv; a cell may hold several labels, separated by `;`; an empty one says nothing
group         of classes.csv: no labels, but images that belong together, frames of one film
folder        the folders that an image lies in, below the folder of the pictures
scene …       categories of index.csv that hold nothing but numbers, each of which labels a whole image
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from interpret_core.concepts import appearance
from interpret_core.datasets import Dataset
from interpret_core.datasets.classes import image_of_row, spelling
from interpret_core.datasets.layouts.names import KnownNames
from interpret_core.datasets.sheets import numbered_rows
from interpret_core.datasets.tables import CLASSES
from interpret_core.errors import DatasetError, ParameterError, unknown
from interpret_core.options import ALL

CLASS, GROUP, FOLDER = "class", "group", "folder"
NO_LABELS = ("", "image", "split", GROUP)  # columns of classes.csv that hold none
FEWEST = 5  # images that bear a label, for it to be asked about
SEVERAL = ";"  # between labels in one cell
_Column = Mapping[int, tuple[str, ...]]  # image -> its labels; an image of which nothing is said is missing


class NoImageLabelsError(DatasetError):
    """A data set whose images bear no label as a whole."""


@dataclass(frozen=True, eq=False)
class ImageLabels:
    """The labels of N images: T of them, in columns.

    Attributes:
        columns: their names.
        names: (T,) for display: of several columns, those of others than `class` bear their column's name.
        column: (T,) int64 index into `columns`.
        shows: (N, T) bool, sparse, which image bears which: of 63,000 images and 1,000 labels few do.
        known: (N, columns) bool, whether a column says anything of an image.
        group: (N,) int64, images that the table says belong together, or that are one picture listed twice.
        rare: (label, images) of those that too few bear, which are none of the T.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    column: NDArray[np.int64]
    shows: csc_array
    known: NDArray[np.bool_]
    group: NDArray[np.int64]
    rare: tuple[tuple[str, int], ...] = ()

    @property
    def telling(self) -> tuple[str, ...]:
        """Columns with a label that some images bear and others do not."""
        parts = np.diff(self.shows.indptr) < self.known.sum(0)[self.column]
        return tuple(self.columns[at] for at in np.unique(self.column[parts]))


def image_labels(dataset: Dataset, columns: Sequence[str] | str = ALL, fewest: int = 1) -> ImageLabels:
    """The labels of a data set's images; of two labels that the same images bear, the first.

    Args:
        dataset: its tables as they were when it was opened; no picture is read.
        columns: names of columns, or ALL that there are.
        fewest: images that bear a label; a column of remarks has as many as images.

    Raises:
        NoImageLabelsError: there is none.
        DatasetError: a row of classes.csv contradicts another one or the pictures.
        ParameterError: an unknown column.
    """
    images = [record.image for record in dataset.records]  # once: each look at a row reads its text
    table = _read_table(dataset, images)
    found: dict[str, _Column] = {
        name: cells for name, cells in table.columns.items() if name not in NO_LABELS and cells
    }
    for name, cells in {FOLDER: _folders(images), **_categories(dataset)}.items():
        if cells:
            found.setdefault(name, cells)
    if not found:
        raise NoImageLabelsError(
            f"Data set {dataset.name} has no label of whole images, expected {CLASSES} in {dataset.root} "
            "with the columns image,class (or others), or a folder for each label: write one."
        )
    chosen = tuple(found) if columns == ALL else tuple(columns)
    for name in chosen:
        if name not in found:
            raise ParameterError(unknown("column of labels", name, found, f"Data set: {dataset.name}."))
    for name in chosen:
        if name in table.columns:
            table.refuse_spellings(name)
    return _labels({name: found[name] for name in chosen}, _groups(images, table), fewest)


def _labels(columns: Mapping[str, _Column], group: NDArray[np.int64], fewest: int) -> ImageLabels:
    images = len(group)
    known = np.zeros((images, len(columns)), np.bool_)
    rare: list[tuple[str, int]] = []
    names: list[str] = []
    column: list[int] = []
    bear: list[NDArray[np.int32]] = []
    seen: set[bytes] = set()
    for at, (name, cells) in enumerate(columns.items()):
        known[list(cells), at] = True
        bearing: dict[str, list[int]] = defaultdict(list)
        for image, labels in cells.items():
            for label in labels:
                bearing[label].append(image)
        for label in sorted(bearing):
            shown = label if len(columns) == 1 or name == CLASS else f"{name}: {label}"
            if len(bearing[label]) < fewest:
                rare.append((shown, len(bearing[label])))
                continue
            shows = np.unique(np.array(bearing[label], np.int32))
            told = hashlib.sha256(shows.tobytes() + known[:, at].tobytes()).digest()
            if told not in seen:
                seen.add(told)
                names.append(shown)
                column.append(at)
                bear.append(shows)
    ends = np.cumsum([0, *map(len, bear)])
    rows = np.concatenate([np.zeros(0, np.int32), *bear])
    shows = csc_array((np.ones(len(rows), np.bool_), rows, ends), shape=(images, len(bear)))
    return ImageLabels(
        tuple(columns), tuple(names), np.array(column, np.int64), shows, known, group, tuple(rare)
    )


@dataclass(frozen=True, eq=False)
class _Table:
    """classes.csv by columns, and the line of each label's first image."""

    path: Path
    columns: dict[str, dict[int, tuple[str, ...]]]
    lines: dict[str, dict[str, int]]

    def refuse_spellings(self, column: str) -> None:
        """Two spellings of one label would be two labels."""
        spelled: dict[str, str] = {}
        lines = self.lines[column]
        for label in sorted(lines, key=lines.__getitem__):
            other = spelled.setdefault(spelling(label), label)
            if other != label:
                quoted = ascii if appearance(other) == appearance(label) else repr
                raise DatasetError(
                    f"{self.path} line {lines[label]}: {column} {quoted(label)} is spelled {quoted(other)} "
                    f"on line {lines[other]}, expected one spelling: correct one of them."
                )


def _read_table(dataset: Dataset, images: Sequence[str]) -> _Table:
    path = dataset.root / CLASSES
    if dataset.classes_table is None:
        return _Table(path, {}, {})
    header, rows = numbered_rows(path, dataset.classes_table, ("image",))
    places: dict[str, list[int]] = defaultdict(list)
    for index, image in enumerate(images):
        places[image].append(index)
    table = _Table(path, {name: {} for name in header if name}, {name: {} for name in header if name})
    at, known = header.index("image"), KnownNames(places)
    before: dict[str, int] = {}
    for line, row in rows:
        image = image_of_row(f"{path} line {line}", row[at], known, f"data set {dataset.name}")
        if before.setdefault(image, line) != line:
            raise DatasetError(
                f"{path} line {line}: {image} is listed again on line {before[image]}, expected once: "
                "remove one row."
            )
        for name, cell in zip(header, row, strict=True):
            labels = _in_cell(name, cell)
            if name and labels:
                table.columns[name].update(dict.fromkeys(places[image], labels))
                for label in labels:
                    table.lines[name].setdefault(label, line)
    return table


def _in_cell(column: str, cell: str) -> tuple[str, ...]:
    """The labels of a cell; a class or a group is one."""
    parts = [cell] if column in (CLASS, GROUP) else cell.split(SEVERAL)
    return tuple(dict.fromkeys(name for part in parts if (name := part.strip())))


def _folders(images: Sequence[str]) -> _Column:
    """Of every image the folders that it lies in, outermost first; nothing where no image lies in one."""
    found = {
        index: tuple(str(one) for one in reversed(PurePosixPath(image).parents) if one.name)
        for index, image in enumerate(images)
    }
    return found if any(found.values()) else {}


def _categories(dataset: Dataset) -> dict[str, _Column]:
    """Categories all of whose annotations are numbers of labels, each for a whole image."""
    found: dict[str, dict[int, tuple[int, ...]]] = {name: {} for name in dataset.categories}
    if not found:
        return {}
    for index, record in enumerate(dataset.records):
        for name, items in record.maps.items():
            numbers = tuple(item for item in items if isinstance(item, int))
            if len(numbers) < len(items):
                found.pop(name, None)
            elif name in found and numbers:
                found[name][index] = numbers
    named = {name: _named(dataset, name, cells) for name, cells in found.items() if cells}
    return {name: cells for name, cells in named.items() if cells}


def _named(dataset: Dataset, category: str, cells: Mapping[int, Iterable[int]]) -> _Column:
    """The same under the labels' names; a number that is none of the category's says nothing."""
    try:
        table = dataset.concepts((category,))
    except DatasetError:  # numbers that no label stands for, such as a year
        return {}
    names = dict(zip((concept.number for concept in table.concepts), table.names, strict=True))
    named = {image: tuple(names[one] for one in numbers if one in names) for image, numbers in cells.items()}
    return {image: labels for image, labels in named.items() if labels}


def _groups(images: Sequence[str], table: _Table) -> NDArray[np.int64]:
    told = table.columns.get(GROUP, {})
    numbers: dict[tuple[bool | str, ...], int] = {}
    return np.array(
        [
            numbers.setdefault((index in told, *told.get(index, (image,))), len(numbers))
            for index, image in enumerate(images)
        ],
        np.int64,
    )
