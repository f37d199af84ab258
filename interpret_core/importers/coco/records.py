"""COCO's JSON in a file of SQLite, so that each picture finds its annotations without all being in memory.

In the JSON, annotations stand in any order, and may stand before the pictures.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from interpret_core.errors import DatasetError
from interpret_core.importers.base import PictureRights, Tell
from interpret_core.importers.coco.streams import visit_arrays
from interpret_core.importers.names import checked_name

_TABLES = """
CREATE TABLE picture (place INTEGER PRIMARY KEY, id TEXT UNIQUE, file TEXT UNIQUE, height INT, width INT,
  licence TEXT, origin TEXT);
CREATE TABLE annotation (place INTEGER PRIMARY KEY, id TEXT UNIQUE, picture TEXT, body TEXT);
"""
_ORIGINS = ("flickr_url", "coco_url")  # keys of a picture, the one that names its author's page first
_MOST = 1 << 16  # pixels of a side


@dataclass(frozen=True)
class Category:
    """A row of the JSON's categories."""

    id: int
    name: str
    thing: bool


@dataclass(frozen=True)
class CocoPicture:
    """A picture with its annotations as the JSON has them."""

    file: str
    size: tuple[int, int]
    annotations: Sequence[dict[str, Any]]
    rights: PictureRights | None = None


class CocoRecords:
    """What one JSON file says.

    Args:
        path: the JSON.
        database: file to make.
        named: whether annotations are known by their file (panoptic) and not by an id.
        tell: progress.

    Raises:
        DatasetError: broken, or it contradicts itself; the record and what is wrong.
    """

    def __init__(self, path: Path, database: Path, *, named: bool, tell: Tell) -> None:
        self.path, self._named = path, named
        self.categories: dict[int, Category] = {}
        self._licences: dict[str, PictureRights] = {}
        database.unlink(missing_ok=True)
        self._rows = sqlite3.connect(database, isolation_level=None)
        try:
            self._fill(tell)
        except BaseException:
            self.close()
            raise

    def _fill(self, tell: Tell) -> None:
        """Read the JSON into the database."""
        path = self.path
        self._rows.executescript(f"PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF; {_TABLES} BEGIN;")
        size = path.stat().st_size if path.is_file() else 0
        visits = {"images": self._picture, "annotations": self._annotation, "categories": self._category}
        visits["licenses"] = self._licence
        found = visit_arrays(path, visits, lambda done: tell(f"read {path.name}", min(done, size), size))
        if missing := sorted(set(visits) - {"licenses"} - found):
            raise DatasetError(
                f"{path} has no {' and no '.join(missing)}, expected images, annotations and categories: "
                "name the JSON of COCO's annotations."
            )
        self._rows.executescript("CREATE INDEX of_picture ON annotation (picture);")

    def close(self) -> None:
        """Let go of the database."""
        self._rows.close()

    def __len__(self) -> int:
        return int(self._rows.execute("SELECT count(*) FROM picture").fetchone()[0])

    @property
    def astray(self) -> int:
        """Annotations of pictures that the JSON does not list."""
        asked = "SELECT count(*) FROM annotation WHERE picture NOT IN (SELECT id FROM picture)"
        return int(self._rows.execute(asked).fetchone()[0])

    def pictures(self) -> Iterator[CocoPicture]:
        """In the file's order, each with its annotations in theirs."""
        asked = "SELECT id, file, height, width, licence, origin FROM picture ORDER BY place"
        for number, file, height, width, licence, origin in self._rows.execute(asked):
            asked = "SELECT body FROM annotation WHERE picture = ? ORDER BY place"
            bodies = self._rows.execute(asked, (number,)).fetchall()
            told = self._licences.get(licence)
            rights = replace(told, origin=origin) if told is not None else None
            yield CocoPicture(file, (height, width), [json.loads(body) for (body,) in bodies], rights)

    def _picture(self, place: int, one: Any) -> None:
        where = f"{self.path}, images[{place}]"
        record = _object(one, where)
        file = checked_name(record.get("file_name"), where)
        height, width = (
            _whole(record.get(side), f"{where}: {side}", 1, _MOST) for side in ("height", "width")
        )
        origin = next((one for key in _ORIGINS if isinstance(one := record.get(key), str) and one), "")
        row = (place, _id(record, where), file, height, width, json.dumps(record.get("license")), origin)
        self._insert("picture", row, where, f"id {record['id']!r} or file {file!r}")

    def _annotation(self, place: int, one: Any) -> None:
        where = f"{self.path}, annotations[{place}]"
        record = _object(one, where)
        if "image_id" not in record:
            raise DatasetError(f"{where} has no image_id, expected the id of a picture: restore the file.")
        if self._named:
            own = checked_name(record.get("file_name"), where)
            shown = f"file {own!r}"
        else:
            own, shown = _id(record, where), f"id {record['id']!r}"
        body = {name: value for name, value in record.items() if name not in ("bbox", "area", "image_id")}
        row = (place, own, _key(record["image_id"], where), json.dumps(body))
        self._insert("annotation", row, where, shown)

    def _category(self, place: int, one: Any) -> None:
        where = f"{self.path}, categories[{place}]"
        record = _object(one, where)
        number = _whole(record.get("id"), f"{where}: id", 0, 1 << 53)
        name = record.get("name")
        if not isinstance(name, str) or not name.strip():
            raise DatasetError(f"{where}: name is {name!r}, expected a text: correct it.")
        if number in self.categories:
            raise DatasetError(f"{where}: id {number} is there twice, expected once: remove one of them.")
        self.categories[number] = Category(number, name.strip(), record.get("isthing", 1) != 0)

    def _licence(self, place: int, one: Any) -> None:
        """What the JSON calls so; what is none is passed over, since nothing is computed of it."""
        if isinstance(one, dict):
            name, address = (one.get(key) for key in ("name", "url"))
            if isinstance(name, str) and name.strip():
                address = address if isinstance(address, str) else ""
                self._licences[json.dumps(one.get("id"))] = PictureRights(name.strip(), address)

    def _insert(self, table: str, row: tuple[Any, ...], where: str, shown: str) -> None:
        try:
            self._rows.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)
        except sqlite3.IntegrityError as error:
            raise DatasetError(
                f"{where}: {shown} is there twice, expected once: remove one of them."
            ) from error
        except UnicodeEncodeError as error:
            raise DatasetError(f"{where} holds halves of characters, expected text: correct it.") from error


def _object(one: Any, where: str) -> dict[str, Any]:
    if not isinstance(one, dict):
        raise DatasetError(
            f"{where} is {type(one).__name__}, expected an object: fetch or save the file again."
        )
    return one


def _whole(value: Any, where: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise DatasetError(
            f"{where} is {value!r}, expected a whole number from {least} to {most}: correct it."
        )
    return value


def _id(record: dict[str, Any], where: str) -> str:
    if "id" not in record:
        raise DatasetError(f"{where} has no id, expected a number of its own: restore the file.")
    return _key(record["id"], where)


def _key(value: Any, where: str) -> str:
    """An id as it is compared: 1 and "1" are two."""
    if type(value) not in (int, str):
        raise DatasetError(f"{where}: id {value!r}, expected a whole number or a text: correct it.")
    return json.dumps(value)
