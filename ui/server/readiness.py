"""Whether this server answers in time and can read its results: `/api/ready`, for whoever watches it.

`/_stcore/health` says that the process is alive, also while every visitor waits for seconds. Being slow is no
reason to end it: sessions would be lost, and the next one would be as busy.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import statistics
import threading
import time
from collections import deque
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from interpret_core.errors import UnitscopeError
from ui.session import stored
from ui.shell.addresses import prefix

SPAN = 60.0  # seconds that count
EVERY = 0.5  # seconds between two measurements of the event loop
SLOW_RUN = 3.0  # seconds: the median run of a page
SLOW_LOOP = 1.0  # seconds by which one in twenty measurements may be late
FEWEST = 5  # runs or measurements below which they say nothing: a first visit is slow
READ = 5.0  # seconds that the store may take
MOST = 10_000  # runs kept
logger = logging.getLogger(__name__)


class Pace:
    """How fast a process has been over the last minute; for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: deque[tuple[float, float]] = deque(maxlen=MOST)  # (when it ended, seconds)
        self._late: deque[tuple[float, float]] = deque(maxlen=MOST)

    def note(self, seconds: float, when: float | None = None) -> None:
        """A run that took so many seconds and ended at `when` (time.monotonic()), or just now."""
        with self._lock:
            self._runs.append((time.monotonic() if when is None else when, seconds))

    def note_late(self, seconds: float, when: float) -> None:
        """The event loop came so many seconds late."""
        with self._lock:
            self._late.append((when, seconds))

    def slow(self, now: float) -> str:
        """In words, what has been slow over the last SPAN seconds; empty for nothing."""
        with self._lock:
            runs = [seconds for when, seconds in self._runs if now - when <= SPAN]
            late = [seconds for when, seconds in self._late if now - when <= SPAN]
        if len(runs) >= FEWEST and (middle := statistics.median(runs)) > SLOW_RUN:
            return f"half of the last minute's {len(runs)} page runs took over {middle:.1f} s"
        if len(late) >= FEWEST and (worst := _nearly_worst(late)) > SLOW_LOOP:
            return f"requests wait {worst:.1f} s before anything is done for them"
        return ""

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Measure the event loop until the end of the block."""

        async def measure() -> None:
            while True:
                start = time.monotonic()
                await asyncio.sleep(EVERY)
                end = time.monotonic()
                self.note_late(end - start - EVERY, end)

        task = asyncio.create_task(measure())
        try:
            yield
        finally:
            task.cancel()


PACE = Pace()  # of this process: the script's runs and the routes have nothing else in common


def routes() -> list[Route]:
    """The one route, under `server.baseUrlPath`; for everybody, since it tells nothing about anybody."""
    return [Route(f"{prefix()}/ready", ready)]


async def ready(_: Request) -> Response:
    """200 and `ready`, or 503 and a line that says why not."""
    why = PACE.slow(time.monotonic()) or await _unreadable()
    text, status = (f"Not ready: {why}.", 503) if why else ("ready", 200)
    return PlainTextResponse(text, status, {"Cache-Control": "no-store"})


async def _unreadable() -> str:
    try:
        await asyncio.wait_for(run_in_threadpool(_read), READ)
    except TimeoutError:
        return f"stored results could not be read within {READ:.0f} s"
    except UnitscopeError as error:  # its text names folders of this machine
        logger.warning("Stored results cannot be read: %s", error)
        return "stored results cannot be read; the server's log says why"
    return ""


def _read() -> None:
    """One question to the index of the store, which holds every result."""
    stored.store().has("ready")


def _nearly_worst(late: list[float]) -> float:
    """What one in twenty reaches or exceeds."""
    return sorted(late)[-1 - len(late) // 20]
