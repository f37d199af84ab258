"""What a format offers: options, an opened source, its pictures one by one, and their label maps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets.tables import MAX_LABEL
from interpret_core.errors import DatasetError, ParameterError
from interpret_core.importers.names import is_text
from interpret_core.options import Option, Request

OBJECT, PART = "object", "part"
GRID = (112, 112)  # Broden's at 224 px
_NO_CATEGORIES = frozenset({"image", "split", "ih", "iw", "sh", "sw", ""})

Tell = Callable[[str, int, int | None], None]  # stage, done, of how many
Planes = Mapping[str, Sequence[NDArray[np.int64]]]
Folder = Annotated[str, Option("The data set's folder, as it was unpacked.", "SOURCE", argument=True)]


@dataclass(frozen=True)
class NewLabel:
    """A row of label.csv to be.

    Attributes:
        number: 1 … 65535, which the maps hold.
        name: for readers.
        category: its column of index.csv.
    """

    number: int
    name: str
    category: str = OBJECT


@dataclass(frozen=True)
class PictureRights:
    """What a source says of one picture's licence.

    Attributes:
        licence: its name.
        address: where its text is.
        origin: where the picture comes from.
    """

    licence: str
    address: str = ""
    origin: str = ""


@dataclass(frozen=True)
class SourcePicture:
    """A picture of the source.

    Attributes:
        name: of the picture, relative to the source's pictures, with forward slashes; no two alike.
        path: the file.
        split: "train", "val", another word, or "".
        label: the class that it shows, "" where the source says none.
        several: labels of the whole picture, in place of a class.
        detail: what the source needs to read its label maps.
        rights: its licence, where the source says one.
    """

    name: str
    path: Path
    split: str = ""
    label: str = ""
    detail: Any = None
    rights: PictureRights | None = None
    several: Sequence[str] = ()


class ImportSource(ABC):
    """An opened data set of some format; it holds no picture in memory.

    Attributes:
        labels: what its maps may hold; none where it has no annotation.
        notes: what whoever imports it should know, a sentence each.
        identity: what tells that it is the same when an import goes on, as JSON takes it.
        upright: whether its maps are made of the picture as it is read, so that no side is in doubt.
    """

    labels: Sequence[NewLabel] = ()
    notes: Sequence[str] = ()
    identity: Any = None
    upright: bool = False

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def pictures(self) -> Iterator[SourcePicture]:
        """All pictures, in the same order each time.

        Raises:
            DatasetError: what the source says of one cannot be followed, and nothing shall be imported.
        """

    def planes(self, picture: SourcePicture) -> Planes:
        """Category -> label maps (h, w) int64 of a picture, each of its own size, 0 = unlabelled.

        Called from threads.

        Raises:
            DamagedFileError: it cannot be read; the picture is left out, and the reason told.
        """
        return {}

    def close(self) -> None:  # noqa: B027 - most hold nothing open
        """Let go of what it holds open; called once, also where the import fails."""


@dataclass(frozen=True)
class Preparation:
    """An import that can begin.

    Attributes:
        open: as `Importer.open`.
        made_with: what decides the bytes beside options and files, by name, as JSON takes it.
        licensed: folders and files of the source, whose texts of licences come along.
    """

    open: Callable[[Path, Tell], ImportSource]
    made_with: Mapping[str, Any] = field(default_factory=dict)
    licensed: Sequence[Path] = ()


@dataclass(frozen=True)
class Importer(Request, ABC):
    """What can be asked of one format; a frozen dataclass whose fields are its options.

    An installed package adds one by an entry point of the group `unitscope.importers` that names the class.

    Attributes:
        called: on the command line.
        summary: one sentence about what it reads.
    """

    called: ClassVar[str] = ""
    summary: ClassVar[str] = ""

    @abstractmethod
    def places(self) -> Sequence[Path]:
        """Folders and files that are read."""

    def prepared(self) -> Preparation:
        """Whatever its options name, in place; called once for each import, before it begins.

        Raises:
            UserError: what they name cannot be had; one clear line.
        """
        return Preparation(self.open)

    @abstractmethod
    def open(self, work: Path, tell: Tell) -> ImportSource:
        """The source, its tables read and checked.

        Args:
            work: folder for what would not fit into memory; it is there, and goes when all is done.
            tell: progress.

        Raises:
            DatasetError: no such data set there, or its tables contradict each other.
        """


@dataclass(frozen=True)
class FolderImporter(Importer):
    """What can be asked of a format that is one folder.

    Attributes:
        source: the folder.
    """

    source: Folder

    def places(self) -> Sequence[Path]:
        """The folder."""
        return (Path(self.source),)


@dataclass(frozen=True)
class ImportSettings:
    """How a data set is written.

    Attributes:
        into: folder to make.
        grid: (H, W) of all label maps.
        copy: pictures are copied, in place of links to where they are.
        resize: pixels of the shorter side of pictures, larger ones are scaled down; None leaves them.
    """

    into: Path
    grid: tuple[int, int] = GRID
    copy: bool = False
    resize: int | None = None

    def __post_init__(self) -> None:
        if not all(1 <= extent <= 4096 for extent in self.grid):
            shown = "×".join(map(str, self.grid))
            raise ParameterError(f"--grid is {shown}, but expected sides from 1 to 4096, such as 112.")
        if self.resize is not None and not 1 <= self.resize <= 8192:
            raise ParameterError(
                f"--resize is {self.resize}, but expected pixels of the shorter side from 1 to 8192."
            )

    def to_json(self) -> dict[str, Any]:
        """What decides the bytes that are written."""
        return {"grid": list(self.grid), "copy": self.copy, "resize": self.resize}


def checked_labels(labels: Sequence[NewLabel], where: str) -> Sequence[NewLabel]:
    """The labels, once they can be written into label.csv.

    Raises:
        DatasetError: a number or name that it has no place for, or a number twice.
    """
    seen: dict[int, str] = {}
    for one in labels:
        if not 1 <= one.number <= MAX_LABEL:
            raise DatasetError(
                f"{where}: label {one.name!r} has number {one.number}, expected 1 to {MAX_LABEL}: renumber "
                "it."
            )
        if one.number in seen:
            raise DatasetError(
                f"{where}: number {one.number} is both {seen[one.number]!r} and {one.name!r}, expected each "
                "number once: remove one of them."
            )
        if not one.name.strip() or not is_text(one.name):
            raise DatasetError(
                f"{where}: label {one.number} is named {one.name!r}, expected some letters: name it."
            )
        checked_category(one.category, where)
        seen[one.number] = one.name
    return labels


def checked_category(category: str, where: str) -> str:
    """A category that index.csv can have a column for.

    Raises:
        DatasetError: another.
    """
    if category in _NO_CATEGORIES or not all(one.isalnum() or one in "-_ " for one in category):
        raise DatasetError(
            f"{where}: category {category!r}, expected a word such as object, part or material, of letters, "
            "digits and hyphens: rename it."
        )
    if category != category.strip() or not is_text(category):
        raise DatasetError(f"{where}: category {category!r}, expected no spaces around it: rename it.")
    return category
