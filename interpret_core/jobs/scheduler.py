"""The one process that starts jobs, watches them, and ends those that hang or are not wanted any more.

It holds no more than records: killed at any moment, its workers go on, and the next one finds them in the
store. A job's worker holds a lease from before its birth to its death, so there is never more than one.
"""

from __future__ import annotations

import logging
import secrets
import signal
import subprocess
import time
from typing import Any

from interpret_core import threads
from interpret_core.errors import Cancelled, StoreError, UnitscopeError
from interpret_core.jobs import history, launch, processes, state
from interpret_core.jobs.launch import LINE
from interpret_core.jobs.settings import JobSettings
from interpret_core.jobs.state import Board, Job, change, worker_key
from interpret_core.jobs.turns import order
from interpret_core.jobs.watch import JobWatch, SteadyClock
from interpret_core.store.lease import Lease
from interpret_core.store.store import Store

logger = logging.getLogger(__name__)

POLL = 0.25  # seconds between two looks
IDLE = 10.0  # seconds without a job after which it ends
TROUBLE = 5.0  # seconds after a failure of the store
GRACE = 10.0  # seconds between a polite and an impolite end
LOST = 60.0  # seconds without a heartbeat after which another host's worker counts as dead
ATTEMPTS = 4  # workers that a job may wear out: it goes on from its finished parts three times
DIED = (
    f"The job's process was ended from outside {ATTEMPTS} times: killed, out of memory, or the machine "
    "restarted. What it had finished is kept; start it again, with less at a time where memory is short. "
    "`python -m interpret_core jobs log {id}` shows what it wrote last."
)


