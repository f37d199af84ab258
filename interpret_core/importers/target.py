"""The folder that an import makes, and how it goes on where it stopped.

    index.csv, label.csv, category.csv, classes.csv   written at the end, index.csv (or classes.csv) last
    images/pictures/…      links, copies or smaller versions, under the source's names
    images/masks/<category>/…   label maps with one channel
    licences/, licences.csv   texts of licences in the source, and those it states of single pictures
    import.json            what was imported from where, and which pictures were left out, and why
    .import/               while it is not finished: what is asked for, and a line for each finished picture

Every file takes its name in one step, and a picture's line is written once its files are there. So an import
that is cut off goes on behind the last line, and its files are those of one that was not.
"""

from __future__ import annotations

import csv
import fcntl
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core.datasets.rights import COLUMNS, FOLDER, TABLE, licence_files
from interpret_core.datasets.tables import CATEGORY_ORDER, CLASSES, IMAGES, INDEX, UNFINISHED
from interpret_core.errors import DatasetError
from interpret_core.importers.base import NewLabel

WORK, REPORT = UNFINISHED, "import.json"
_JOURNAL, _REQUEST, _SOURCE, _LOCK = "pictures.jsonl", "request.json", "source.json", "lock"
_SIZES = ("ih", "iw", "sh", "sw")
_BYTE = 255
_NONE = ("", "", "")  # said of a picture's licence


@dataclass(frozen=True)
class Imported:
    """What an import has made.

    Attributes:
        folder: the data set's.
        pictures: in its index.
        labels: in label.csv.
        classes: in classes.csv.
        grid: (H, W) of its label maps.
        left_out: pictures that are not in it, and why.
        map_sizes: (h, w) of the source's label maps -> how many pictures.
        lost: labels of single pictures that no cell's centre met: too small for the grid.
        turned: pictures that state an orientation which no size confirms; their maps count as upright.
        notes: sentences about the source.
        again: it was there already, made of the same.
    """

    folder: Path
    pictures: int
    labels: int
    classes: int
    grid: tuple[int, int]
    left_out: tuple[tuple[str, str], ...] = ()
    map_sizes: Mapping[tuple[int, int], int] = field(default_factory=dict)
    lost: int = 0
    turned: int = 0
    notes: tuple[str, ...] = ()
    again: bool = False

    def to_json(self) -> dict[str, Any]:
        """Everything but the place, as import.json holds it."""
        return {
            "pictures": self.pictures,
            "labels": self.labels,
            "classes": self.classes,
            "grid": list(self.grid),
            "left_out": [list(one) for one in self.left_out],
            "map_sizes": [[h, w, n] for (h, w), n in sorted(self.map_sizes.items())],
            "lost": self.lost,
            "turned": self.turned,
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, folder: Path, told: Mapping[str, Any]) -> Imported:
        """The inverse, of a data set that is there."""
        return cls(
            folder,
            told["pictures"],
            told["labels"],
            told["classes"],
            (told["grid"][0], told["grid"][1]),
            tuple((name, why) for name, why in told["left_out"]),
            {(h, w): n for h, w, n in told["map_sizes"]},
            told["lost"],
            told["turned"],
            tuple(told["notes"]),
            again=True,
        )


