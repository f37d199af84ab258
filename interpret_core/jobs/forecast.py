"""How long a job will take: nothing before that holds, then a number that does not jump.

The first step of a stage says little (a model is loaded, files are read for the first time), and each stage
has a pace of its own. So the pace is that of the last steps, without a stage's first; it counts once it has
held for a while; what is told follows it slowly; and in a new stage what was told before stands until the new
pace holds.
"""

from __future__ import annotations

import math
from collections import deque

WAIT = 5.0  # seconds over which a pace must have held before it counts
WINDOW = 30.0  # seconds that count for the pace
LEAST = 3  # reports that count for it, however old
AGREED = 2.0  # times that one half of them may be faster than the other
INERTIA = 20.0  # seconds in which what is told covers most of the way to what is measured
AT_ONCE = 2.0  # seconds of such a way in one report


class Forecast:
    """Watches one job."""

    def __init__(self) -> None:
        """Nothing has been seen."""
        self._stage, self._first = "", 0
        self._seen: deque[tuple[float, int]] = deque()
        self._end: float | None = None
        self._told = 0.0

    def seen(self, stage: str, done: int, total: int, now: float) -> float | None:
        """Take note of progress, and say when the job will have ended.

        Args:
            stage: what it does; another one has a pace of its own.
            done: steps, of all stages where they are counted through. No total: the work has not
                begun, or is another now; what was told before is told no longer.
            total: see `done`.
            now: seconds since the epoch.

        Returns:
            Seconds since the epoch; None while nobody can say.
        """
        if total <= 0:
            self._end = None
        if stage != self._stage:
            self._stage, self._first = stage, done
            self._seen.clear()
        if done > self._first:
            self._seen.append((now, done))
        while len(self._seen) > LEAST and self._seen[1][0] < now - WINDOW:
            self._seen.popleft()
        pace = self._pace()
        if pace is not None and total > 0:
            end = now + (total - done) / pace
            far = 1 - math.exp(-min(now - self._told, AT_ONCE) / INERTIA)
            self._end = end if self._end is None else self._end + far * (end - self._end)
            self._told = now
        elif self._end is not None and self._end <= now:
            self._end = None  # what was told is over, and the job is not
        return self._end

    def _pace(self) -> float | None:
        """Steps per second, where it has held; else None."""
        seen = list(self._seen)
        if len(seen) < LEAST or seen[-1][0] - seen[0][0] < WAIT:
            return None
        half = len(seen) // 2
        early, late = _rate(seen[: half + 1]), _rate(seen[half:])
        if min(early, late) <= 0 or max(early, late) > AGREED * min(early, late):
            return None
        return _rate(seen)


def _rate(seen: list[tuple[float, int]]) -> float:
    """Steps per second from the first to the last report; 0 where no time has passed."""
    seconds = seen[-1][0] - seen[0][0]
    return (seen[-1][1] - seen[0][1]) / seconds if seconds > 0 else 0.0