class Scheduler:
    """Runs the line of one cache folder; whoever makes it holds its lease."""

    def __init__(
        self, store: Store, lease: Lease, settings: JobSettings, clock: SteadyClock | None = None
    ) -> None:
        """Know nothing yet: whatever runs is found in the store."""
        self._store, self._lease, self._settings = store, lease, settings
        self._board, self._clock = Board(store), clock or SteadyClock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._watches: dict[str, JobWatch] = {}
        self._swept: float | None = None
        self._stopped = False

    def stop(self, *_: object) -> None:
        """End after the next look; a handler of signals."""
        self._stopped = True

    def run(self) -> int:
        """Look at the line until there is nothing left to do; the exit status."""
        busy = self._clock.now()
        while not self._stopped and self._lease.valid:
            try:
                if self.look():
                    busy = self._clock.now()
                elif self._clock.now() - busy > IDLE and self._may_leave():
                    return 0
            except UnitscopeError as error:
                logger.error("%s", error)
                time.sleep(TROUBLE)
            time.sleep(POLL)
            self._clock.tick()
        return 0

    def look(self) -> bool:
        """Do what there is to do; whether jobs wait or run."""
        self._reap()
        running = [job for job in self._board.jobs() if job.state == "running"]
        self._watches = {
            job.token: self._watches.get(job.token) or JobWatch(self._clock.now()) for job in running
        }
        for job in running:
            self._attend(job, self._watches[job.token])
        jobs = self._board.jobs()
        free = self._settings.parallel - sum(job.state == "running" for job in jobs)
        for job in order(jobs) if free > 0 else ():
            if free > 0:
                free -= self._start(job, 1 + max(other.turn for other in jobs))
        if self._swept is None or self._clock.now() - self._swept > history.EVERY:
            self._swept = self._clock.now()
            history.sweep(self._store)
        return any(job.active for job in jobs)

    def _may_leave(self) -> bool:
        """Let go of the lease while nobody can submit, unless somebody just did."""
        try:
            with self._store.lock(LINE, lambda: True):
                if any(job.active for job in self._board.jobs()):
                    return False
                self._lease.close()
        except Cancelled:
            return False
        except StoreError:  # the folder is gone, or can no longer be written
            self._lease.close()
        return True

    def _reap(self) -> None:
        for token, process in list(self._children.items()):
            if process.poll() is not None:
                del self._children[token]
                processes.end_strays(token)

    def _attend(self, job: Job, watch: JobWatch) -> None:
        """See whether a running job lives, moves and is wanted."""
        now = self._clock.now()
        watch.see(job, now)
        if self._gone(job, now - watch.beaten):
            self._resume(job)
        elif job.cancel_requested is not None:
            if watch.asked is None:
                watch.asked = now
                self._signal(job, signal.SIGTERM)
            elif now - watch.asked > GRACE:
                self._end(job, "cancelled")
        elif now - watch.moved > self._settings.stall:
            minutes = f"{self._settings.stall / 60:g}"
            self._end(
                job,
                "failed",
                f"Nothing moved for {minutes} minutes, so the job was ended and the next one can begin. What "
                "it had finished is kept; start it again, or raise INTERPRET_JOB_STALL where single steps "
                "take longer.",
            )

    def _gone(self, job: Job, silent: float) -> bool:
        """Whether a running job's process is dead, for all that can be seen from here."""
        if not job.here:
            return silent > LOST
        return not job.pid or not job.alive

    def _resume(self, job: Job) -> None:
        """Put a job whose process is gone into the line again, or give up."""
        if job.here and job.pid:
            processes.end_strays(job.token)
        lease = self._store.lease(worker_key(job.id))
        if lease is None:  # it is being born, or its host only fell silent
            return

        def decide(found: Job) -> dict[str, Any] | None:
            if found.token != job.token or found.state != "running":
                return None
            if found.cancel_requested is not None:
                return state.ended(found, "cancelled")
            if found.attempts >= ATTEMPTS:
                return state.ended(found, "died", DIED.replace("{id}", found.id))
            return state.waiting()

        with lease:
            found = change(self._store, job.id, decide)
        if found is not None:
            logger.warning("The process of job %s is gone; it is %s now.", job.id, found.state)

    def _signal(self, job: Job, number: signal.Signals) -> None:
        """Signal a worker of this host; another host's hears of it by its record."""
        if job.here:
            processes.send(job.pid, job.birth, job.id, number)

    def _end(self, job: Job, how: str, message: str = "") -> None:
        """End a worker, without waiting for it: one that cannot die holds its lease, and nobody else up."""
        self._signal(job, signal.SIGKILL)
        if job.here:
            processes.end_strays(job.token)
        change(
            self._store,
            job.id,
            lambda found: state.ended(found, how, message) if found.token == job.token else None,
        )

    def _start(self, job: Job, turn: int) -> bool:
        """Start a queued job's worker, once the last one is gone; whether it was."""
        lease = self._store.lease(worker_key(job.id))
        if lease is None:
            return False
        token = secrets.token_hex(16)
        begun = {"state": "running", "token": token, "host": processes.host(), "turn": turn}

        def claim(found: Job) -> dict[str, Any] | None:
            times = {"started": time.time(), "heartbeat": time.time(), "finished": None}
            return (
                {**begun, **times, "attempts": found.attempts + 1, "pid": 0, "birth": ""}
                if found.state == "queued"
                else None
            )

        with lease:
            found = change(self._store, job.id, claim)
            if found is None or found.token != token:
                return False
            try:
                process = self._worker(found, lease)
            except OSError as error:
                line = f"No process could be started: {error.strerror}. Check memory and disk."
                change(self._store, job.id, lambda now: state.ended(now, "failed", line))
                return False
        self._children[token] = process
        known = processes.known(process.pid)
        change(self._store, job.id, lambda now: known if now.token == token and not now.pid else None)
        return True

    def _worker(self, job: Job, lease: Lease) -> subprocess.Popen[bytes]:
        """A process that works on a job and holds its lease."""
        environment = {**launch.environment(), processes.TOKEN: job.token}
        threads.wait_briefly(environment)
        log = launch.output(state.log_path(self._store, job.id), append=job.attempts > 1)
        return launch.started(launch.command(self._store, job.id), log, lease, environment)
