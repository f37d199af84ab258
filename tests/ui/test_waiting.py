"""What a job's panel says before, during and after the work is true: a first job waits for nobody."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from interpret_core import jobs
from interpret_core.jobs import processes
from interpret_core.jobs.settings import RUNNER
from interpret_core.jobs.state import Job
from interpret_core.store.store import Store
from tests.ui.test_pages import open_page, words
from ui.jobs.words import brief
from ui.session import work
from ui.session.relevances import Wanted
from ui.shell.sidebar import Ask

HERE = {"network": "small", "dataset": "planted"}
ASK = Ask("small", "planted")
END = 120  # seconds


@pytest.fixture
def store(empty: Path) -> Iterator[Store]:
    with Store(empty) as opened:
        yield opened
        for job in jobs.listing(opened):
            if job.active:
                processes.send(job.pid, job.birth, job.id, signal.SIGKILL)


def bars(app: AppTest) -> list[str]:
    assert not app.exception
    return [str(node.proto.text) for node in app.get("progress")]


def until(state: str) -> Job:
    end = time.monotonic() + END
    while True:
        job = work.job(ASK.request())
        assert job is not None
        if job.state == state:
            return job
        assert time.monotonic() < end, job
        time.sleep(0.02)


@pytest.mark.thorough
def test_a_first_job_waits_for_nobody(store: Store) -> None:
    work.start(ASK.request())
    job = until("queued")
    assert job.position == 1
    assert work.before(job) == 0
    assert brief(job) == "starting"
    app = open_page("pages/units.py", **HERE)
    job = work.job(ASK.request())
    if job and job.state == "queued":  # its process is being started
        assert bars(app) == ["starting"]
        assert "The profile of small on planted" in words(app)
        assert "waiting" not in words(app)
    until("done")


@pytest.mark.thorough
def test_jobs_wait_for_those_before_them(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv(RUNNER, "tests.jobs.runners:deaf")
        deaf = jobs.submit(store, "test", {"name": "deaf"})
        while (deaf := jobs.find(store, deaf.id)).state != "running":  # type: ignore[assignment, union-attr]
            time.sleep(0.02)
    work.start(ASK.request())
    work.start(Wanted("classy", "classed").request())
    job, other = until("queued"), work.job(Wanted("classy", "classed").request())
    assert job.position == 1, "the line does not count who is at work"
    assert brief(job) == "waiting for 1 other job to end"
    assert other is not None
    assert brief(other) == "waiting for 2 other jobs to end"
    assert bars(open_page("pages/units.py", **HERE)) == ["waiting for 1 other job to end"]
    app = open_page("pages/relevance.py", network="classy", dataset="classed")
    assert bars(app) == ["waiting for 2 other jobs to end"]
    home = AppTest.from_file(str(Path("app.py").resolve()), default_timeout=60).run()
    assert "waiting for 1 other job to end" in bars(home)
    deaf = jobs.cancel(store, deaf.id)
    assert deaf is not None
    processes.send(deaf.pid, deaf.birth, deaf.id, signal.SIGKILL)
    until("done")


def test_words_of_every_state(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.jobs.words.before", lambda job: 0)
    job = Job("0" * 32, "profile", state="queued", number=1, position=1)
    told = {
        "starting": job,
        "leaving the line": Job("0" * 32, "profile", state="queued", cancel_requested=1.0),
        "stopping after the current batch": Job("0" * 32, "profile", state="running", cancel_requested=1.0),
        "25%": Job("0" * 32, "profile", state="running", stage="count", done=1, total=4),
    }
    assert {brief(one): one for one in told.values()} == told
    assert brief(Job("0" * 32, "profile", state="running")) == "starting"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("part", "text"),
    [
        (False, "counting · 25% · about 3 min left"),
        (True, "counting · 25% of this part · about 3 min left for this part"),
    ],
)
def test_a_time_is_said_to_be_of_what_it_is(monkeypatch: pytest.MonkeyPatch, part: bool, text: str) -> None:
    counted = {"stage": "counting", "done": 1, "total": 4, "ends": 280.0, "updated": 100.0}
    job = Job("0" * 32, "profile", state="running", part=part, **counted)  # type: ignore[arg-type]
    monkeypatch.setattr(work, "job", lambda _request: job)
    assert bars(open_page("pages/units.py", **HERE)) == [text]
    assert brief(job) == ("25% of this part" if part else "25%")
