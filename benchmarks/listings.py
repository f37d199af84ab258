"""Data sets made for measuring: some images of another one, listed once or several times.

Pictures are the other's, by links. A plain folder has no table in which an image could stand twice, so there
each time is a folder of links.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from pathlib import Path

from interpret_core import datasets

INDEX, CLASSES = "index.csv", "classes.csv"


def listed(root: Path, folder: Path, images: int, times: int) -> None:
    """The first images of a data set, so many times; classes of others may stay in its tables."""
    if not (root / INDEX).is_file():
        records = datasets.open_dataset(root).records
        return _linked(root, folder, [record.image for record in records[:images]], times)
    _begun(root, folder)
    for table in root.glob("*.csv"):
        if table.name != INDEX:
            (folder / table.name).write_bytes(table.read_bytes())
    header, *rows = _rows(root / INDEX)
    return _write(folder / INDEX, [header, *(rows[:images] * times)])


def named(root: Path, folder: Path, names: Sequence[str], times: int) -> None:
    """The images of a data set that have some names, so many times, and nothing of others."""
    if not (root / INDEX).is_file():
        return _linked(root, folder, names, times)
    _begun(root, folder)
    for table in root.glob("*.csv"):
        rows = _rows(table)
        if table.name in {INDEX, CLASSES}:
            rows = _only(rows, names)
        repeated = rows[1:] * times if table.name == INDEX else rows[1:]
        _write(folder / table.name, [rows[0], *repeated])
    return None


def _begun(root: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "images").symlink_to(root.resolve() / "images", target_is_directory=True)


def _linked(root: Path, folder: Path, names: Sequence[str], times: int) -> None:
    pictures = datasets.open_dataset(root).images.resolve()
    for turn in range(times):
        for name in names:
            link = folder / "images" / str(turn) / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(pictures / name)
    if (root / CLASSES).is_file():
        header, *rows = _only(_rows(root / CLASSES), names)
        column = header.index("image")
        again = [
            [*row[:column], f"{turn}/{row[column]}", *row[column + 1 :]]
            for turn in range(times)
            for row in rows
        ]
        _write(folder / CLASSES, [header, *again])


def _only(rows: list[list[str]], names: Collection[str]) -> list[list[str]]:
    column = rows[0].index("image")
    return [rows[0], *(row for row in rows[1:] if row[column] in names)]


def _rows(table: Path) -> list[list[str]]:
    with table.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))


def _write(table: Path, rows: Sequence[Sequence[str]]) -> None:
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
