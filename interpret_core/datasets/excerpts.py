"""Data sets under names that this process alone knows meanwhile: some images of one, or one that is open."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from interpret_core.datasets.dataset import Dataset
from interpret_core.datasets.layouts.names import composed
from interpret_core.datasets.tables import Tables

MARK = "excerpt"
_open: dict[str, Dataset] = {}
_number = itertools.count(1)


@contextmanager
def excerpt(dataset: Dataset, images: Sequence[int]) -> Iterator[str]:
    """Some images of a data set with their annotations and classes, for whoever opens data sets by name.

    Args:
        dataset: whose.
        images: indices, in the order in which they are to be there.

    Yields:
        The name by which `open_dataset` finds it in this process, until the block ends. Its digest is one of
        its own.
    """
    name = f"{dataset.name} ({MARK} {next(_number)})"
    _open[name] = Dataset(name, dataset.root, excerpt_tables(dataset.tables, images))
    try:
        yield name
    finally:
        del _open[name]


@contextmanager
def lent(dataset: Dataset) -> Iterator[None]:
    """A data set that is open stands for its name in this process, for runs one after the other.

    Args:
        dataset: as it was when it was opened; a file of it that is another one by now raises
            `ChangedFileError`.
    """
    before = _open.get(dataset.name)
    _open[dataset.name] = dataset
    try:
        yield
    finally:
        if before is None:
            del _open[dataset.name]
        else:
            _open[dataset.name] = before


def opened_excerpt(name: str) -> Dataset | None:
    """The excerpt of a name, where there is one just now, or a data set that is lent under it."""
    return _open.get(name)


def excerpt_tables(tables: Tables, images: Sequence[int]) -> Tables:
    """What the tables say of some images."""
    records = tuple(tables.records[index] for index in images)
    told = hashlib.sha256(repr(list(images)).encode()).hexdigest()
    classes = (
        None
        if tables.classes is None
        else _rows_of(tables.classes, {record.image for record in records}, tables)
    )
    return replace(tables, records=records, digests={**tables.digests, MARK: told}, classes=classes)


def _rows_of(text: str, names: set[str], tables: Tables) -> str:
    """The rows of classes.csv that are about some images, below its header."""
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or "image" not in rows[0]:
        return text  # a mistake, which whoever reads it tells
    place, out = rows[0].index("image"), io.StringIO()
    every = {record.image for record in tables.records}
    alike = {composed(name) for name in names}

    def meant(name: str) -> bool:
        return name in names or (name not in every and composed(name) in alike)

    kept = [row for row in rows[1:] if len(row) > place and meant(row[place].strip())]
    csv.writer(out, lineterminator="\n").writerows([rows[0], *kept])
    return out.getvalue()
