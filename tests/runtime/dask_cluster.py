"""A real Dask cluster for the tests: a scheduler, and workers in folders of their own, as processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from interpret_core.runtime.executors.cluster import Cluster

ROOT = Path(__file__).parents[2]


class Machines:
    """A scheduler; workers come and go.

    Attributes:
        address: of the scheduler.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._workers = folder, dict[str, subprocess.Popen[bytes]]()
        file = folder / "scheduler.json"
        self._scheduler = self._run(
            "scheduler",
            folder,
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--dashboard-address",
            "127.0.0.1:0",
            "--scheduler-file",
            str(file),
        )
        end = time.monotonic() + 60
        while not file.exists() and time.monotonic() < end:
            time.sleep(0.05)
        self.address = str(json.loads(file.read_text())["address"])

    def worker(self, name: str, **environment: str) -> psutil.Process:
        """A new one, of one thread, which knows nothing but its folder and its configuration."""
        folder = self._folder / name
        folder.mkdir()
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--name", name)
        self._workers[name] = self._run("worker", folder, self.address, *options, **environment)
        return psutil.Process(self._workers[name].pid)

    @staticmethod
    def await_workers(cluster: Cluster, number: int) -> None:
        """Until so many have reported to the scheduler."""
        cluster._connected().wait_for_workers(number, timeout=60)

    def log(self, name: str) -> str:
        """What a worker has written."""
        return (self._folder / name / "log").read_text(errors="replace")

    def end(self) -> None:
        """All of it."""
        for process in (*self._workers.values(), self._scheduler):
            process.kill()
            process.wait()

    def _run(self, what: str, folder: Path, *options: str, **more: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        environment |= {"INTERPRET_CACHE": str(folder / "cache"), **more}
        with (folder / "log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{what}", *options],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
