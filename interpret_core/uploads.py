"""Networks that were added on a page: a folder of one's own for each, with its weights and what is stated.

    <folder>/<name>/network.toml            what `[networks.<name>]` in unitscope.toml would say
    <folder>/<name>/birds.safetensors       its weights, never anything else
    <folder>/.staged/<token>/…              a file that is being examined
    <folder>/.removed/<time>~<name>/…       what was removed, for a day

A network appears, goes and comes back by one renaming of its folder: whoever reads meanwhile, in this process
or another, sees it whole or not at all.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import tomllib
import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from interpret_core.errors import ParameterError, StoreError, UserError
from interpret_core.network_tables import NetworkTable, network_table

SUFFIX = ".safetensors"
DAY = 24 * 3600.0  # seconds for which something removed can be put back, and a staged file waits
LONGEST = 64  # characters of a name
_TABLE = "network.toml"
_STAGED, _REMOVED = ".staged", ".removed"
_NAME = re.compile(r"[^\W_][\w.-]*")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.safetensors")


@dataclass(frozen=True)
class RemovedNetwork:
    """A network that can still be put back.

    Attributes:
        name: that it had.
        when: seconds since the epoch.
        folder: where it waits.
    """

    name: str
    when: float
    folder: Path


def name_problem(name: str, taken: Iterable[str]) -> str:
    """Why a network cannot be called so, in one sentence; empty where it can.

    Args:
        name: as typed.
        taken: names that mean a network already; case does not tell two apart.
    """
    if not name:
        return "The network has no name yet: write one."
    if len(name) > LONGEST or not _NAME.fullmatch(name):
        return (
            f"The name {name[:LONGEST]!r} cannot stand in every address and folder, expected up to {LONGEST} "
            "letters, digits, dots, dashes and underscores, a letter or digit first: write another."
        )
    if name.casefold() in {one.casefold() for one in taken}:
        return f"The name {name!r} is taken: write another, or remove the network that has it."
    return ""


class Uploads:
    """The folder of all of them; it need not exist.

    Args:
        folder: absolute.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stamp(self) -> tuple[tuple[str, int], ...]:
        """Changes whenever a network has come or gone."""
        try:
            with os.scandir(self.folder) as entries:
                return tuple(sorted((one.name, one.inode()) for one in entries))
        except OSError:
            return ()

    def tables(self) -> dict[str, NetworkTable]:
        """What is stated of each, by name.

        Raises:
            UserError: a table that somebody has edited into none; one line with the file.
        """
        names = [name for name, _ in self.stamp() if not name.startswith(".")]
        files = {unicodedata.normalize("NFC", name): self.folder / name / _TABLE for name in names}
        return {
            name: network_table(file, name, _entry(file)) for name, file in files.items() if file.is_file()
        }

    def stage(self, content: bytes | memoryview, file_name: str) -> Path:
        """Write an uploaded file to where it can be examined.

        Args:
            content: its bytes.
            file_name: as its owner calls it; kept where it is harmless.

        Returns:
            The file, in a folder of its own.

        Raises:
            StoreError: it cannot be written; nothing of it is left.
        """
        self._sweep()
        folder = self.folder / _STAGED / uuid.uuid4().hex
        file = folder / (file_name if _FILE.fullmatch(file_name) else f"weights{SUFFIX}")
        try:
            folder.mkdir(parents=True)
            with file.open("wb") as opened:
                opened.write(content)
                opened.flush()
                os.fsync(opened.fileno())
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
        problem = name_problem(name, self.tables())
        if problem:
            raise ParameterError(problem)
        if not staged.is_file():
            raise ParameterError("The uploaded file has been cleared away meanwhile: upload it again.")
        table = staged.with_name(_TABLE)
        whole = {**entry, "weights": staged.name}
        network_table(table, name, whole)  # what could not be read again is not written
        try:
            table.write_text(tomli_w.dumps(whole), encoding="utf-8")
            staged.parent.rename(self.folder / name)
        except FileExistsError as error:
            raise ParameterError(name_problem(name, [name])) from error
        except OSError as error:
            if (self.folder / name).exists():  # "directory not empty": added by somebody else just now
                raise ParameterError(name_problem(name, [name])) from error
            raise self._unwritable(error) from error

    def remove(self, name: str) -> None:
        """Take a network away; for a day it can be put back.

        Raises:
            ParameterError: there is none of this name.
            StoreError: the folder cannot be written.
        """
        self._sweep()
        if name not in self.tables():
            raise ParameterError(f"There is no network {name!r} to remove, expected one that was added here.")
        place = self.folder / _REMOVED
        try:
            place.mkdir(exist_ok=True)
            (self.folder / name).rename(place / f"{time.time_ns()}~{name}")
        except OSError as error:
            raise self._unwritable(error) from error

    def removed(self) -> list[RemovedNetwork]:
        """What can still be put back, the latest first."""
        found = []
        for folder in self._children(_REMOVED):
            when, mark, name = folder.name.partition("~")
            if mark and when.isdigit() and int(when) / 1e9 > time.time() - DAY:
                found.append(RemovedNetwork(name, int(when) / 1e9, folder))
        return sorted(found, key=lambda one: -one.when)

    def put_back(self, removed: RemovedNetwork) -> None:
        """Undo a removal.

        Raises:
            ParameterError: its name is taken now, or it is gone for good.
            StoreError: the folder cannot be written.
        """
        if removed not in self.removed():
            raise ParameterError(f"{removed.name} cannot be put back any more: upload it again.")
        problem = name_problem(removed.name, self.tables())
        if problem:
            raise ParameterError(problem)
        try:
            removed.folder.rename(self.folder / removed.name)
        except OSError as error:
            raise self._unwritable(error) from error

    def _sweep(self) -> None:
        """Delete for good what has waited for a day."""
        kept = {one.folder for one in self.removed()}
        old = [folder for folder in self._children(_REMOVED) if folder not in kept]
        for folder in self._children(_STAGED):
            try:
                if folder.stat().st_mtime < time.time() - DAY:
                    old.append(folder)
            except OSError:  # somebody else has it just now
                continue
        for folder in old:
            shutil.rmtree(folder, ignore_errors=True)

    def _children(self, name: str) -> list[Path]:
        try:
            return list((self.folder / name).iterdir())
        except OSError:
            return []

    def _unwritable(self, error: OSError) -> StoreError:
        return StoreError(
            f"The folder of added networks, {self.folder}, cannot be written ({error.strerror or error}): "
            "free space or change its permissions, or name another in INTERPRET_UPLOADS."
        )


def _entry(file: Path) -> Any:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(
            f"{file} cannot be read ({error}), expected what a page wrote there: correct it, or remove its "
            "folder."
        ) from error
