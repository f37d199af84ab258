"""`bench workers`: what a second worker gains, and how much a Dask scheduler has to carry.

*Processes*: the same profile by one worker of one thread and by two, in turn, each from an empty cache. The
passes over the images count (thresholds, IoU, masks) once the workers have loaded the network; the rest is
done by the process that asks. *Cluster*: a scheduler and two workers on this machine
(`distributed.LocalCluster`), the same profile; all bytes that went through the scheduler's sockets, as Linux
counted them, less what passes there in as long a time while both workers have one task that goes on and on
(Dask's heartbeats, which name what is at work).
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import statistics
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.listings import listed
from benchmarks.profile_bench import find_dataset
from interpret_core import datasets
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.errors import Cancelled
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.executors.base import Executor
from interpret_core.runtime.executors.cluster import Cluster
from interpret_core.runtime.executors.processes import Processes
from interpret_core.store.store import Store

Tell = Callable[[str, int, int], None]
PASSES = ("thresholds", "IoU", "masks")
FIRST = 32  # images of the profile that starts and loads the workers
TCP_INFO = struct.Struct("=120xQQ")  # of Linux's tcp_info: bytes acknowledged and received
LOOK = 0.1  # seconds between two looks at the sockets
SETTLED = 1.0  # seconds until what was begun has been told to everybody
QUIET = 10.0  # seconds in which heartbeats are listened to


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        network, dataset: names; None looks for a data set.
        images: how many; a shorter list is repeated.
        repeats: of one and two workers in turn; the median counts.
    """

    network: str
    dataset: str | None
    images: int
    repeats: int


def measure(
    plan: Plan, tell: Tell = lambda *_: None, cancelled: Callable[[], bool] = lambda: False
) -> tuple[dict[str, Any], list[str]]:
    """The numbers by name, and sentences on how they came about."""
    with tempfile.TemporaryDirectory() as folder:
        bench = _Bench(plan, Path(folder), cancelled)
        steps = 2 * plan.repeats + 1
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(plan.repeats):
            for number in (1, 2):
                tell("processes", 2 * turn + number - 1, steps)
                seconds[number].append(bench.passes(Processes(number, threads=1)))
        tell("cluster", steps - 1, steps)
        carried, heartbeats = bench.carried()
        tell("done", steps, steps)
    ratios = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]
    numbers = {
        "one_over_two": statistics.median(ratios),
        "scheduler_bytes_an_image": carried / bench.images,
        "heartbeat_bytes_a_second": heartbeats,
        "one_over_two_runs": ratios,
        "images": bench.images,
        "seconds": {str(number): spent for number, spent in seconds.items()},
    }
    return numbers, _remarks(plan, numbers)


def _remarks(plan: Plan, numbers: dict[str, Any]) -> list[str]:
    runs = ", ".join(f"{ratio:.2f}" for ratio in numbers["one_over_two_runs"])
    return [
        f"{plan.network}, {numbers['images']} images: the passes by one worker of one thread take "
        f"{numbers['one_over_two']:.2f} times as long as by two (single runs {runs}).",
        "Through the scheduler of a Dask cluster of two workers went "
        f"{numbers['scheduler_bytes_an_image']:.0f} bytes an image, beside heartbeats of "
        f"{numbers['heartbeat_bytes_a_second']:,.0f} bytes a second.",
    ]


class _Bench:
    """The data sets, and what is run on them."""

    def __init__(self, plan: Plan, folder: Path, cancelled: Callable[[], bool]) -> None:
        root = find_dataset(plan.dataset).root
        known = len(datasets.open_dataset(root))
        once, times = min(plan.images, known), max(1, plan.images // known)
        listed(root, folder / "all", once, times)
        listed(root, folder / "first", max(1, min(once // 2, FIRST)), 1)  # another set, or it would be found
        self.images = once * times
        self._request = ProfileRequest(plan.network, str(folder / "all"), permutations=0, min_images=1)
        self._folder, self._cancelled = folder, cancelled

    def passes(self, executor: Executor) -> float:
        """Seconds of the passes over the images, from nothing."""
        with executor, self._begun(executor) as store:
            return self._run(executor, store)

    def carried(self) -> tuple[float, float]:
        """Bytes through the scheduler of a cluster for a run, and a second of its heartbeats."""
        from distributed import Client, LocalCluster

        start: dict[str, Any] = {
            "n_workers": 2,
            "threads_per_worker": 1,
            "dashboard_address": None,
            "silence_logs": logging.CRITICAL,
        }
        with (
            LocalCluster(**start, protocol="tcp") as cluster,
            Cluster(cluster.scheduler_address) as executor,
            self._begun(executor) as store,
            Client(cluster, set_as_default=False) as other,
            listening(int(cluster.scheduler.port)) as heard,
        ):
            executor.kind(torch.device("cpu"))  # connected, as during a run
            waiting = other.map(time.sleep, [QUIET + 2 * SETTLED] * 2, pure=False)
            time.sleep(SETTLED)
            before, began = heard(), time.monotonic()
            time.sleep(QUIET)
            heartbeats = (heard() - before) / (time.monotonic() - began)
            other.gather(waiting)
            before, began = heard(), time.monotonic()
            self._run(executor, store)
            return heard() - before - heartbeats * (time.monotonic() - began), heartbeats

    def _run(self, executor: Executor, store: Store) -> float:
        if self._cancelled():
            raise Cancelled("Stopped.")
        outcome = run_profile(self._request, store, Execution("cpu", executor, cancelled=self._cancelled))
        return sum(outcome.seconds.get(name, 0.0) for name in PASSES)

    @contextmanager
    def _begun(self, executor: Executor) -> Iterator[Store]:
        """An empty cache, once the workers have computed something small with the same network."""
        with tempfile.TemporaryDirectory(dir=self._folder) as cache, Store(cache, shipped=()) as store:
            small = replace(self._request, dataset=str(self._folder / "first"))
            run_profile(small, store, Execution("cpu", executor))
            yield store


@contextmanager
def listening(port: int) -> Iterator[Callable[[], int]]:
    """A function of the bytes that went through this process's sockets on a port so far, in both directions.

    They are looked at again and again, since what is closed cannot be asked any more.
    """
    seen: dict[object, int] = {}
    over = threading.Event()

    def look() -> int:
        for peer, carried in _sockets(port):
            seen[peer] = max(carried, seen.get(peer, 0))
        return sum(seen.values())

    def again() -> None:
        while not over.wait(LOOK):
            look()

    thread = threading.Thread(target=again, name="sockets", daemon=True)
    thread.start()
    try:
        yield look
    finally:
        over.set()
        thread.join()


def _sockets(port: int) -> Iterator[tuple[object, int]]:
    """The other end of each connection, and the bytes it has carried."""
    for descriptor in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):
            if not str(descriptor.readlink()).startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(descriptor.name))) as one:
                if one.family == socket.AF_INET and one.getsockname()[1] == port:
                    info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
                    yield one.getpeername(), sum(TCP_INFO.unpack_from(info))
