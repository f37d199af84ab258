"""Workers of a Dask cluster, on this machine or others.

Network and data set are found by each worker under their names, in its own configuration, loaded once and
checked; they are never sent. What earlier passes found out is sent once, past the scheduler, and on from
worker to worker. A piece is cut into smaller ones, whose results are added up on the workers; this process
fetches one sum per piece, past the scheduler, too. What a lost worker had is computed again by others.
"""

from __future__ import annotations

import itertools
import logging
import statistics
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import torch

from interpret_core.errors import UserError
from interpret_core.runtime.executors.base import Executor, Found, Work, cuts
from interpret_core.runtime.executors.failures import sendable
from interpret_core.runtime.executors.kind import ProcessorKind
from interpret_core.runtime.executors.opened import performed
from interpret_core.runtime.reporter import Reporter

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as AnyFuture

    Future: TypeAlias = AnyFuture[Any]

logger = logging.getLogger(__name__)
P = TypeVar("P")
LOOK = 0.5  # seconds between two looks at whether to stop
MEET = 5.0  # seconds between two looks at who has come and gone: each is a message to the scheduler
CONNECT = 20.0  # seconds until somebody must have answered
LOSSES = 3  # times that a piece may be lost with its workers
AHEAD = 2  # pieces a worker, so that none waits for the next one
WIDTH = 4  # results that are added up at a time
SLOW, SURE = 4.0, 5  # times as long as the median of so many: the piece is begun once more


class ClusterError(UserError):
    """The cluster cannot be reached, has no worker that fits, or lost too many."""


class OtherKindError(ClusterError):
    """A worker that has just come is of another kind than the others."""


@dataclass
class _Piece:
    """One that is under way.

    Attributes:
        number: its place among the pieces.
        futures: of its sum; two once it was begun again.
        places: the only workers that may have it; empty where all may.
        since, losses: when it was begun, and how often it was lost.
    """

    number: int
    futures: list[Future]
    places: frozenset[str]
    since: float = field(default_factory=time.monotonic)
    losses: int = 0


