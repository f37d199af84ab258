"""Taking away and putting back what was added on a page, while no job needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from interpret_core.errors import ParameterError
from interpret_core.uploads.additions import Additions
from interpret_core.uploads.names import name_problem
from interpret_core.uploads.places import Removal
from ui.access import audit
from ui.session import work
from ui.session.memory import again


@dataclass(frozen=True)
class AdditionActs:
    """What a visitor does with additions of a kind.

    Attributes:
        kind: as addresses and requests call it, "network" or "dataset".
        what: in words.
        folder: of all of them; a ParameterError where this visitor may not.
        known: all names that mean one already, wherever they come from.
    """

    kind: str
    what: str
    folder: Callable[[], Additions[Any]]
    known: Callable[[], Iterable[str]]

    def unusable(self, name: str) -> str:
        """Why a new one cannot be called so; empty where it can."""
        return name_problem(name, self.known(), self.what)

    def at_work(self, name: str) -> bool:
        """Whether a job waits or runs that needs it."""
        return bool(work.needed(self.kind, name))

    def require_free(self, name: str) -> None:
        """Raise a ParameterError where a name cannot be given to a new one, or a job needs it."""
        self._require(self.unusable(name) or work.needed(self.kind, name))

    def remove(self, name: str) -> None:
        """Take one away.

        Raises:
            UserError: a job needs it, or it is gone already; one clear line.
        """
        self._require(work.needed(self.kind, name))
        self.folder().remove(name)
        self.noted("removed", name)

    def put_back(self, removed: Removal) -> None:
        """Undo that.

        Raises:
            UserError: its name is taken now or needed by a job, or it is gone for good; one clear line.
        """
        self.require_free(removed.name)
        self.folder().put_back(removed)
        self.noted("put back", removed.name)

    def noted(self, act: str, name: str) -> None:
        """Write down what was done, and have all pages look anew."""
        audit.note(f"{self.what} {act}", **{self.kind: name})
        again()

    @staticmethod
    def _require(problem: str) -> None:
        if problem:
            raise ParameterError(problem)
