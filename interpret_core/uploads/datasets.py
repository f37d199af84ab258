"""Data sets that were added on a page: a table for each, which says where its files lie.

    <folder>/datasets/<name>.toml              of one that is registered
    <folder>/datasets/files/<token>/…          files of an archive, or links to pictures of a folder
    <folder>/datasets/removed/<time>~<name>.toml   of one that was removed, for a day

A data set appears, goes and comes back by one renaming of its table. Its files never move: links in them lead
on, and whoever reads them meanwhile goes on reading.
"""

from __future__ import annotations

import errno
import os
import shutil
import tomllib
import uuid
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from interpret_core.errors import ParameterError
from interpret_core.uploads import places
from interpret_core.uploads.additions import Additions
from interpret_core.uploads.names import normal
from interpret_core.uploads.places import MOST_STAGED, PATIENCE, RESERVE

DATASETS = "datasets"  # below the folder of everything that was added; no network is called so
IDLE = 15 * 60.0  # seconds after which something staged gives way to another
_FILES = "files"


@dataclass(frozen=True)
class AddedDataset:
    """What is known of one.

    Attributes:
        folder: of the data set, absolute.
        origin: what it was made of, for people: an archive's name, or a folder.
    """

    folder: Path
    origin: str


class AddedDatasets(Additions[AddedDataset]):
    """The folder of all of them; it need not exist. A folder elsewhere that is registered stays as it is.

    Args:
        uploads: folder of everything that was added, absolute.
    """

    what = "data set"
    anew = "add it again"
    waits_in = "removed"
    suffix = ".toml"

    def __init__(self, uploads: Path) -> None:
        # Opened data sets know their folder resolved: behind a link, nobody could tell whose files they are.
        super().__init__(uploads.resolve() / DATASETS)

    def _table(self, own: str) -> Path:
        return self._entry(own)

    def _stated(self, file: Path, own: str) -> AddedDataset:
        entry = tomllib.loads(file.read_text(encoding="utf-8"))
        folder, origin = entry.get("folder"), entry.get("origin", "")
        if not isinstance(folder, str) or not folder or not isinstance(origin, str):
            raise ValueError(f"{own} has no folder and origin, each a text")
        return AddedDataset(self.folder / folder, origin)

    def new_place(self, size: int) -> Path:
        """An empty folder for files of a data set to be; it goes unless it is registered within two hours.

        Where many wait, the one that nobody has worked in for a quarter of an hour gives way.

        Args:
            size: bytes that are to be written into it.

        Raises:
            StoreError: it cannot be made, there is no room for them, or too many wait.
        """
        self._sweep()
        if len(self._staged()) >= MOST_STAGED:
            self._sweep(IDLE)
        if len(self._staged()) >= MOST_STAGED:
            raise places.waiting_already("data sets", IDLE)
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
        with self._alone():
            if place in self._staged():
                shutil.rmtree(place, ignore_errors=True)

    def register(self, name: str, folder: Path, origin: str) -> None:
        """Make a folder a data set.

        Args:
            name: of it; whether it is free among the others is for the caller to ask.
            folder: below one of `new_place`, or any other.
            origin: what it was made of.

        Raises:
            ParameterError: the name is none, or taken by one that was added meanwhile; the files are gone.
            StoreError: the folder cannot be written.
        """
        name = normal(name)
        with self._alone():
            self._require_free(name)
            if not folder.is_dir():
                raise ParameterError("Its files have been cleared away meanwhile: begin again.")
            folder = folder.resolve()
            own = folder.is_relative_to(self.folder)
            if own:
                os.sync()  # a table on the disk whose pictures are not would be a data set of empty files
            entry = {"folder": str(folder.relative_to(self.folder) if own else folder), "origin": origin}
            part = self.folder / f"{uuid.uuid4().hex}.part"
            try:
                places.write(part, tomli_w.dumps(entry).encode())
                part.rename(self._entry(name))
            except UnicodeEncodeError as error:
                part.unlink(missing_ok=True)
                raise ParameterError(
                    f"The name of the folder is no text ({error.reason}): name it in unitscope.toml."
                ) from error
            except OSError as error:
                part.unlink(missing_ok=True)
                raise self._unwritable(error) from error

    def _names(self) -> list[str]:
        found = (one.name for one in places.children(self.folder))
        return [one.removesuffix(self.suffix) for one in found if one.endswith(self.suffix)]

    def _staged(self, patience: float = 0.0) -> list[Path]:
        """Folders of files that no table speaks of, and in which nobody has worked for so long.

        Args:
            patience: seconds.
        """
        used, _ = self._used()
        found = [one for one in places.children(self.folder / _FILES) if one not in used]
        return [one for one in found if not patience or places.old(one, patience)]

    def _used(self) -> tuple[set[Path], bool]:
        """Folders of files that tables speak of, and whether every table can be read."""
        tables = map(self._entry, self._names())
        used: set[Path] = set()
        whole = True
        for file in (*tables, *(one.place for one in self.removed())):
            try:
                folder = self._stated(file, file.stem).folder
                used.update((folder, *folder.parents))
            except FileNotFoundError:
                continue
            except (OSError, ValueError):
                whole = False
        return used, whole

    def _sweep(self, patience: float = PATIENCE) -> None:
        """Delete for good what has waited for a day, or was never registered."""
        with self._alone():
            kept = {one.place for one in self.removed()}
            for file in places.children(self.folder / self.waits_in):
                if file not in kept:
                    file.unlink(missing_ok=True)
            if self._used()[1]:  # else nobody knows whose files some are
                for folder in self._staged(patience):
                    shutil.rmtree(folder, ignore_errors=True)