class ImportTarget:
    """The folder, while an import is at work in it. Use `opened`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work = folder, folder / WORK
        self._parts = count()

    def write_mask(self, name: str, numbers: NDArray[np.int64]) -> None:
        """A label map below images/, of 8 bits where they are enough for its numbers, else of 16."""
        kind = np.uint8 if numbers.max(initial=0) <= _BYTE else np.uint16
        part = self.part()
        Image.fromarray(numbers.astype(kind)).save(part, "PNG")
        self.take(part, name)

    def part(self) -> Path:
        """A name of its own for a file in the making."""
        return self.work / f"{next(self._parts)}.part"

    def take(self, part: Path, name: str) -> None:
        """Give a finished file its name below images/."""
        path = self.folder / IMAGES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part.replace(path)

    def finished(self) -> Iterator[dict[str, Any]]:
        """What is noted of each finished picture, in order; a line that was cut off is taken away."""
        path = self.work / _JOURNAL
        if not path.exists():
            return
        good = 0
        with path.open("rb") as file:
            for line in file:
                try:
                    entry = json.loads(line) if line.endswith(b"\n") else None
                except ValueError:
                    entry = None
                if not isinstance(entry, dict):
                    break
                good += len(line)
                yield entry
        if good < path.stat().st_size:
            os.truncate(path, good)

    def same_source(self, told: Any) -> None:
        """Note what tells the source apart, or see that it is what finished pictures were made of.

        Args:
            told: as JSON takes it: its labels, since masks hold their numbers, and what it says of itself.

        Raises:
            DatasetError: it is another one by now.
        """
        path, text = self.work / _SOURCE, json.dumps(told, ensure_ascii=True)
        if not self.begun:
            part = self.part()
            part.write_text(text, encoding="ascii")
            part.replace(path)
        elif not path.is_file() or path.read_text(encoding="ascii") != text:
            raise DatasetError(
                f"--into {self.folder} holds an unfinished import of labels that have changed since, so that "
                "its masks would mean something else: choose a new folder, or remove this one."
            )

    @property
    def begun(self) -> bool:
        """Whether a picture is finished, and not only left out."""
        return any("image" in entry for entry in self.finished())

    def give_up(self) -> None:
        """Leave nothing behind where no picture is finished: the next import may be asked for otherwise."""
        if not self.begun:
            shutil.rmtree(self.work)
            shutil.rmtree(
                self.folder / IMAGES, ignore_errors=True
            )  # made by this import, and links stay links
            with suppress(OSError):
                self.folder.rmdir()

    @contextmanager
    def noting(self) -> Iterator[TextIO]:
        """The journal, to add lines to."""
        with (self.work / _JOURNAL).open("a", encoding="ascii") as file:
            yield file

    def keep_licences(self, places: Sequence[Path]) -> None:
        """Copy the texts of licences that lie in the source's folders, and list those of single pictures.

        Args:
            places: folders and files of the source.
        """
        folders = dict.fromkeys(place if place.is_dir() else place.parent for place in places)
        for text in (text for folder in folders for text in licence_files(folder)):
            part = self.part()
            shutil.copyfile(text, part)
            (self.folder / FOLDER).mkdir(exist_ok=True)
            part.replace(self.folder / FOLDER / text.name)
        if any("rights" in one for one in self.finished()):
            told = ([one["image"], *one.get("rights", _NONE)] for one in self.finished() if "image" in one)
            self._write(TABLE, _chained(COLUMNS, told))

    def close(self, labels: Sequence[NewLabel], found: Imported, asked: Mapping[str, Any]) -> None:
        """Write the tables from the journal, and take away what only the import needed."""
        if labels:
            self._write_labels(labels)
            if found.classes:
                self._write_classes(indexed=True)
            self._write(INDEX, self._index_rows(labels, found.grid))
        elif found.classes:  # without any, the pictures alone are a data set
            self._write_classes(indexed=False)
        report = {**asked, **found.to_json()}
        part = self.part()
        part.write_text(json.dumps(report, indent=1, ensure_ascii=True) + "\n", encoding="ascii")
        part.replace(self.folder / REPORT)
        shutil.rmtree(self.work)

    def _write_labels(self, labels: Sequence[NewLabel]) -> None:
        images: Counter[int] = Counter()
        for entry in self.finished():
            images.update(entry.get("labels", ()))
        rows = [[one.number, one.name, f"{one.category}({images[one.number]})"] for one in labels]
        self._write("label.csv", iter([["number", "name", "category"], *rows]))
        self._write("category.csv", iter([["name"], *([name] for name in columns_of(labels))]))

    def _write_classes(self, *, indexed: bool) -> None:
        """With a column of splits where no index has one, and the source says it of every picture."""
        splits = not indexed and all(one["split"] for one in self.finished() if one.get("class"))
        columns = ["image", "class", "split"] if splits else ["image", "class"]
        rows = ([one[column] for column in columns] for one in self.finished() if one.get("class"))
        if any(one.get("several") for one in self.finished()):
            columns = ["image", "labels"]
            rows = ([one["image"], ";".join(one["several"])] for one in self.finished() if one.get("several"))
        self._write(CLASSES, _chained(columns, rows))

    def _index_rows(self, labels: Sequence[NewLabel], grid: tuple[int, int]) -> Iterator[list[Any]]:
        columns = columns_of(labels)
        yield ["image", "split", *_SIZES, *columns]
        for one in self.finished():
            if "image" in one:
                maps = [";".join(one["maps"].get(column, ())) for column in columns]
                yield [one["image"], one["split"], *one["size"], *grid, *maps]

    def _write(self, name: str, rows: Iterator[Sequence[Any]]) -> None:
        part = self.part()
        with part.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / name)


def columns_of(labels: Sequence[NewLabel]) -> list[str]:
    """Categories of some labels, in the reader's order."""
    found = list(dict.fromkeys(one.category for one in labels))
    return [one for one in CATEGORY_ORDER if one in found] + [
        one for one in found if one not in CATEGORY_ORDER
    ]


