"""The best relevance that a bound on the time allows: a first look at every class, then finer paths.

Each turn is a request of its own, with other numbers of gradients and all else the same, so that all that is
shown can be computed again without a bound. The first has a quarter of those to begin with: units keep their
order for the most part, and a large network has a number for every class early. Then come those to begin
with, and twice as many each time. Classes with most images come first in each turn, and those whose paths are
complete already take part in no further one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from interpret_core import datasets
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.outcome import Related
from interpret_core.analyses.relevance.plan import RelevancePlan, plan
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.classes.known import NeedsSurvey
from interpret_core.errors import Cancelled, ParameterError, UnitscopeError
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store

COARSE, LEAST = 4, 2  # a first look has so much fewer gradients, and so many at least


class OutOfTimeError(UnitscopeError):
    """Not even one class could be computed."""


def run_within(
    request: RelevanceRequest,
    store: Store,
    execution: Execution,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Related:
    """What of a request can be had in so many seconds; a class that is stored in full takes none.

    Args:
        request: what is asked for; its `most_points` are the most that are tried.
        store: where results and finished parts are kept.
        execution: device, executor, progress and cancellation.
        seconds: that computing may take, loading included; what is at work when they are over is stopped.
        clock: of seconds.

    Raises:
        ParameterError: no positive number of seconds.
        OutOfTimeError: they were not enough for any class; finished parts are kept.
        Cancelled: the user stopped it.
        UserError: as of `run_relevance`.
    """
    if not seconds > 0:
        raise ParameterError(f"The time is {seconds:g} s, but expected more than 0: 60s, 5m or 1h.")
    turns = _Turns(request, store, execution, seconds, clock)
    for asked in _refined(request):
        if not turns.take(asked):
            break
    return turns.outcome()


def _refined(request: RelevanceRequest) -> Iterator[RelevanceRequest]:
    """The request with few gradients, then with those to begin with, then with twice as many at most."""
    few = max(LEAST, request.points // COARSE)
    if few < request.points:
        yield replace(request, points=few, most_points=few)
    most = request.points if request.tolerance else request.most_points  # without one, nothing is refined
    while most < request.most_points:
        yield replace(request, most_points=most)
        most *= 2
    yield request


@dataclass
class _Turns:
    """What has been found so far.

    Attributes:
        seconds: that there are, by `clock`.
        best: the finest relevance of each class.
        unusable: why no image of a class can be used.
        problem: what ended it before its time.
        computed: names of those that were not stored.
    """

    request: RelevanceRequest
    store: Store
    execution: Execution
    seconds: float
    clock: Callable[[], float]
    best: dict[str, ClassRelevance] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    computed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._start = self.clock()
        self.execution.tell("reading the data set's digest", 0, 0)
        try:
            datasets.open_dataset(self.request.dataset).compute_digest(cancelled=self._stopped)
        except Cancelled:
            if self.execution.cancelled():
                raise
            raise self._out_of_time() from None
        for asked in _refined(self.request):
            if (planned := self._plan(asked)) is not None:
                self._take(planned, ())

    def take(self, asked: RelevanceRequest) -> bool:
        """Every class that a turn can improve; whether there was time for all of them."""
        planned = self._plan(asked)
        if planned is not None:
            names = tuple(one.name for one in planned.classes if not self._settled(one.name, asked))
            if not names:
                return True
            asked = replace(asked, classes=names)
        missing = planned.missing(self.store) if planned else None
        try:
            run_relevance(asked, self.store, replace(self.execution, cancelled=self._stopped))
        except Cancelled:
            if self.execution.cancelled():
                raise
            in_time = False
        except UnitscopeError as error:
            if not self.best:
                raise
            self.problem, in_time = str(error), False  # what was found before it is worth showing
        else:
            in_time = True
        planned = self._plan(asked)
        if planned is not None:
            self._take(planned, missing)
        return in_time

    def outcome(self) -> Related:
        """What was found, by class, and what there was no time for."""
        planned = self._plan(self.request)
        if planned is None or not self.best:
            raise self._out_of_time()
        left_out = dict(planned.left_out(self.store)) | self.unusable
        known = {*self.best, *left_out}
        why = self.problem or f"no time left within {self.seconds:g} s"
        late = [(one.name, why) for one in planned.classes if one.name not in known]
        found = {one.name: self.best[one.name] for one in planned.classes if one.name in self.best}
        spent = self.clock() - self._start
        return Related(planned, found, tuple(self.computed), (*left_out.items(), *late), spent)

    def _out_of_time(self) -> OutOfTimeError:
        return OutOfTimeError(
            f"{self.seconds:g} s were not enough for the relevance of one class of {self.request.dataset}; "
            "finished parts are kept: give it more time, fewer layers (--layers) or fewer images (--images)."
        )

    def _settled(self, name: str, asked: RelevanceRequest) -> bool:
        """Whether a turn would improve nothing: it is as fine already, or every path is complete."""
        found = self.best.get(name)
        if found is None:
            return name in self.unusable
        complete = found.metadata["first_points"] >= self.request.points and not found.flagged.any()
        return complete or bool(found.metadata["most_points"] >= asked.most_points)

    def _stopped(self) -> bool:
        return self.execution.cancelled() or self.clock() - self._start > self.seconds

    def _plan(self, asked: RelevanceRequest) -> RelevancePlan | None:
        try:
            return plan(asked, self.store)
        except NeedsSurvey:
            return None

    def _take(self, planned: RelevancePlan, missing: tuple[str, ...] | None) -> None:
        """Keep what is stored of a turn, which is finer than what was kept of earlier ones."""
        found = planned.find(self.store)
        for name in found:
            if (missing is None or name in missing) and name not in self.computed:
                self.computed.append(name)
        self.best |= found
        self.unusable |= dict(planned.left_out(self.store))
