"""What a scheduler has seen of a running job, by a clock that nobody can set.

Whether a worker lives or moves is told by what changes in its record while somebody looks, never by the times
that stand in it: clocks of hosts differ, and are set.
"""

from __future__ import annotations

import time

from interpret_core.jobs.state import Job

LONGEST = 5.0  # seconds that one look may count for


class SteadyClock:
    """Seconds of attention: time in which nobody could look, of a machine that slept, say, does not count."""

    def __init__(self) -> None:
        """Begin at 0."""
        self._seconds, self._last = 0.0, time.monotonic()

    def tick(self) -> None:
        """A look has passed."""
        now = time.monotonic()
        self._seconds += min(now - self._last, LONGEST)
        self._last = now

    def now(self) -> float:
        """Seconds from the beginning."""
        return self._seconds


class JobWatch:
    """When a running job last gave a sign of life, when it last moved, and when it was asked to stop."""

    def __init__(self, now: float) -> None:
        """Begin now: what was before, nobody has seen."""
        self.beaten = self.moved = now
        self.asked: float | None = None
        self._beat: float | None = None
        self._progress: tuple[object, ...] = ()

    def see(self, job: Job, now: float) -> None:
        """Take note of a job as it is at a time of the scheduler's clock."""
        if job.heartbeat != self._beat:
            self._beat, self.beaten = job.heartbeat, now
        progress = (job.stage, job.part, job.done, job.total)
        if progress != self._progress:
            self._progress, self.moved, self.beaten = progress, now, now
