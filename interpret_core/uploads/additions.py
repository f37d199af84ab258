"""What is added on a page, whatever it is: read whole, taken away, put back, and told apart by name."""

from __future__ import annotations

import errno
import fcntl
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from interpret_core.errors import ParameterError, StoreError, UserError
from interpret_core.uploads import places
from interpret_core.uploads.names import name_problem, normal
from interpret_core.uploads.places import Removal

T = TypeVar("T")
_LOCK = ".lock"
_Stamp = tuple[tuple[object, ...], ...]
_Read = tuple[dict[str, Any], dict[str, str]]
_READ: dict[Path, tuple[_Stamp, _Read]] = {}  # folder -> what it held when it had this stamp


class Additions(ABC, Generic[T]):
    """A folder with an entry for each, which appears, goes and comes back by one renaming.

    Args:
        folder: absolute; it need not exist.

    Attributes:
        what: one of them is, for messages.
        anew: what whoever comes too late does: "upload it again".
        waits_in: folder below it for what was removed.
        suffix: behind the name of an entry.
    """

    what: ClassVar[str]
    anew: ClassVar[str]
    waits_in: ClassVar[str]
    suffix: ClassVar[str] = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def _table(self, own: str) -> Path:
        """The file that says what an entry is, by its name on disk."""

    @abstractmethod
    def _stated(self, file: Path, own: str) -> T:
        """What that file says.

        Raises:
            OSError, ValueError: it cannot be read.
        """

    @abstractmethod
    def _names(self) -> list[str]:
        """Names of entries, readable or not, as they are on disk."""

    @abstractmethod
    def _sweep(self) -> None:
        """Delete for good what has waited long enough."""

    def tables(self) -> dict[str, T]:
        """What is stated of each, by name; one whose table cannot be read is left out (`broken`)."""
        return self._read()[0]

    def broken(self) -> dict[str, str]:
        """Those whose table cannot be read, and why: one line that names the file."""
        return self._read()[1]

    def remove(self, name: str) -> None:
        """Take an entry away; for a day it can be put back.

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
                    f"There is no {self.what} {name!r} to remove, expected one that was added here."
                )
            place = self.folder / self.waits_in
            try:
                place.mkdir(exist_ok=True)
            except OSError as error:
                raise self._unwritable(error) from error
            self._move(self._entry(own), place / f"{places.removal_name(normal(name))}{self.suffix}", name)

    def removed(self) -> list[Removal]:
        """What can still be put back, the latest first."""
        return sorted(places.removals(self.folder / self.waits_in, self.suffix), key=lambda one: -one.when)

    def put_back(self, removed: Removal) -> None:
        """Undo a removal.

        Raises:
            ParameterError: its name is taken now, or it is gone for good.
            StoreError: the folder cannot be written.
        """
        with self._alone():
            if removed not in self.removed():
                raise ParameterError(f"{removed.name} cannot be put back any more: {self.anew}.")
            self._require_free(removed.name)
            self._move(removed.place, self._entry(removed.name), removed.name)

    def _entry(self, own: str) -> Path:
        return self.folder / f"{own}{self.suffix}"

    def _require_free(self, name: str, taken: Iterable[str] = ()) -> None:
        """Raise a ParameterError where the name is none, or one of these or of an entry already."""
        problem = name_problem(name, (*self._names(), *taken), self.what)
        if problem:
            raise ParameterError(problem)

    def _move(self, entry: Path, to: Path, name: str) -> None:
        """One renaming; somebody else may have been quicker."""
        try:
            entry.rename(to)
        except FileNotFoundError as error:
            raise ParameterError(f"{name} is not there any more: look at the page again.") from error
        except OSError as error:
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
                raise ParameterError(name_problem(name, [name], self.what)) from error
            raise self._unwritable(error) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process and thread at a time changes what there is."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / _LOCK).open("w")
        except OSError as error:
            raise self._unwritable(error) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self) -> _Read:
        """Tables, and why others cannot be read; anew where the folder or a table is another one."""
        before = self._stamp()
        found = _READ.get(self.folder)
        if found is not None and found[0] == before:
            return found[1]
        tables: dict[str, Any] = {}
        broken: dict[str, str] = {}
        for own in (str(name) for name, *_ in before[1:]):
            file = self._table(own)
            try:
                tables[normal(own)] = self._stated(file, own)
            except (FileNotFoundError, NotADirectoryError):  # removed just now
                continue
            except UserError as error:
                broken[own] = str(error)
            except (OSError, ValueError) as error:
                broken[own] = f"{file} cannot be read ({error}): correct it, or remove this {self.what}."
        if self._stamp() == before:
            _READ[self.folder] = (before, (tables, broken))
        return tables, broken

    def _stamp(self) -> _Stamp:
        """Of the folder and of every table; another one whenever one has come, gone or changed."""
        entries = ((own, *places.status(self._table(own))) for own in sorted(self._names()))
        return (places.status(self.folder), *(one for one in entries if len(one) > 1))

    def _unwritable(self, error: OSError) -> StoreError:
        return places.unwritable(self.folder, f"{self.what}s", error)
