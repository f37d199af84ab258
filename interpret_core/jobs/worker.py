"""A job's own process: run, and write down how it went."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from interpret_core.errors import Cancelled, UnitscopeError
from interpret_core.jobs import processes, state
from interpret_core.jobs.forecast import Forecast
from interpret_core.jobs.heartbeat import Heartbeat
from interpret_core.jobs.settings import runner, settings
from interpret_core.jobs.state import Job, change, load
from interpret_core.store.store import Store

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
Runner = Callable[[dict[str, Any], Store, Progress, Callable[[], bool]], None]

PACE = 0.25  # seconds between two counts written down
WRITES_A_SECOND = 5
EXIT = {"done": 0, "failed": 1, "cancelled": 3}


def work(store: Store, identity: str, token: str) -> int:
    """Run one job to its end, in this process, which holds the job's lease; returns the exit status.

    Args:
        store: where the state and the request lie.
        identity: the job's id. The request is taken only if it has this digest (`load` sees to it): the id
            came on the command line from whoever pressed the button, the request through a folder that
            others may write to.
        token: what the scheduler wrote into the job's record before it started this process; it is what this
            process may write there with.
    """
    stop = _Stop()
    signal.signal(signal.SIGTERM, stop)
    os.nice(settings().nice)
    own = processes.known(os.getpid())
    if not token or not _write(store, identity, token, lambda _: own):
        logger.error("Job %s is not for this process: ended.", identity)
        return 1
    job = load(store, identity)
    if job is None:
        return 1
    progress = _Progress(store, identity, token, stop)

    def perform() -> None:
        target = runner()
        (_imported(target) if target else partial(_analysed, job.kind, progress))(
            job.request, store, progress, stop.asked
        )

    with Heartbeat(store, identity, token, stop.ask):
        how, message = _outcome(perform, stop)
    _write(store, identity, token, lambda found: {**progress.latest, **_ended(found, how, message)})
    return EXIT[how]


def _ended(job: Job, how: str, message: str) -> dict[str, Any]:
    """What the end changes; who was stopped by the system, and not by its owners, goes on another time."""
    if how == "cancelled" and job.cancel_requested is None:
        return state.waiting() | {"attempts": job.attempts - 1}
    return state.ended(job, how, message)


def _outcome(function: Callable[[], None], stop: _Stop) -> tuple[str, str]:
    """State and message that running a function leads to."""
    try:
        function()
    except Cancelled as error:
        return ("cancelled", "") if stop.asked() else ("failed", str(error))
    except (Exception, SystemExit) as error:  # whatever it is, the user gets a line and the log the rest
        logger.exception("The job ended early.")  # and not a plain print, which fails itself on a full disk
        if stop.asked():
            return "cancelled", ""  # a child process that got the same signal may break the runner first
        if isinstance(error, UnitscopeError):
            return "failed", str(error)
        if isinstance(error, MemoryError):
            return "failed", "Not enough memory. Choose fewer layers or a smaller batch size."
        line = " ".join(f"{type(error).__name__}: {error}".split())
        return "failed", f"Internal error, please report it: {line[:300]}"
    return "done", ""


def _imported(target: str) -> Runner:
    module, _, name = target.partition(":")
    function: Runner = getattr(importlib.import_module(module), name)
    return function


def _analysed(
    kind: str,
    own: _Progress,
    request: dict[str, Any],
    store: Store,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> None:
    """A job is an analysis: the kind is its name. What it returns lies in the store."""
    from interpret_core.analyses import registry  # only now: the scheduler, which imports this, is light
    from interpret_core.runtime.execution import Execution
    from interpret_core.runtime.executors.choice import of_jobs

    asked = registry.find(kind).request.from_json(request)
    with of_jobs() as executor:
        own.computed_on(executor.dashboard)
        how = Execution(executor=executor, tell=progress, cancelled=cancelled, tell_part=own.part)
        registry.compute(asked, store, how)


def _write(store: Store, identity: str, token: str, decide: Callable[[Job], dict[str, Any]]) -> bool:
    """Change the job's state, as long as it still is this process's job; whether it is."""
    ours = []

    def decided(job: Job) -> dict[str, Any] | None:
        ours.append(job.state == "running" and job.token == token)
        return decide(job) if ours[-1] else None

    change(store, identity, decided)
    return bool(ours) and ours[-1]


class _Stop:
    """The request to stop, as a signal handler: it only takes note."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def ask(self) -> None:
        self._asked = True

    def asked(self) -> bool:
        return self._asked

    def check(self) -> None:
        if self._asked:
            raise Cancelled("The job was cancelled.")


class _Progress:
    """Writes progress down, a few times a second however often it is called."""

    def __init__(self, store: Store, identity: str, token: str, stop: _Stop) -> None:
        self._store, self._identity, self._token, self._stop = store, identity, token, stop
        self._writes: deque[float] = deque([float("-inf")] * WRITES_A_SECOND, maxlen=WRITES_A_SECOND)
        self._forecast = Forecast()
        self.latest: dict[str, Any] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note of progress towards the end of the job."""
        self._note(stage, done, total, part=False)

    def part(self, stage: str, done: int, total: int) -> None:
        """The same of something that is needed first: how much comes after it, nobody knows."""
        self._note(stage, done, total, part=True)

    def computed_on(self, dashboard: str) -> None:
        """Take note of where one sees the cluster at work, if there is one."""
        if dashboard:
            _write(self._store, self._identity, self._token, lambda _: {"dashboard": dashboard})

    def _note(self, stage: str, done: int, total: int, *, part: bool) -> None:
        self._stop.check()
        now = time.monotonic()
        if part != self.latest.get("part", part):
            self._forecast = Forecast()  # another end than the one told before
        new = (stage, part) != (self.latest.get("stage"), self.latest.get("part"))
        if new:
            self.latest = {"stage": stage, "part": part}
            with contextlib.suppress(OSError):  # a full disk: the log can be done without
                print(time.strftime("%H:%M:%S"), " ".join(stage.split()), flush=True)
        ends = self._forecast.seen(stage, int(done), int(total), time.time())
        self.latest |= {"done": int(done), "total": int(total), "ends": ends}
        # A new stage is worth a write out of turn, within the limit of writes a second.
        if now - self._writes[0] >= 1.0 and (new or now - self._writes[-1] >= PACE):
            self._writes.append(now)
            _write(self._store, self._identity, self._token, lambda _: self.latest)
