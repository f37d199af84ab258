"""A run is cut into pieces whose results add up; an executor has them computed, in whatever order and place.

What a piece is computed on (a network, a data set) is never sent: every process finds and opens it by itself,
once, and checks that it is the same (`Opening`). What is sent is what the passes before have found out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

import torch

from interpret_core.runtime.executors.kind import ProcessorKind
from interpret_core.runtime.reporter import Reporter
from interpret_core.store.records import Arrays

Found = Mapping[str, Arrays]  # by layer, or by whatever a pass keeps apart
M = TypeVar("M")
M_co = TypeVar("M_co", covariant=True)
P = TypeVar("P")


class Opening(Protocol[M_co]):
    """How a process finds what pieces are computed on; small, and the same for every pass of a run."""

    @property
    def name(self) -> str:
        """Equal ones open the same."""
        ...

    @property
    def device(self) -> str:
        """Type of the device that computes."""
        ...

    def open(self) -> M_co:
        """Open it in this process.

        Raises:
            UserError: it is not there, or it is another one than in the process that asks.
        """
        ...


@dataclass(frozen=True, eq=False)
class Work(Generic[M, P]):
    """What is done with a piece, in any process.

    Attributes:
        opening: how to find what it is done on.
        task: a module's function of that, `given`, the piece and a reporter; it advances the reporter.
        given: what all pieces need; can be pickled.
        apart: cuts a piece into so many smaller ones, fewer where it has not as many parts.
        join: what a piece gives, from what its smaller ones gave; called with neighbours, in their order.
        material: what `opening` opens, in a process that has it open; not sent.
    """

    opening: Opening[M]
    task: Callable[[M, Any, P, Reporter], Found]
    given: Any
    apart: Callable[[P, int], Sequence[P]]
    join: Callable[[Sequence[Found]], Found]
    material: M | None = field(default=None, repr=False)

    def here(self, piece: P, reporter: Reporter) -> Found:
        """A piece, computed in this process."""
        material = self.opening.open() if self.material is None else self.material
        return self.task(material, self.given, piece, reporter)

    def sent(self) -> Work[M, P]:
        """The same as it can be sent."""
        return replace(self, material=None)


def whole(piece: P, number: int) -> Sequence[P]:
    """A piece that is not cut any smaller."""
    return (piece,)


def cuts(pieces: int, workers: int, each: int) -> int:
    """Into how many each of so many pieces is cut, for every worker to have enough to do until the end.

    Args:
        pieces: how many there are.
        workers: how many there are.
        each: pieces a worker, at least, where they can be cut: the more there are, the less others wait for
            the last one, and the more has to be sent and added.
    """
    return max(1, -(-each * workers // max(1, pieces)))


def only(found: Sequence[Found]) -> Found:
    """What such a piece gives."""
    (one,) = found
    return one


class Executor(ABC):
    """Has pieces computed. Used as a context: leaving it ends what it has started."""

    @property
    def dashboard(self) -> str:
        """Address of pages on which one sees it at work; empty where there are none."""
        return ""

    @abstractmethod
    def kind(self, device: torch.device) -> ProcessorKind:
        """Of the processes that compute, for a run on a device."""

    def own(self, number: int) -> bool:
        """Whether the piece of this number is to be computed in this run; the others are, in other runs.

        Args:
            number: its place among all pieces of its pass, those that are there included.
        """
        return True

    def round_ends(self, own: int, missing: int, last: bool) -> bool:
        """Whether this run goes no further after a pass.

        Args:
            own: pieces that it has computed.
            missing: pieces that were not there before.
            last: whether no further pass follows.
        """
        return False

    @abstractmethod
    def results(
        self, work: Work[Any, P], pieces: Sequence[P], reporter: Reporter, done: Callable[[P], None]
    ) -> Iterator[tuple[P, Found]]:
        """Each piece with what it gave, as soon as it is there.

        Args:
            work: what is done with each.
            pieces: in the order in which they are begun.
            reporter: asked to stop; advanced by pieces that are computed in this process.
            done: told of pieces that were computed elsewhere.

        Raises:
            Cancelled: the user stopped it.
        """

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:  # noqa: B027  # most have started nothing
        """End what was started; the next pass starts it again."""


class Here(Executor):
    """This process, piece by piece."""

    def kind(self, device: torch.device) -> ProcessorKind:
        """This process's."""
        return ProcessorKind.here(device)

    def results(
        self, work: Work[Any, P], pieces: Sequence[P], reporter: Reporter, done: Callable[[P], None]
    ) -> Iterator[tuple[P, Found]]:
        """One after the other."""
        for piece in pieces:
            yield piece, work.here(piece, reporter)


HERE = Here()
