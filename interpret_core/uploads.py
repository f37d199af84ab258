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
DAY = 24 * 3600.0  # seconds for which something removed can be put back
PATIENCE = 2 * 3600.0  # seconds that a staged file waits
MOST_STAGED = 8  # files that wait at the same time
RESERVE = 1 << 30  # bytes of disk that no upload takes
LONGEST = 64  # characters of a name
_LONGEST_BYTES = 200  # of it in a folder's name, before which a time may stand
_TABLE = "network.toml"
_STAGED, _REMOVED = ".staged", ".removed"
_NAME = re.compile(r"[^\W_][\w.-]*")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.safetensors")
_Stamp = tuple[tuple[object, ...], ...]
_Read = tuple[dict[str, NetworkTable], dict[str, str]]
_READ: dict[Path, tuple[_Stamp, _Read]] = {}  # folder -> what it held when it had this stamp


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
    name = normal(name)
    if not name:
        return "The network has no name yet: write one."
    if (
        len(name) > LONGEST
        or len(name.encode("utf-8", "replace")) > _LONGEST_BYTES
        or not _NAME.fullmatch(name)
    ):
        return (
            f"The name {name[:LONGEST]!r} cannot stand in every address and folder, expected up to {LONGEST} "
            "letters, digits, dots, dashes and underscores, a letter or digit first: write another."
        )
    if name.casefold() in {normal(one).casefold() for one in taken}:
        return f"The name {name!r} is taken: write another, or remove the network that has it."
    return ""


def normal(name: str) -> str:
    """One spelling of a name whose letters Unicode can spell in several ways."""
    return unicodedata.normalize("NFC", name)


class Uploads:
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
                status = () if folder.name.startswith(".") else _status(folder / _TABLE)
                found += [(folder.name, *status)] if status else []
            return (_status(self.folder), *sorted(found, key=str))
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
        if len(self._children(_STAGED)) >= MOST_STAGED:
            raise StoreError(
                f"{MOST_STAGED} uploaded files wait to be registered already, expected fewer: register or "
                f"take away one of them, or come back later; each waits for {PATIENCE / 3600:.0f} hours."
            )
        folder = self.folder / _STAGED / uuid.uuid4().hex
        file = folder / (file_name if _FILE.fullmatch(file_name) else f"weights{SUFFIX}")
        try:
            folder.mkdir(parents=True)
            if shutil.disk_usage(folder).free < len(content) + RESERVE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            _write(file, content)
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
        problem = name_problem(name, self._names())
        if problem:
            raise ParameterError(problem)
        if not staged.is_file():
            raise ParameterError("The uploaded file has been cleared away meanwhile: upload it again.")
        table = staged.with_name(_TABLE)
        whole = {**entry, "weights": staged.name}
        network_table(table, name, whole)  # what could not be read again is not written
        try:
            _write(table, tomli_w.dumps(whole).encode())
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
        self._move(self.folder / own, place / f"{time.time_ns()}~{normal(name)}", name)

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
        problem = name_problem(removed.name, self._names())
        if problem:
            raise ParameterError(problem)
        self._move(removed.folder, self.folder / removed.name, removed.name)

    def _names(self) -> list[str]:
        """Names of folders that are taken, readable or not, as they are on disk."""
        try:
            return [folder.name for folder in self.folder.iterdir() if not folder.name.startswith(".")]
        except OSError:
            return []

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
        kept = {one.folder for one in self.removed()}
        old = [folder for folder in self._children(_REMOVED) if folder not in kept]
        for folder in self._children(_STAGED):
            try:
                if folder.stat().st_mtime < time.time() - PATIENCE:
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


def _status(path: Path) -> tuple[object, ...]:
    """Tells a file from any other that was or will be there; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _write(file: Path, content: bytes | memoryview) -> None:
    """Write a file so that it is whole even if the machine stops right afterwards."""
    with file.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
