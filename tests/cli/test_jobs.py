"""`jobs`: what a shell can do with the jobs of a cache folder."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from interpret_core import jobs
from interpret_core.jobs import launch
from interpret_core.jobs.settings import RUNNER
from interpret_core.store.store import Store
from tests.cli.conftest import Command

END = 60.0


@pytest.fixture
def store(environment: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv(RUNNER, "tests.jobs.runners:run")
    return Store(os.environ["INTERPRET_CACHE"], shipped=())


@pytest.mark.thorough
def test_jobs_are_listed_shown_cancelled_and_tried_again(store: Store, command: Command) -> None:
    named = {"network": "alexnet", "dataset": "kitchen"}
    broken = jobs.submit(store, "profile", {"run": "bug", **named}, owner="ada")
    assert jobs.wait(store, broken.id, END).state == "failed"  # type: ignore[union-attr]
    running = jobs.submit(store, "profile", {"run": "polite"})
    while jobs.find(store, running.id).state != "running":  # type: ignore[union-attr]
        time.sleep(0.02)
    waiting = jobs.submit(store, "relevance", {"run": "polite", "name": "later"})

    listed = command("jobs")
    assert listed.status == 0, listed.err
    latest, middle, first = listed.out.splitlines()[1:4]
    assert latest.split()[:4] == [waiting.id[:12], "relevance", "waiting,", "1"]
    assert middle.split()[:3] == [running.id[:12], "profile", "running"]
    assert first.split()[:6] == [broken.id[:12], "profile", "alexnet", "on", "kitchen", "failed"]
    assert "ada" in first
    assert command("jobs", "list").out == listed.out

    log = command("jobs", "log", broken.id[:8], "--lines", "3")
    assert log.out.splitlines()[0].startswith("failed: Internal error, please report it: ValueError: a bug")
    assert "over two lines" in log.out.splitlines()[-1]
    assert len(log.out.splitlines()) == 4
    assert command("jobs", "log", waiting.id).out == "It has written nothing.\n"

    assert command("jobs", "cancel", waiting.id).out == f"{waiting.id[:12]} is cancelled\n"
    assert command("jobs", "cancel", running.id).out == f"{running.id[:12]} stops\n"
    assert jobs.wait(store, running.id, END).state == "cancelled"  # type: ignore[union-attr]

    assert command("jobs", "retry", broken.id[:6].upper()).out == f"{broken.id[:12]} is queued\n"
    again = jobs.wait(store, broken.id, END)
    assert again is not None
    assert (again.state, again.owners) == ("failed", ("ada",))


@pytest.mark.parametrize("named", ["abc", "0123456789", "../../etc/passwd", "", "*"])
def test_what_is_no_job_is_one_line(store: Store, command: Command, named: str) -> None:
    for action in ("cancel", "retry", "log"):
        done = command("jobs", action, named)
        assert done.status == 2
        assert done.line.startswith(f"Error: The job is {named!r}, ")


def test_looking_starts_nothing(store: Store, command: Command) -> None:
    """A shell's folder and variables are not those that jobs should run in."""
    store.put_json("job/" + "0" * 32, None)
    job = jobs.Job(jobs.job_id("test", {}), "test")
    store.put_json(f"job/{job.id}", job.to_json())
    assert job.id[:12] in command("jobs").out
    assert not launch._started
    assert not store.leased(launch.SCHEDULER)
