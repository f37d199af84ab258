"""What an analysis is, for whoever runs, lists, shows or ships analyses without knowing one by name.

A request says what is asked for. A plan says what that amounts to: keys, what is missing, what it costs. A
run computes what is missing and keeps it; a result gives rows. `analyses.registry` finds analyses by name.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from interpret_core.options import Request
from interpret_core.tables import Row, Table

if TYPE_CHECKING:
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store


@dataclass(frozen=True)
class Cost:
    """What computing the rest takes.

    Attributes:
        words: what is done and on how much, the end of "It …"; `analyses.estimate` says how long it takes.
    """

    words: str


@dataclass(frozen=True)
class Plan:
    """What a request amounts to; nothing has been computed for it.

    Attributes:
        keys: where its records lie, by what each is of: a layer, a class.
        missing: names among the keys of what has to be computed.
        cost: of the missing.
        left_out: (what, why) that cannot be computed.
    """

    keys: Mapping[str, str]
    missing: tuple[str, ...]
    cost: Cost
    left_out: tuple[tuple[str, str], ...] = field(default=())


R = TypeVar("R", bound=Request)
T = TypeVar("T")


class Analysis(ABC, Generic[R, T]):
    """A request of type R, answered by a result of type T."""

    def needs(self, request: R, store: Store, execution: Execution) -> Sequence[Request]:
        """Requests of other analyses that have to be computed first; by default none.

        Asked again once they are, until it names no other: what is needed may depend on what was found.
        """
        return ()

    @abstractmethod
    def plan(self, request: R, store: Store) -> Plan:
        """What a request amounts to, from names, tables and results made before.

        Raises:
            UserError: unknown names, or nothing to compute it on.
        """

    @abstractmethod
    def run(self, request: R, store: Store, execution: Execution) -> T:
        """Compute what is missing and keep it; what it needs is there.

        Raises:
            UserError: a mistake that the user can mend.
            Cancelled: the user stopped it; finished parts are kept, and the same request goes on from them.
        """

    @abstractmethod
    def find(self, request: R, store: Store) -> T | None:
        """The result from the store alone; None where a part of it is missing."""

    @abstractmethod
    def columns(self, found: T) -> Sequence[str]:
        """Names of the columns of `rows`."""

    @abstractmethod
    def rows(self, found: T) -> Iterable[Row]:
        """The table of `--out` and of downloads; what is not known is None."""

    def description(self, found: T) -> Row:
        """Everything beside the rows, as JSON takes it."""
        return {}

    def report(self, found: T, verbose: bool) -> Iterator[str | Table]:
        """What the command line shows: lines and tables; by default the rows."""
        columns = tuple(self.columns(found))
        cells = tuple(tuple(row.get(name) for name in columns) for row in self.rows(found))
        yield Table("", columns, cells)

    def shipped(self, network: str, dataset: str) -> Sequence[R]:
        """Requests whose results the demo's bundle holds; by default none."""
        return ()


class BoundedAnalysis(Analysis[R, T]):
    """One that can also give the best result that a bound on the time allows."""

    @abstractmethod
    def within(self, request: R, store: Store, execution: Execution, seconds: float) -> T:
        """As `run`, stopped after so many seconds; the result says what there was no time for.

        Raises:
            UnitscopeError: nothing at all was found in that time; finished parts are kept.
        """


@dataclass(frozen=True)
class Entry:
    """An analysis in the registry: what command lines and waiting jobs know of it before anything is loaded.

    Attributes:
        name: of the analysis, of its jobs, and of its requests (`Request.analysis`).
        summary: one line for the command line's help.
        request: the type of its requests.
        code: the `Analysis`, or "package.module:Class", where importing it takes a while.
        command: what it is called on the command line; by default its name.
        sharded: whether it is asked into how many shards its passes are cut (`--shards`).
        bounded: whether it is a `BoundedAnalysis` (`--time`).
        spread: whether other processes can compute for it, or for what it needs (`--workers`, `--scheduler`).
    """

    name: str
    summary: str
    request: type[Request]
    code: type[Analysis[Any, Any]] | str
    command: str = ""
    sharded: bool = False
    spread: bool = False
    bounded: bool = False

    @property
    def called(self) -> str:
        """Its name on the command line."""
        return self.command or self.name

    def load(self) -> Analysis[Any, Any]:
        """The analysis itself."""
        if not isinstance(self.code, str):
            return self.code()
        module, _, name = self.code.partition(":")
        made: Analysis[Any, Any] = getattr(importlib.import_module(module), name)()
        return made
