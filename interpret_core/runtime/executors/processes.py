"""Processes beside this one, of few threads each: on many cores faster than one with all threads.

Each worker has a pipe of its own, which ends with it: whoever kills one, also in the middle of an answer,
leaves nobody waiting.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, TypeVar

import torch

from interpret_core import machine
from interpret_core.errors import ParameterError, UnitscopeError
from interpret_core.runtime.executors.base import Executor, Found, Work, cuts
from interpret_core.runtime.executors.failures import sendable
from interpret_core.runtime.executors.kind import ProcessorKind, compute_with
from interpret_core.runtime.executors.opened import performed
from interpret_core.runtime.reporter import Reporter

P = TypeVar("P")
EACH = 8  # pieces a worker: sending and adding up takes little beside a batch
DEATHS = 3  # of workers in one pass; then something is wrong with what is computed
LOOK = 0.5  # seconds between two looks at whether to stop


class WorkerDiedError(UnitscopeError):
    """Workers ended again and again without an answer."""


@dataclass
class _Worker:
    """A process; `number` is that of the piece it has, None while it has none."""

    process: SpawnProcess
    pipe: Connection
    number: int | None = None


@dataclass
class _Cut:
    """Pieces cut into smaller ones, and what has come of those whose neighbours are not there yet.

    Attributes:
        work: what is done with each.
        smaller: of every piece, in its order.
    """

    work: Work[Any, Any]
    smaller: list[Sequence[Any]]
    _there: dict[int, dict[int, Found]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places = [
            (place, part) for place, parts in enumerate(self.smaller) for part in range(len(parts))
        ]
        self.pieces = [self.smaller[place][part] for place, part in self._places]

    def whole(self, number: int, found: Found) -> Iterator[tuple[int, Found]]:
        """Take in a small piece's result; the place and result of its piece, if that is the last of it."""
        place, part = self._places[number]
        there = self._there.setdefault(place, {})
        there[part] = found
        if len(there) == len(self.smaller[place]):
            del self._there[place]
            yield place, self.work.join([there[part] for part in sorted(there)]) if len(there) > 1 else found


class Processes(Executor):
    """So many workers.

    Args:
        workers: at least one.
        threads: of each; by default the cores there are, shared out.

    Raises:
        ParameterError: fewer than one.
    """

    def __init__(self, workers: int, threads: int | None = None) -> None:
        if workers < 1 or (threads is not None and threads < 1):
            raise ParameterError(
                f"{workers} workers of {threads or 'some'} threads were asked for, expected at least 1."
            )
        self.workers, self.threads = workers, threads or max(1, machine.cores() // workers)
        self._there: list[_Worker] = []

    def kind(self, device: torch.device) -> ProcessorKind:
        """This process's, with the workers' threads."""
        return ProcessorKind.here(device, self.threads)

    def end(self) -> None:
        """End the workers."""
        there, self._there = self._there, []
        for one in there:
            one.process.terminate()
            one.pipe.close()
        for one in there:
            one.process.join(10)

    def results(
        self, work: Work[Any, P], pieces: Sequence[P], reporter: Reporter, done: Callable[[P], None]
    ) -> Iterator[tuple[P, Found]]:
        """As they come; a piece whose worker ended is given to another one.

        Raises:
            WorkerDiedError: that happened `DEATHS` times.
        """
        each = cuts(len(pieces), self.workers, EACH)
        cut = _Cut(work, [work.apart(piece, each) for piece in pieces])
        left, deaths, finished = deque(range(len(cut.pieces))), 0, 0
        with tempfile.TemporaryDirectory(prefix="unitscope-") as folder:
            path = Path(folder) / "work"  # once for all pieces
            path.write_bytes(pickle.dumps(work.sent(), protocol=5))
            try:
                while finished < len(pieces):
                    self._give(left, path, cut.pieces)
                    for one in self._answering():
                        number, one.number = one.number, None
                        try:
                            answer = one.pipe.recv()
                        except (EOFError, OSError):
                            deaths += 1
                            self._bury(one)
                            left.extendleft([] if number is None else [number])
                            continue
                        if isinstance(answer, BaseException):
                            raise answer
                        done(cut.pieces[number or 0])
                        for place, found in cut.whole(number or 0, answer):
                            finished += 1
                            yield pieces[place], found
                    if deaths >= DEATHS:
                        raise WorkerDiedError(
                            f"Workers ended {deaths} times without an answer; {len(pieces) - finished} of "
                            f"{len(pieces)} pieces are left, finished ones are kept. As a rule there is too "
                            "little memory: choose fewer workers, or a smaller batch size."
                        )
                    reporter.check()
            except BaseException:  # whoever stops, or asks no further, waits for nobody
                self.end()
                raise

    def _give(self, left: deque[int], path: Path, pieces: Sequence[Any]) -> None:
        """A piece to everybody who has none."""
        while left and len(self._there) < min(self.workers, len(left) + len(self._there)):
            self._there.append(_started(self.threads))
        for one in self._there:
            if one.number is None and left:
                one.number = left.popleft()
                with contextlib.suppress(OSError):  # it has ended, which the next look finds out
                    one.pipe.send((str(path), pieces[one.number]))

    def _answering(self) -> list[_Worker]:
        """Workers that have answered or ended, after a short wait."""
        ready = wait([one.pipe for one in self._there if one.number is not None], timeout=LOOK)
        return [one for one in self._there if one.pipe in ready]

    def _bury(self, one: _Worker) -> None:
        self._there.remove(one)
        one.pipe.close()
        one.process.join(10)


def _started(threads: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, threads, os.getpid()), daemon=True)
    process.start()
    theirs.close()  # the pipe ends with the worker
    return _Worker(process, ours)


def serve(pipe: Connection, threads: int, parent: int) -> None:
    """What a worker does: piece after piece, until whoever has started it ends."""
    compute_with(threads)
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()
    sent: tuple[str, Work[Any, Any]] | None = None
    while True:
        try:
            path, piece = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            if sent is None or sent[0] != path:
                sent = path, pickle.loads(Path(path).read_bytes())  # noqa: S301  # its parent's file
            answer: Any = performed(sent[1], piece)
        except Exception as error:
            answer = sendable(error)
        try:
            pipe.send(answer)
        except OSError:  # nobody is there any more
            return
        except Exception as error:  # an answer that cannot be sent
            pipe.send(sendable(error))


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os._exit(1)
