"""What somebody has sent or chosen, made readable and looked at; nothing of it is registered yet."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from interpret_core import config
from interpret_core.datasets import Dataset, open_dataset, read_classes
from interpret_core.datasets.classes import Classes, lists_classes
from interpret_core.datasets.inspection import DatasetCheck, check_dataset
from interpret_core.datasets.layouts.folder import SUFFIXES
from interpret_core.errors import DatasetError, ParameterError, StoreError
from interpret_core.importers.arrangement import Wish, arranged, data_folders, pictures_root
from interpret_core.importers.target import Imported
from interpret_core.uploads.archives import PictureArchive
from interpret_core.uploads.datasets import AddedDatasets
from ui.session.datasets.sample import SamplePicture, sample
from ui.session.memory import kept

LARGEST = 1024  # MB of an archive; Streamlit keeps it in memory until it is taken away
TABLES = ".csv"
EVERY = 60.0  # seconds after which a folder in use says so
_COPIES = 2  # of an archive's files, while the pictures are brought into order

Tell = Callable[[str, int, int | None], None]


class Origin(NamedTuple):
    """What a data set is to be made of.

    Attributes:
        name: of the archive or folder, for people.
        archive: its content; None for a folder.
        folder: on the server; None for an archive.
        classed: whether the folders that pictures lie in are their classes.
        photographs: whether all pictures are photographs, also where some look like masks.
    """

    name: str
    archive: BinaryIO | None
    folder: Path | None
    classed: bool
    photographs: bool = False


@dataclass(frozen=True)
class Staged:
    """A data set that can be looked at.

    Attributes:
        dataset: opened, by the name of its folder.
        place: folder of its files below that of everything added; None where all of them lie elsewhere.
        imported: what was imported where folders became classes.
        left_out: files of the archive that are neither pictures nor tables.
        sample: a few pictures.
        classes: class -> pictures.
        trouble: why its table of classes cannot be read.
        check: what a look through all of it found; None as long as there was none.
    """

    dataset: Dataset
    place: Path | None
    imported: Imported | None
    left_out: Sequence[str]
    sample: tuple[SamplePicture, ...]
    classes: Mapping[str, int]
    trouble: str = ""
    check: DatasetCheck | None = None


def folders() -> dict[str, Path]:
    """Folders on the server that can become a data set, by what they are called below INTERPRET_DATASETS.

    New ones appear within a minute.
    """
    return _folders(os.environ.get("INTERPRET_DATASETS", ""))


@kept(4, seconds=EVERY, kind="")
def _folders(listed: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name, root in config.listed_folders(listed).items():
        for folder in data_folders(root):
            shown = PurePosixPath(name, folder.relative_to(root).as_posix()).as_posix()
            if shown.isprintable():  # and no bytes that are not UTF-8
                found[shown] = folder
    return found


def stage(added: AddedDatasets, origin: Origin, tell: Tell) -> Staged:
    """Unpack, bring into order, open, and take a few pictures.

    Args:
        added: where files are put.
        origin: what is wanted.
        tell: progress; what it raises ends this, and nothing is left.

    Raises:
        DatasetError: it is no data set, in one line.
        StoreError: it cannot be written.
    """
    if origin.archive is None and origin.folder is None:
        raise ParameterError("Nothing is chosen: choose an archive or a folder.")
    archive = PictureArchive(origin.archive, origin.name, _wanted) if origin.archive else None
    place = added.new_place(_COPIES * archive.size if archive else 0)
    try:
        return _staged(place, archive, origin, _alive(place, tell))
    except OSError as error:
        added.discard(place)
        raise StoreError(
            f"The files cannot be written ({error.strerror or error}): free space, or upload fewer."
        ) from error
    except BaseException:
        added.discard(place)
        raise


def _staged(place: Path, archive: PictureArchive | None, origin: Origin, tell: Tell) -> Staged:
    source = origin.folder
    left_out: tuple[str, ...] = ()
    if archive is not None:
        packed = place / "archive"
        packed.mkdir()
        left_out = archive.unpack(packed, tell).left_out
        source = pictures_root(packed)
    assert source is not None
    wish = Wish(origin.classed, archive is not None, origin.photographs, origin.name, left_out)
    found = arranged(source, place / "pictures", wish, tell)
    if archive is not None and found.imported is not None:
        shutil.rmtree(packed)
    elif archive is None and found.imported is None:
        place.rmdir()  # nothing of it lies here
    dataset = open_dataset(found.folder)
    classes, trouble = _classes(dataset)
    used = place if place.is_dir() else None
    pictures = sample(dataset, classes.by_image() if classes else {})
    counts = classes.counts() if classes else {}
    return Staged(dataset, used, found.imported, left_out, pictures, counts, trouble)


def _classes(dataset: Dataset) -> tuple[Classes | None, str]:
    """The classes, or why their table cannot be read."""
    try:
        return read_classes(dataset) if lists_classes(dataset) else None, ""
    except DatasetError as error:
        return None, str(error)


def _alive(place: Path, tell: Tell) -> Tell:
    """The same progress; a folder that somebody works in for hours is not swept away."""
    touched = [time.monotonic()]

    def telling(stage: str, done: int, total: int | None) -> None:
        if time.monotonic() - touched[0] > EVERY:
            touched[0] = time.monotonic()
            with suppress(OSError):  # it has been cleared away
                os.utime(place)
        tell(stage, done, total)

    return telling


def checked(staged: Staged, tell: Tell) -> Staged:
    """The same with what a look through all files has found.

    Raises:
        DatasetError: a file cannot be read, or changed meanwhile.
    """
    telling = tell if staged.place is None else _alive(staged.place, tell)
    found = check_dataset(staged.dataset, telling)
    return replace(staged, check=found)


def _wanted(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in {*SUFFIXES, TABLES}
