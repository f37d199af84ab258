"""A whole instance as `make serve` starts it, over a cache of its own, and what it costs the machine."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil

from tests.ui.browser import ROOT, free_port

BASE = "/unitscope"
PATIENCE = 180.0  # seconds until it is ready
JOB = ("profile", "--network", "efficientnet-lite0", "--dataset", "demo", "--device", "cpu")


class Hosted(NamedTuple):
    """A running instance.

    Attributes:
        address: with the base path, without a slash at its end.
        processes: the servers in their order, then nginx's worker.
        cache: its folder of results.
    """

    address: str
    processes: dict[str, psutil.Process]
    cache: Path

    def cpu(self) -> dict[str, float]:
        """Seconds of processor time of each, by Linux's own clock, which has no steps of 10 ms."""
        return {name: time.clock_gettime(~one.pid << 3 | 2) for name, one in self.processes.items()}

    def memory(self) -> dict[str, float]:
        """Megabytes of each that are its alone."""
        return {name: one.memory_full_info().uss / 1e6 for name, one in self.processes.items()}


@contextlib.contextmanager
def hosted(servers: int) -> Iterator[Hosted]:
    """An instance of so many servers, until the block ends."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        environment = {"INTERPRET_CACHE": f"{folder}/cache", **os.environ}
        words = ["--servers", str(servers), "--port", str(port), "--base", BASE, "--state", folder]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "hosting", *words], cwd=ROOT, env=environment, stderr=output
            )
        try:
            end = time.monotonic() + PATIENCE
            while b"is ready" not in log.read_bytes():
                if process.poll() is not None or time.monotonic() > end:
                    raise SystemExit(f"The instance did not get ready:\n{log.read_text()}")
                time.sleep(0.1)
            yield Hosted(
                f"http://127.0.0.1:{port}{BASE}", _parts(process.pid), Path(environment["INTERPRET_CACHE"])
            )
        finally:
            process.terminate()
            process.wait(60)


def _parts(supervisor: int) -> dict[str, psutil.Process]:
    children = psutil.Process(supervisor).children()
    servers = [one for one in children if "--server.port" in one.cmdline()]
    (master,) = (one for one in children if one not in servers)
    workers = [one for one in master.children() if "worker process" in " ".join(one.cmdline())]
    return {f"server {number}": one for number, one in enumerate(servers, 1)} | {"nginx": workers[0]}


def entered(address: str, page: str, cookie: str = "") -> str:
    """The cookies of a browser that has fetched a page: what it had, and what it was given."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    connection.request("GET", f"{parts.path}/{page}", headers={"Cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    answer.read()
    given = [value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    connection.close()
    if answer.status != 200:
        raise OSError(f"{page} has status {answer.status}")
    return "; ".join(filter(None, (cookie, *given)))


@contextlib.contextmanager
def computing(cache: Path, wanted: bool) -> Iterator[None]:
    """Profiles at nice 19, one after the other, over the same cache, until the block ends."""
    if not wanted:
        yield
        return
    over, running = threading.Event(), threading.Event()
    current: list[subprocess.Popen[bytes]] = []

    def work() -> None:
        quantile = 0.004
        while not over.is_set():
            quantile += 0.0001  # another request each time
            words = [*JOB, "--quantile", f"{quantile:.4f}", "--cache", str(cache)]
            command = ["nice", "-n", "19", sys.executable, "-m", "interpret_core", *words]
            job = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            current[:] = [job]
            running.set()
            if job.wait() and not over.is_set():
                raise SystemExit(f"The job failed: {' '.join(command)}")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    running.wait()
    try:
        yield
    finally:
        over.set()
        current[0].terminate()
        thread.join(60)
