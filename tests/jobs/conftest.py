"""A cache of its own, whose jobs run what `runners` holds, and nothing left running behind it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from interpret_core import jobs
from interpret_core.jobs import launch, processes, state
from interpret_core.jobs.settings import RUNNER
from interpret_core.store.store import Store

TIMEOUT = 60.0
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv(RUNNER, "tests.jobs.runners:run")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with Store(tmp_path / "cache", shipped=()) as store:
        yield store
        launch.end_all()
        for process in of_folder(store.folder):
            process.kill()


def of_folder(folder: Path, which: tuple[bool, ...] = (True, False)) -> list[psutil.Process]:
    """Processes of jobs of a cache folder: schedulers (True) and workers (False)."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if "interpret_core.jobs" in words and str(folder) in words and ("--lease" in words) in which:
                found.append(process)
    return found


def schedulers(folder: Path) -> list[psutil.Process]:
    return of_folder(folder, (True,))


def workers(folder: Path) -> list[psutil.Process]:
    return of_folder(folder, (False,))


def submit(store: Store, run: str = "count", /, owner: str = "", **request: object) -> jobs.Job:
    return jobs.submit(store, "test", {"run": run, **request}, owner=owner)


def until(store: Store, job: jobs.Job, condition: Callable[[jobs.Job], bool]) -> jobs.Job:
    end = time.monotonic() + TIMEOUT
    while True:
        found = jobs.find(store, job.id)
        assert found is not None
        if condition(found):
            return found
        assert time.monotonic() < end, found
        assert found.active, found
        time.sleep(0.02)


def eventually(true: Callable[[], object], seconds: float = TIMEOUT) -> None:
    """Wait for something, not for ever."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def kill(job: jobs.Job) -> None:
    """kill -9 of a job's worker, if it still is the one."""
    if processes.alive(job.pid, job.birth, job.id):
        os.kill(job.pid, signal.SIGKILL)


def planted(store: Store, job: jobs.Job, **changes: object) -> None:
    """A record that a stranger, another host, or a crash may have left in a shared folder."""
    store.put_json(state.key(job.id), {**job.to_json(), **changes})
