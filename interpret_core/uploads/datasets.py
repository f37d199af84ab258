"""Data sets that were added on a page: a table for each, which says where its files lie.

    <folder>/datasets/<name>.toml              of one that is registered
    <folder>/datasets/files/<token>/…          files of an archive, or links to pictures of a folder
    <folder>/datasets/removed/<time>~<name>.toml   of one that was removed, for a day

A data set appears, goes and comes back by one renaming of its table. Its files never move: links in them lead
on, and whoever reads them meanwhile goes on reading.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tomllib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from interpret_core.errors import ParameterError, StoreError
from interpret_core.uploads import places
from interpret_core.uploads.names import name_problem, normal
from interpret_core.uploads.places import MOST_STAGED, RESERVE, Removal

DATASETS = "datasets"  # below the folder of everything that was added; no network is called so
_FILES, _REMOVED, _LOCK, _SUFFIX = "files", "removed", ".lock", ".toml"
_Stamp = tuple[tuple[object, ...], ...]
_Read = tuple[dict[str, "AddedDataset"], dict[str, str]]
_READ: dict[Path, tuple[_Stamp, _Read]] = {}  # folder -> what it held when it had this stamp


@dataclass(frozen=True)
class AddedDataset:
    """What is known of one.

    Attributes:
        folder: of the data set, absolute.
        origin: what it was made of, for people: an archive's name, or a folder.
    """

    folder: Path
    origin: str


class AddedDatasets:
    """The folder of all of them; it need not exist.

    Args:
        uploads: folder of everything that was added, absolute.
    """

    def __init__(self, uploads: Path) -> None:
        self.folder = uploads / DATASETS

    def tables(self) -> dict[str, AddedDataset]:
        """Those that are registered, by name; one whose table cannot be read is left out (`broken`)."""
        return self._read()[0]

    def broken(self) -> dict[str, str]:
        """Those whose table cannot be read, and why: one line that names the file."""
        return self._read()[1]

    def _read(self) -> _Read:
        """Both, read anew where the folder or a table is another one than a moment ago."""
        before = self._stamp()
        found = _READ.get(self.folder)
        if found is not None and found[0] == before:
            return found[1]
        tables: dict[str, AddedDataset] = {}
        broken: dict[str, str] = {}
        for own in self._names():
            file = self.folder / f"{own}{_SUFFIX}"
            try:
                tables[normal(own)] = self._table(file)
            except FileNotFoundError:  # removed just now
                continue
            except (OSError, ValueError) as error:
                broken[own] = f"{file} cannot be read ({error}): correct it, or remove this data set."
        if self._stamp() == before:
            _READ[self.folder] = (before, (tables, broken))
        return tables, broken

    def _table(self, file: Path) -> AddedDataset:
        entry = tomllib.loads(file.read_text(encoding="utf-8"))
        folder, origin = entry.get("folder"), entry.get("origin", "")
        if not isinstance(folder, str) or not folder or not isinstance(origin, str):
            raise ValueError("expected folder and origin, each a text")
        return AddedDataset(self.folder / folder, origin)

    def _stamp(self) -> _Stamp:
        """Changes whenever a data set has come or gone, or a table is another one."""
        names = self._names()
        return places.status(self.folder), *(
            (name, *places.status(self.folder / f"{name}{_SUFFIX}")) for name in names
        )

    def new_place(self, size: int) -> Path:
        """An empty folder for files of a data set to be; it goes unless it is registered within two hours.

        Args:
            size: bytes that are to be written into it.

        Raises:
            StoreError: it cannot be made, there is no room for them, or too many wait.
        """
        self._sweep()
        if len(self._staged()) >= MOST_STAGED:
            raise places.waiting_already("data sets")
        folder = self.folder / _FILES / uuid.uuid4().hex
        try:
            folder.mkdir(parents=True)
            if shutil.disk_usage(folder).free < size + RESERVE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise self._unwritable(error) from error
        return folder

    def discard(self, place: Path) -> None:
        """Delete what was staged; what is registered stays, and what is gone is no error."""
        if place in self._staged():
            shutil.rmtree(place, ignore_errors=True)

    def register(self, name: str, folder: Path, origin: str) -> None:
        """Make a folder a data set.

        Args:
            name: of it; whether it is free among the others is for the caller to ask.
            folder: below one of `new_place`, or any other.
            origin: what it was made of.

        Raises:
            ParameterError: the name is none, or taken by another that was added meanwhile; the files are gone.
            StoreError: the folder cannot be written.
        """
        name = normal(name)
        with self._alone():
            problem = name_problem(name, self._names(), "data set")
            if problem:
                raise ParameterError(problem)
            if not folder.is_dir():
                raise ParameterError("Its files have been cleared away meanwhile: begin again.")
            own = folder.is_relative_to(self.folder)
            entry = {"folder": str(folder.relative_to(self.folder) if own else folder), "origin": origin}
            part = self.folder / f"{uuid.uuid4().hex}.part"
            try:
                places.write(part, tomli_w.dumps(entry).encode())
                part.rename(self.folder / f"{name}{_SUFFIX}")
            except UnicodeEncodeError as error:
                part.unlink(missing_ok=True)
                raise ParameterError(
                    f"The name of the folder is no text ({error.reason}): name it in unitscope.toml."
                ) from error
            except OSError as error:
                raise self._unwritable(error) from error

    def remove(self, name: str) -> None:
        """Take a data set away; for a day it can be put back. A folder that was registered stays as it is.

        Raises:
            ParameterError: there is none of this name.
            StoreError: the folder cannot be written.
        """
        self._sweep()
        with self._alone():
            # A file system may spell a name in its own way.
            own = next((one for one in self._names() if normal(one) == normal(name)), None)
            if own is None:
                raise ParameterError(
                    f"There is no data set {name!r} to remove, expected one that was added here."
                )
            place = self.folder / _REMOVED
            try:
                place.mkdir(exist_ok=True)
                waits = place / f"{places.removal_name(normal(name))}{_SUFFIX}"
                (self.folder / f"{own}{_SUFFIX}").rename(waits)
            except OSError as error:
                raise self._unwritable(error) from error

    def removed(self) -> list[Removal]:
        """What can still be put back, the latest first."""
        return sorted(places.removals(self.folder / _REMOVED, _SUFFIX), key=lambda one: -one.when)

    def put_back(self, removed: Removal) -> None:
        """Undo a removal.

        Raises:
            ParameterError: its name is taken now, or it is gone for good.
            StoreError: the folder cannot be written.
        """
        with self._alone():
            if removed not in self.removed():
                raise ParameterError(f"{removed.name} cannot be put back any more: add it again.")
            problem = name_problem(removed.name, self._names(), "data set")
            if problem:
                raise ParameterError(problem)
            try:
                removed.place.rename(self.folder / f"{removed.name}{_SUFFIX}")
            except OSError as error:
                raise self._unwritable(error) from error

    def _names(self) -> list[str]:
        """Names that are taken, readable or not, as they are on disk."""
        found = (one.name for one in places.children(self.folder))
        return sorted(one.removesuffix(_SUFFIX) for one in found if one.endswith(_SUFFIX))

    def _staged(self) -> list[Path]:
        """Folders of files that no table speaks of."""
        tables = [self.folder / f"{name}{_SUFFIX}" for name in self._names()]
        used: set[Path] = set()
        for file in (*tables, *(one.place for one in self.removed())):
            try:
                used.update(self._table(file).folder.parents, [self._table(file).folder])
            except FileNotFoundError:
                continue
            except (OSError, ValueError):  # whose files it speaks of is not known: none is thrown away
                return []
        return [one for one in places.children(self.folder / _FILES) if one not in used]

    def _sweep(self) -> None:
        """Delete for good what has waited for a day, or was never registered."""
        with self._alone():
            kept = {one.place for one in self.removed()}
            for file in places.children(self.folder / _REMOVED):
                if file not in kept:
                    file.unlink(missing_ok=True)
            for folder in self._staged():
                if places.old(folder):
                    shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process and thread at a time changes what is registered."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / _LOCK).open("w")
        except OSError as error:
            raise self._unwritable(error) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _unwritable(self, error: OSError) -> StoreError:
        return places.unwritable(self.folder, "data sets", error)