def _chained(header: Sequence[Any], rows: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    yield header
    yield from rows


@contextmanager
def opened(folder: Path, asked: Mapping[str, Any]) -> Iterator[ImportTarget | Imported]:
    """The folder to import into: made, gone on with, or done already.

    Args:
        folder: where.
        asked: everything that decides what is written, as JSON takes it.

    Raises:
        DatasetError: it holds something else, belongs to another import, or cannot be written.
    """
    done = _done(folder, asked)
    if done is not None:
        yield done
        return
    work = folder / WORK
    if folder.exists() and not work.is_dir() and (not folder.is_dir() or any(folder.iterdir())):
        raise DatasetError(
            f"--into {folder} is there already and no import: choose a new or an empty folder."
        )
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = (work / _LOCK).open("w")
    except OSError as error:
        raise DatasetError(
            f"--into {folder} cannot be written ({error.strerror or error}): choose another folder."
        ) from error
    with lock:
        _lock(lock, folder)
        done = _done(folder, asked)  # by whoever had the lock a moment ago
        if done is not None:
            shutil.rmtree(work)
            yield done
            return
        _agree(work / _REQUEST, asked, folder)
        for rest in work.glob("*.part"):
            rest.unlink()
        target = ImportTarget(folder)
        try:
            yield target
        except BaseException:
            target.give_up()
            raise


def _done(folder: Path, asked: Mapping[str, Any]) -> Imported | None:
    path = folder / REPORT
    if not path.is_file():
        return None
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if all(told.get(name) == value for name, value in asked.items()):
            return Imported.from_json(folder, told)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise DatasetError(f"{path} cannot be read ({error}): choose a new folder.") from error
    other = _another(told, asked) or "from something else or with other options"
    raise DatasetError(f"--into {folder} was imported {other}: choose a new folder, or remove this one.")


def _another(told: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """In what it differs, where that is one thing with parts: its options, or what it was made with."""
    differ = [name for name, value in asked.items() if told.get(name) != value]
    if len(differ) != 1:
        return ""
    (name,) = differ
    before, now = told.get(name), asked[name]
    if not isinstance(before, dict) or not isinstance(now, dict):
        return ""
    parts = [part for part in now if now[part] != before.get(part)]
    return f"with other values of its {name} ({', '.join(parts)})"


def _lock(lock: TextIO, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise DatasetError(
            f"Another process imports into {folder} just now: wait for its end, or choose another folder."
        ) from error


def _agree(path: Path, asked: Mapping[str, Any], folder: Path) -> None:
    """Note what is asked for, or see that it is what was asked for before."""
    text = json.dumps(asked, sort_keys=True, ensure_ascii=True)
    if not path.exists() or not ImportTarget(folder).begun:
        path.with_name(_JOURNAL).unlink(missing_ok=True)
        part = path.with_suffix(".part")
        part.write_text(text, encoding="ascii")
        part.replace(path)
    elif (before := path.read_text(encoding="ascii")) != text:
        other = "from something else, with other options or of files that have changed"
        other = _another(json.loads(before), asked) or other
        raise DatasetError(
            f"--into {folder} holds an unfinished import {other}: choose a new folder, or remove this one."
        )
