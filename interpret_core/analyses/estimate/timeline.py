"""What a run took, read off the progress that it tells, stage by stage; and how much memory it held."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

STATUS = Path("/proc/self/statm")
LOOK = 0.02  # seconds between two looks at the memory


@dataclass(frozen=True)
class TimedStep:
    """What a run did between two calls.

    Attributes:
        stage: its name.
        done: how much of it was done.
        wall, processor: seconds by the clock, and of all threads of this process.
    """

    stage: str
    done: int
    wall: float
    processor: float


@dataclass
class Timeline:
    """The steps of one run.

    Attributes:
        steps: in their order; what was done before a stage's first one is part of it.
    """

    steps: list[TimedStep] = field(default_factory=list)
    _last: tuple[float, float] = field(default_factory=lambda: (time.perf_counter(), time.process_time()))
    _done: dict[str, int] = field(default_factory=dict)

    def tell(self, stage: str, done: int, total: int) -> None:
        """As `Execution.tell`."""
        self._note("", stage, done)

    def tell_part(self, stage: str, done: int, total: int) -> None:
        """As `Execution.tell_part`, which has a count of its own."""
        self._note("part", stage, done)

    def _note(self, count: str, stage: str, done: int) -> None:
        before = self._done.get(count, 0)
        self._done[count] = done
        more = done - before if done >= before else done
        if more > 0:
            now = time.perf_counter(), time.process_time()
            self.steps.append(TimedStep(stage, more, now[0] - self._last[0], now[1] - self._last[1]))
            self._last = now

    def end(self) -> None:
        """What came after the last step."""
        now = time.perf_counter(), time.process_time()
        self.steps.append(TimedStep("", 0, now[0] - self._last[0], now[1] - self._last[1]))

    def of(self, *stages: str) -> list[TimedStep]:
        """The steps of some stages."""
        return [step for step in self.steps if step.stage in stages]

    @property
    def stages(self) -> list[str]:
        """Their names, in the order in which they began."""
        return list(dict.fromkeys(step.stage for step in self.steps if step.stage))


@dataclass
class Peak:
    """The most memory that this process held, in bytes."""

    bytes: int = 0


@contextmanager
def watched_memory() -> Iterator[Peak]:
    """Look at this process's memory while the block is at work.

    Where the system does not tell it, the peak is that of the whole process so far.
    """
    peak, ended = Peak(_held()), threading.Event()

    def look() -> None:
        while not ended.wait(LOOK):
            peak.bytes = max(peak.bytes, _held())

    thread = threading.Thread(target=look, name="memory", daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()
        peak.bytes = max(peak.bytes, _held())


def _held() -> int:
    try:
        return int(STATUS.read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
