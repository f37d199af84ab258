"""Where COCO's files lie, and what its panoptic and its instance annotations have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from interpret_core.datasets.layouts.names import DiskNames
from interpret_core.datasets.tables import MAX_LABEL
from interpret_core.errors import DatasetError
from interpret_core.importers.base import OBJECT, Importer, ImportSource, NewLabel, SourcePicture, Tell
from interpret_core.importers.coco.records import Category, CocoPicture, CocoRecords
from interpret_core.importers.names import required_folder


@dataclass(frozen=True)
class Part:
    """One JSON with its pictures: the train or val set of a release.

    Attributes:
        name: of the folder of its pictures: "val2017".
        json: the file.
        pictures: the folder.
    """

    name: str
    json: Path
    pictures: Path

    @property
    def split(self) -> str:
        """What its pictures are for, by its name."""
        name = self.name.lower()
        return next((split for split in ("train", "val", "test") if name.startswith(split)), "")


class CocoImporter(Importer):
    """What both formats are asked for: `source`, and `pictures` where they lie elsewhere."""

    prefix: ClassVar[str] = ""
    source: str
    pictures: str

    def places(self) -> Sequence[Path]:
        """The JSON files and the folders of the pictures."""
        parts = self.parts()
        return [*(one.json for one in parts), *(one.pictures for one in parts)]

    def parts(self) -> list[Part]:
        """The JSON that is named, or those in `annotations/` of the folder.

        Raises:
            DatasetError: there is none, or its pictures are missing.
        """
        source = Path(self.source)
        if source.is_file():
            name = source.stem.removeprefix(self.prefix)
            places = (
                [Path(self.pictures)]
                if self.pictures
                else [source.parent.parent / name, source.parent / name]
            )
            folder = next((one for one in places if one.is_dir()), places[0])
            required_folder(folder, "the folder of the pictures (name it by --pictures)")
            return [Part(folder.resolve().name or "pictures", source, folder)]
        if self.pictures:
            raise DatasetError(f"--pictures belongs to one JSON, but {source} is none: name the JSON file.")
        required_folder(source, "COCO's folder, or one of its JSON files")
        files = sorted((source / "annotations").glob(f"{self.prefix}*.json"))
        if not files:
            raise DatasetError(
                f"{source} has no annotations/{self.prefix}*.json, expected COCO's folder as it was unpacked "
                "(annotations/, train2017/, val2017/): name the folder, or one JSON."
            )
        names = [path.stem.removeprefix(self.prefix) for path in files]
        return [
            Part(name, path, required_folder(source / name, f"the pictures of {path.name}"))
            for name, path in zip(names, files, strict=True)
        ]


class CocoSource(ImportSource):
    """Pictures of one JSON or several, whose categories agree."""

    def __init__(self, parts: Sequence[Part], work: Path, tell: Tell, *, named: bool) -> None:
        self._parts = parts
        with ExitStack() as opened:
            self._records = [
                opened.enter_context(
                    closing(CocoRecords(one.json, work / f"records{place}.sqlite", named=named, tell=tell))
                )
                for place, one in enumerate(parts)
            ]
            self._categories = _agreed(self._records)
            self.numbers = numbers_of(self._categories)
            astray = sum(one.astray for one in self._records)
            if astray:
                self.notes = (f"{astray:,} annotations belong to pictures that the JSON does not list",)
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Let go of the databases."""
        self._opened.close()

    def _labelled(self, stuff: str) -> list[NewLabel]:
        """Labels, things as objects."""
        return [
            NewLabel(self.numbers[one.id], one.name, OBJECT if one.thing else stuff)
            for one in self._categories.values()
        ]

    def __len__(self) -> int:
        return sum(map(len, self._records))

    def pictures(self) -> Iterator[SourcePicture]:
        """JSON by JSON, in their orders."""
        for part, records in zip(self._parts, self._records, strict=True):
            names = DiskNames(part.pictures)
            for one in records.pictures():
                path = part.pictures / names.of(one.file)
                yield SourcePicture(f"{part.name}/{one.file}", path, part.split, "", (part, one), one.rights)

    def known(self, annotation: dict[str, Any], where: str) -> int:
        """The category id of an annotation or a segment.

        Raises:
            DamagedFileError: the JSON lists no such category.
        """
        number = annotation.get("category_id")
        if type(number) is not int or number not in self._categories:
            raise self.damaged(f"{where} has category_id {number!r}, expected one of the JSON's categories")
        return number

    @staticmethod
    @abstractmethod
    def damaged(what: str) -> Exception:
        """The error for one picture."""


def _agreed(several: Sequence[CocoRecords]) -> dict[int, Category]:
    """The categories, the same in every JSON."""
    found = dict(sorted(several[0].categories.items()))
    for other in several[1:]:
        if dict(sorted(other.categories.items())) != found:
            raise DatasetError(
                f"{several[0].path} and {other.path} have different categories, expected the same: import "
                "them one by one."
            )
    if not found:
        raise DatasetError(f"{several[0].path} lists no category, expected at least one: restore the file.")
    return found


def numbers_of(categories: dict[int, Category]) -> dict[int, int]:
    """Category id -> label number: the id where all are from 1 to 65535, else 1, 2, 3 … in their order."""
    if all(1 <= number <= MAX_LABEL for number in categories):
        return {number: number for number in categories}
    return {number: place for place, number in enumerate(categories, 1)}


def picture_of(picture: SourcePicture) -> tuple[Part, CocoPicture]:
    """What `CocoSource.pictures` has put into a picture."""
    part, record = picture.detail
    return part, record