class Cluster(Executor):
    """The workers of one kind of the cluster whose scheduler listens at an address.

    Args:
        address: such as tcp://10.0.0.1:8786.

    Raises:
        ClusterError: Dask is not installed, nobody answers there, or no worker came in `CONNECT` seconds.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: Client | None = None
        self._kind: ProcessorKind | None = None
        self._kinds: dict[str, ProcessorKind] = {}
        self._met = float("-inf")

    @property
    def dashboard(self) -> str:
        """Address of Dask's own pages; empty where it has none."""
        return str(self._connected().dashboard_link or "")

    def end(self) -> None:
        """Leave; the cluster goes on."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def kind(self, device: torch.device) -> ProcessorKind:
        """That of most workers; the others are left out, which the log says."""
        end = time.monotonic() + CONNECT
        while self._kind is None:
            self._meet(device.type)
            kinds = list(self._kinds.values())
            self._kind = max(kinds, key=kinds.count) if kinds else None
            if self._kind is None and time.monotonic() > end:
                raise ClusterError(
                    f"The cluster at {self.address} has no worker, expected at least one: start some, for "
                    f"example with `dask worker {self.address} --nthreads 1`."
                )
            time.sleep(0 if self._kind else LOOK)
        return self._kind

    def results(
        self, work: Work[Any, P], pieces: Sequence[P], reporter: Reporter, done: Callable[[P], None]
    ) -> Iterator[tuple[P, Found]]:
        """As they come; one that takes much longer than the others is begun once more, elsewhere.

        Raises:
            ClusterError: a piece was lost again and again.
        """
        run = _Run(self, self._connected(), work, pieces)
        try:
            while run.begin_next() or run.waiting:
                for number, found in run.ready():
                    done(pieces[number])
                    yield pieces[number], found
                reporter.check()
        finally:
            run.end()

    def fitting(self, device: torch.device) -> tuple[list[str], bool]:
        """Addresses of the workers that may compute, new ones among them; and whether all may."""
        self._meet(device.type)
        found = [worker for worker, kind in self._kinds.items() if kind == self.kind(device)]
        return found, len(found) == len(self._kinds)

    def _meet(self, device: str) -> None:
        """Ask the workers that have come which kind they are; forget those that have gone."""
        if self._kinds and time.monotonic() < self._met + MEET:
            return
        client = self._connected()
        self._met = time.monotonic()
        there = set(client.nthreads())
        self._kinds = {worker: kind for worker, kind in self._kinds.items() if worker in there}
        new = sorted(there - set(self._kinds))
        if not new:
            return
        try:
            found = client.run(kind_of, device, workers=new, on_error="ignore")
        except OSError:  # gone again
            self._met = float("-inf")
            return
        for worker, kind in found.items():
            self._kinds[worker] = kind
            if self._kind is not None and (why := self._kind.differences(kind)):
                logger.warning("Worker %s is left out, it computes other last bits: %s.", worker, why)

    def _connected(self) -> Client:
        if self._client is None:
            try:
                from distributed import Client
            except ImportError as error:
                raise ClusterError("Dask is not installed: pip install distributed.") from error
            try:
                self._client = Client(self.address, timeout=CONNECT, set_as_default=False)
            except (OSError, ValueError) as error:
                raise ClusterError(
                    f"No Dask scheduler answers at {self.address!r} ({error}), expected one at an address "
                    "such as tcp://10.0.0.1:8786: start it with `dask scheduler`."
                ) from error
        return self._client


class _Run:
    """The pieces of one pass."""

    def __init__(self, cluster: Cluster, client: Client, work: Work[Any, Any], pieces: Sequence[Any]) -> None:
        self._cluster, self._client, self._work, self._pieces = cluster, client, work, pieces
        self._device = torch.device(work.opening.device)
        self._kind = cluster.kind(self._device)
        self.waiting: dict[int, _Piece] = {}
        self._following = iter(range(len(pieces)))
        self._taken: list[float] = []
        self._sent: Future | None = None
        self._keys = (f"{uuid.uuid4().hex[:8]}-{number}" for number in itertools.count())

    def begin_next(self) -> bool:
        """Begin as many pieces as keep the workers busy; whether any was begun."""
        begun = False
        workers, every = self._cluster.fitting(self._device)
        for one in self.waiting.values():
            if one.places and not one.places & set(workers):
                self._again(one)
        while workers and len(self.waiting) < AHEAD * len(workers):
            number = next(self._following, None)
            if number is None:
                break
            places = frozenset() if every else frozenset(workers)
            self.waiting[number] = _Piece(number, [self._begun(number, places)], places)
            begun = True
        self._hasten(len(workers))
        return begun

    def ready(self) -> Iterator[tuple[int, Found]]:
        """What is there, after a short wait; what was lost is begun again."""
        from distributed import wait

        futures = [future for one in self.waiting.values() for future in one.futures]
        try:
            with self._client.as_current():
                wait(futures, timeout=LOOK, return_when="FIRST_COMPLETED")
        except TimeoutError:
            return
        for one in list(self.waiting.values()):
            first = next((future for future in one.futures if future.status == "finished"), None)
            if first is not None:
                found = self._fetched(first)
                if found is not None:
                    self._client.cancel([future for future in one.futures if future is not first])
                    del self.waiting[one.number]
                    self._taken.append(time.monotonic() - one.since)
                    yield one.number, found
            elif all(future.status in ("error", "lost", "cancelled") for future in one.futures):
                self._again(one)

    def end(self) -> None:
        """Let go of everything."""
        left = [future for one in self.waiting.values() for future in one.futures]
        self.waiting.clear()
        self._client.cancel(left, force=True)
        self._sent = None

    def _fetched(self, future: Future) -> Found | None:
        """A result; None where its worker was lost at this very moment: it is computed again."""
        from distributed import CancelledError

        try:
            found: Found = self._client.gather(future, direct=True)
        except (OSError, CancelledError, TimeoutError):
            return None
        return found

    def _again(self, one: _Piece) -> None:
        """Begin a piece anew that was lost; what went wrong in its computation is raised."""
        from distributed import CancelledError, KilledWorker

        error = one.futures[0].exception() if one.futures[0].status == "error" else None
        if error is not None and not isinstance(error, KilledWorker | CancelledError | OtherKindError):
            raise error
        one.losses += 1
        if one.losses == LOSSES:
            raise ClusterError(
                f"A piece was lost {LOSSES} times with the workers that had it; finished ones are kept. As a "
                f"rule they have too little memory or disk: see their logs, or {self._cluster.dashboard}."
            )
        self._client.cancel(one.futures)
        self._sent = None  # it may have been lost, too
        workers, every = self._cluster.fitting(self._device)
        one.places = frozenset() if every else frozenset(workers)
        one.futures, one.since = [self._begun(one.number, one.places)], time.monotonic()

    def _hasten(self, workers: int) -> None:
        """Begin pieces once more that take far longer than the others, where somebody has nothing to do."""
        if len(self._taken) < SURE or len(self.waiting) >= workers:
            return
        late = SLOW * statistics.median(self._taken)
        for one in self.waiting.values():
            if len(one.futures) == 1 and time.monotonic() - one.since > late:
                idle = [worker for worker, tasks in self._client.processing().items() if not tasks]
                places = frozenset(idle) & one.places if one.places else frozenset(idle)
                if places:
                    logger.info("Piece %d takes long and is begun once more.", one.number)
                    one.futures.append(self._begun(one.number, places))

    def _begun(self, number: int, places: Collection[str]) -> Future:
        """The future of a piece: the sum of its smaller pieces, added up a few at a time."""
        if self._sent is None:
            self._sent = self._client.scatter(
                _Sent(self._work.sent(), self._kind), broadcast=True, direct=True, hash=False
            )
        only: dict[str, Any] = {"workers": list(places)} if places else {}

        def begin(function: Callable[..., Any], *given: Any) -> Future:
            # Dask's own keys are three times as long, and named in ten messages.
            return self._client.submit(function, self._sent, *given, key=next(self._keys), **only)

        each = cuts(len(self._pieces), len(self._cluster.fitting(self._device)[0]), AHEAD)
        small = self._work.apart(self._pieces[number], each)
        level = [begin(perform, piece) for piece in small]
        while len(level) > 1:
            level = [begin(add, *level[start : start + WIDTH]) for start in range(0, len(level), WIDTH)]
        return level[0]


def kind_of(device: str) -> ProcessorKind:
    """This worker's, for a run on a device."""
    return ProcessorKind.here(torch.device(device))


@dataclass(frozen=True)
class _Sent:
    """What every worker gets once for a pass, past the scheduler."""

    work: Work[Any, Any]
    kind: ProcessorKind


def perform(sent: _Sent, piece: Any) -> Found:
    """A small piece, on a worker.

    Raises:
        OtherKindError: the worker is of another kind.
        ClusterError: what the worker's machine refuses, with the worker's name.
    """
    from distributed import get_worker

    torch.set_num_threads(sent.kind.threads)  # of this thread, which is one of Dask's
    if why := sent.kind.differences(ProcessorKind.here(torch.device(sent.work.opening.device))):
        raise OtherKindError(f"Worker {get_worker().address} is of another kind: {why}.")
    try:
        return performed(sent.work, piece)
    except OSError as error:
        raise ClusterError(
            f"Worker {get_worker().address}: {error}. Finished pieces are kept; the same request goes on."
        ) from error
    except Exception as error:
        raise sendable(error) from None


def add(sent: _Sent, *found: Found) -> Found:
    """Results of small pieces, as one."""
    return sent.work.join(found)
