"""A record made from parts, each kept until all are done: a run that was cut off goes on from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import torch

from interpret_core.runtime.execution import Execution
from interpret_core.runtime.executors.base import Found, Work
from interpret_core.runtime.openings import NetworkOnData, Opened
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import MOST_SHARDS, Shard, Shards, Stage, apart, split, sweep
from interpret_core.store.records import Arrays, Record
from interpret_core.store.store import Store

M = TypeVar("M")
WHOLE = "all"  # under which a piece's arrays lie where no layers are kept apart


@dataclass(frozen=True, eq=False)
class Pieces(Generic[M]):
    """A pass over images, in pieces that any process may compute, in any order.

    Attributes:
        name: tells the pass from others of the same record; holds what changes what its pieces give and is
            not in the record's key.
        stage: what the progress calls it.
        work: computes a piece; what it gives lies under WHOLE.
        pieces: numbers of batches. What is asked for alone decides them, so that what is joined from them is
            the same whoever computes.
        steps: what a piece counts for in the progress.
        exact: whether a piece is the same on every kind of processor.
    """

    name: str
    stage: str
    work: Work[M, Shard]
    pieces: Sequence[Shard]
    steps: Callable[[Shard], int]
    exact: bool = False


class Parts:
    """The parts of one record: found, or computed.

    Args:
        store: where they are kept.
        run: key under which they are.
        execution: who computes them.
        reporter: told of parts that are there, and asked to stop.
        records: keys of what is made from them.
    """

    def __init__(
        self, store: Store, run: str, execution: Execution, reporter: Reporter, records: Sequence[str]
    ) -> None:
        self._store, self._run, self._execution, self._reporter = store, run, execution, reporter
        self._records = records

    def of(self, asked: Pieces[Any]) -> Iterator[Arrays]:
        """What each piece gave, in the pieces' order; all are computed at once, and read one by one.

        Raises:
            Cancelled: the user stopped it; finished parts are kept.
            RoundDoneError: other runs have to do their share first.
        """
        device = torch.device(asked.work.opening.device)
        kind = "" if asked.exact else self._execution.executor.kind(device).name
        shards = Shards(self._store, self._run, self._execution, kind, self._reporter, self._records)
        stage = Stage(
            asked.name,
            (WHOLE,),
            lambda piece: self._reporter.advance(asked.stage, asked.steps(piece)),
            asked.work,
        )
        return (load(WHOLE) for load in shards.all(stage, asked.pieces))


def record_of(
    store: Store, key: str, make: Callable[[Parts], Record], execution: Execution, reporter: Reporter
) -> Record:
    """The record under a key, made once, whoever else asks for it.

    Args:
        store: where the record and its parts are kept.
        key: holds everything that changes the record, and therefore its parts.
        make: makes it from parts, whose passes it asks for one after the other.
        execution: who computes the parts.
        reporter: told of parts that are there; asked to stop.

    Raises:
        Cancelled: the user stopped it; finished parts are kept.
    """
    run = run_of(key)

    def made() -> Record:
        sweep(store, run)
        return make(Parts(store, run, execution, reporter, [key]))

    record = store.compute(key, made, reporter.cancelled)
    forget(store, run)
    return record


def unkept(asked: Pieces[Any]) -> Iterator[Arrays]:
    """The same as `Parts.of`, computed in this process as it is asked for, and kept nowhere."""
    return (asked.work.here(piece, Reporter())[WHOLE] for piece in asked.pieces)


def run_of(key: str) -> str:
    """Where the parts of a record lie."""
    return f"partial/{key.replace('/', '-')}"


def forget(store: Store, run: str) -> None:
    """Delete the parts of what is kept."""
    for one in store.keys(run):
        store.delete(one)


def batches_in_pieces(number: int) -> list[Shard]:
    """So many batches in as few pieces as there may be, and one each where they are fewer."""
    return split(range(number), MOST_SHARDS)


def in_batches(
    opened: Opened,
    task: Callable[[Opened, Any, Shard, Reporter], Found],
    given: Any,
    join: Callable[[Sequence[Found]], Found],
) -> Work[Opened, Shard]:
    """What is done with pieces of batches on a network and a data set; see `Work`.

    Args:
        opened: both, as this process has them open.
        task: as of `Work`.
        given: as of `Work`.
        join: as of `Work`.
    """
    return Work(NetworkOnData.of(*opened), task, given, apart, join, opened)


@dataclass(frozen=True)
class SideBySide:
    """Puts what the batches of a piece gave together, in their order.

    Attributes:
        axes: array -> axis along which its batches lie.
    """

    axes: dict[str, int]

    def __call__(self, found: Sequence[Found]) -> Found:
        """What the piece gives."""
        return {WHOLE: self.arrays([one[WHOLE] for one in found])}

    def arrays(self, found: Sequence[Arrays]) -> Arrays:
        """The same of bare arrays."""
        return {name: np.concatenate([one[name] for one in found], self.axes[name]) for name in found[0]}
