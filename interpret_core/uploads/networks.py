"""Networks that were added on a page: a folder of one's own for each, with its weights and what is stated.

    <folder>/<name>/network.toml            what `[networks.<name>]` in unitscope.toml would say
    <folder>/<name>/birds.safetensors       its weights, never anything else
    <folder>/.staged/<token>/…              a file that is being examined
    <folder>/.removed/<time>~<name>/…       what was removed, for a day

A network appears, goes and comes back by one renaming of its folder: whoever reads meanwhile, in this process
or another, sees it whole or not at all.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tomllib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from interpret_core.errors import ParameterError, StoreError, UserError
from interpret_core.network_tables import NetworkTable, network_table
from interpret_core.uploads import places
from interpret_core.uploads.datasets import DATASETS
from interpret_core.uploads.names import name_problem, normal
from interpret_core.uploads.places import MOST_STAGED, RESERVE, Removal

SUFFIX = ".safetensors"
_TABLE = "network.toml"
_STAGED, _REMOVED = ".staged", ".removed"
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.safetensors")
_Stamp = tuple[tuple[object, ...], ...]
_Read = tuple[dict[str, NetworkTable], dict[str, str]]
_READ: dict[Path, tuple[_Stamp, _Read]] = {}  # folder -> what it held when it had this stamp


class AddedNetworks:
    """The folder of all of them; it need not exist.

    Args:
        folder: absolute.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def tables(self) -> dict[str, NetworkTable]:
        """What is stated of each, by name; one whose table cannot be read is left out (`broken`)."""
        return self._read()[0]

    def broken(self) -> dict[str, str]:
        """Those whose table cannot be read, and why: one line that names the file."""
        return self._read()[1]

    def _read(self) -> _Read:
        """Both, read anew where a folder or a table is another one than a moment ago."""
        before = self._stamp()
        found = _READ.get(self.folder)
        if found is not None and found[0] == before:
            return found[1]
        tables: dict[str, NetworkTable] = {}
        broken: dict[str, str] = {}
        for name, *_ in before[1:]:
            file = self.folder / str(name) / _TABLE
            try:
                entry = tomllib.loads(file.read_text(encoding="utf-8"))
                tables[normal(str(name))] = network_table(file, str(name), entry)
            except (FileNotFoundError, NotADirectoryError):  # removed just now
                continue
            except UserError as error:
                broken[str(name)] = str(error)
            except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                broken[str(name)] = f"{file} cannot be read ({error}): correct it, or remove this network."
        if self._stamp() == before:
            _READ[self.folder] = (before, (tables, broken))
        return tables, broken

    def _stamp(self) -> _Stamp:
        """Changes whenever a network has come or gone, or a table is another one."""
        try:
            found: list[tuple[object, ...]] = []
            for folder in self.folder.iterdir():
                status = () if folder.name.startswith(".") else places.status(folder / _TABLE)
                found += [(folder.name, *status)] if status else []
            return (places.status(self.folder), *sorted(found, key=str))
        except OSError:
            return ((),)

    def stage(self, content: bytes | memoryview, file_name: str) -> Path:
        """Write an uploaded file to where it can be examined.

        Args:
            content: its bytes.
            file_name: as its owner calls it; kept where it is harmless.

        Returns:
            The file, in a folder of its own.

        Raises:
            StoreError: it cannot be written, or too many wait; nothing of it is left.
        """
        self._sweep()
        if len(places.children(self.folder / _STAGED)) >= MOST_STAGED:
            raise places.waiting_already("files")
        folder = self.folder / _STAGED / uuid.uuid4().hex
        file = folder / (file_name if _FILE.fullmatch(file_name) else f"weights{SUFFIX}")
        try:
            folder.mkdir(parents=True)
            if shutil.disk_usage(folder).free < len(content) + RESERVE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            places.write(file, content)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise self._unwritable(error) from error
        return file

    def discard(self, staged: Path) -> None:
        """Delete a staged file; one that is gone is no error."""
        if staged.parent.parent == self.folder / _STAGED:
            shutil.rmtree(staged.parent, ignore_errors=True)

    def register(self, staged: Path, name: str, entry: Mapping[str, Any]) -> None:
        """Make a staged file a network.

        Args:
            staged: from `stage`.
            name: of the network; whether it is free among the others is for the caller to ask.
            entry: as in `unitscope.toml`, weights apart.

        Raises:
            ParameterError: the name is none, or taken by another that was added meanwhile; the staged file
                is gone.
            StoreError: the folder cannot be written.
        """
        name = normal(name)
        problem = name_problem(name, (*self._names(), DATASETS))
        if problem:
            raise ParameterError(problem)
        if not staged.is_file():
            raise ParameterError("The uploaded file has been cleared away meanwhile: upload it again.")
        table = staged.with_name(_TABLE)
        whole = {**entry, "weights": staged.name}
        network_table(table, name, whole)  # what could not be read again is not written
        try:
            places.write(table, tomli_w.dumps(whole).encode())
        except UnicodeEncodeError as error:
            raise ParameterError(f"A name holds what is no text ({error.reason}): write it anew.") from error
        except OSError as error:
            raise self._unwritable(error) from error
        self._move(staged.parent, self.folder / name, name)

    def remove(self, name: str) -> None:
        """Take a network away; for a day it can be put back.

        Raises:
            ParameterError: there is none of this name.
            StoreError: the folder cannot be written.
        """
        self._sweep()
        # A file system may spell a name in its own way.
        own = next((one for one in self._names() if normal(one) == normal(name)), None)
        if own is None:
            raise ParameterError(f"There is no network {name!r} to remove, expected one that was added here.")
        place = self.folder / _REMOVED
        try:
            place.mkdir(exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        self._move(self.folder / own, place / places.removal_name(normal(name)), name)

    def removed(self) -> list[Removal]:
        """What can still be put back, the latest first."""
        return sorted(places.removals(self.folder / _REMOVED), key=lambda one: -one.when)

    def put_back(self, removed: Removal) -> None:
        """Undo a removal.

        Raises:
            ParameterError: its name is taken now, or it is gone for good.
            StoreError: the folder cannot be written.
        """
        if removed not in self.removed():
            raise ParameterError(f"{removed.name} cannot be put back any more: upload it again.")
        problem = name_problem(removed.name, self._names())
        if problem:
            raise ParameterError(problem)
        self._move(removed.place, self.folder / removed.name, removed.name)

    def _names(self) -> list[str]:
        """Names of folders that are taken, readable or not, as they are on disk."""
        try:
            found = [folder.name for folder in self.folder.iterdir() if not folder.name.startswith(".")]
        except OSError:
            return []
        return [name for name in found if name != DATASETS]

    def _move(self, folder: Path, to: Path, name: str) -> None:
        """One renaming; somebody else may have been quicker."""
        try:
            folder.rename(to)
        except FileNotFoundError as error:
            raise ParameterError(f"{name} is not there any more: look at the page again.") from error
        except OSError as error:
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
                raise ParameterError(name_problem(name, [name])) from error
            raise self._unwritable(error) from error

    def _sweep(self) -> None:
        """Delete for good what has waited for a day."""
        kept = {one.place for one in self.removed()}
        gone = [folder for folder in places.children(self.folder / _REMOVED) if folder not in kept]
        gone += [folder for folder in places.children(self.folder / _STAGED) if places.old(folder)]
        for folder in gone:
            shutil.rmtree(folder, ignore_errors=True)

    def _unwritable(self, error: OSError) -> StoreError:
        return places.unwritable(self.folder, "networks", error)
