"""One scheduler for a folder: whose turn it is, who may have how many, who is dead, and what hangs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpret_core import jobs
from interpret_core.errors import UserError
from interpret_core.jobs import history, launch, processes, scheduler, settings, state
from interpret_core.jobs.scheduler import Scheduler
from interpret_core.jobs.settings import JobSettings
from interpret_core.jobs.state import Job
from interpret_core.jobs.turns import order
from interpret_core.jobs.watch import LONGEST, SteadyClock
from interpret_core.store.lease import Lease
from interpret_core.store.store import Store
from tests.jobs.conftest import (
    TIMEOUT,
    eventually,
    kill,
    of_folder,
    planted,
    schedulers,
    submit,
    until,
    workers,
)

ELSEWHERE = "another-machine pid:[1]"


class Here:
    """A scheduler in the test's own process, with a clock that the test moves; its workers are real."""

    def __init__(self, store: Store) -> None:
        lease = store.lease(launch.SCHEDULER)
        assert lease is not None
        self.lease = lease
        self.clock = SteadyClock()
        self.scheduler = Scheduler(store, lease, JobSettings(), self.clock)

    def look(self, seconds: float = 0.0) -> None:
        self.clock._seconds += seconds
        self.scheduler.look()


@pytest.fixture
def here(store: Store) -> Iterator[Here]:
    found = Here(store)
    yield found
    found.lease.close()
    for process in found.scheduler._children.values():
        process.kill()
        process.wait()


def job_of(run: str = "polite", **changes: object) -> Job:
    request = {"run": run}
    return replace(Job(jobs.job_id("test", request), "test", request, number=1), **changes)  # type: ignore[arg-type]


# Turns


def queued(*owners: str | tuple[str, ...]) -> list[Job]:
    named = [(one,) if isinstance(one, str) else one for one in owners]
    return [Job(f"{number}", "test", number=number, owners=one) for number, one in enumerate(named, 1)]


def ids(line: list[Job]) -> str:
    return "".join(job.id for job in line)


def test_owners_take_turns() -> None:
    assert ids(order(queued("", "", ""))) == "123"
    assert ids(order(queued("ada", "ada", "ada", "bob", "eve", "bob"))) == "145263"
    assert ids(order(queued("ada", "ada", ("bob", "ada"), "bob"))) == "1324", "a shared one is a turn of both"


def test_who_was_served_last_comes_last() -> None:
    ended = Job("x", "test", state="done", number=1, owners=("ada",), turn=7)
    at_work = Job("y", "test", state="running", number=2, owners=("bob",), turn=8)
    line = [replace(job, number=job.number + 2) for job in queued("bob", "ada", "eve", "ada")]
    assert ids(order([ended, at_work, *line])) == "3214"


@given(st.lists(st.sets(st.sampled_from("abc"), min_size=1), max_size=12))
def test_everybody_comes_once_and_nobody_twice_before_another(owners: list[set[str]]) -> None:
    line = queued(*(tuple(sorted(one)) for one in owners))
    found = order(line)
    assert sorted(ids([job]) for job in found) == sorted(job.id for job in line)
    for owner in "abc":
        own = [job for job in found if job.owners == (owner,)]
        assert own == sorted(own, key=lambda job: job.number), "one owner's jobs keep their order"
    # As long as somebody waits, nobody else has two turns between two of hers.
    for at, job in enumerate(found):
        left = {owner for other in found[at:] for owner in other.owners}
        for owner in left - set(job.owners):
            until_her = next(n for n, other in enumerate(found[at:]) if owner in other.owners)
            between = [one for other in found[at : at + until_her] for one in other.owners]
            assert all(between.count(one) <= 2 for one in set(between))


@pytest.mark.thorough
def test_the_line_is_served_in_turns(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log"
    first = submit(store, "polite")
    until(store, first, lambda job: job.state == "running")
    names = {"a1": "ada", "a2": "ada", "a3": "ada", "b1": "bob", "b2": "bob"}
    line = {
        name: submit(store, owner=owner, name=name, log=str(log), steps=1, pause=0)
        for name, owner in names.items()
    }
    places = {name: job.position for name, one in line.items() if (job := jobs.find(store, one.id))}
    assert places == {"a1": 1, "b1": 2, "a2": 3, "b2": 4, "a3": 5}
    jobs.cancel(store, first.id)
    assert [jobs.wait(store, job.id, TIMEOUT).state for job in line.values()] == ["done"] * 5  # type: ignore[union-attr]
    assert log.read_text().split()[1::4] == ["a1", "b1", "a2", "b2", "a3"]


@pytest.mark.thorough
def test_sixty_waiting_jobs_cost_one_small_process(store: Store) -> None:
    until(store, submit(store, "polite"), lambda job: job.state == "running")
    for number in range(60):
        submit(store, "count", name=number, steps=1, pause=0)
    time.sleep(1)
    (one,), (worker,) = schedulers(store.folder), workers(store.folder)
    assert {process.pid for process in of_folder(store.folder)} == {one.pid, worker.pid}
    assert len([job for job in jobs.listing(store) if job.state == "queued"]) == 60
    memory = one.memory_full_info()
    print(f"scheduler: {memory.rss / 1e6:.1f} MB resident, {memory.uss / 1e6:.1f} MB its own")
    assert memory.rss <= 50e6
    assert memory.uss <= 35e6


# How many


def test_the_jobs_of_one_user_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERPRET_JOBS_PER_USER", "2")
    first = submit(store, "polite", owner="ada")
    submit(store, steps=1, pause=0, owner="ada")
    with pytest.raises(UserError, match="You have 2 jobs waiting or running, as many as one user may"):
        submit(store, steps=2, pause=0, owner="ada")
    assert submit(store, "polite", owner="ada").id == first.id, "what one has anyway is none more"
    other = submit(store, steps=3, pause=0, owner="bob")
    with pytest.raises(UserError, match="You have 2"):  # joining another's is one more, too
        submit(store, steps=3, pause=0, owner="ada")
    assert jobs.find(store, other.id).owners == ("bob",)  # type: ignore[union-attr]
    for number in range(4, 9):
        submit(store, steps=number, pause=0)  # nobody is logged in
    jobs.cancel(store, first.id, "ada")
    jobs.wait(store, first.id, TIMEOUT)
    until(store, submit(store, "polite", name="again", owner="ada"), lambda job: job.active)


def test_the_line_is_bounded(store: Store, here: Here) -> None:
    for number in range(settings.WAITING):
        request = {"run": "count", "n": number}
        planted(store, Job(jobs.job_id("test", request), "test", request, number=number))
    with pytest.raises(UserError, match=f"{settings.WAITING} jobs wait already"):
        submit(store, "polite")
    assert submit(store, "count", n=3).number == 3, "who asks for one that waits only joins it"


# Shared jobs


def test_a_shared_job_ends_when_the_last_has_left(store: Store) -> None:
    job = submit(store, "polite", owner="ada")
    assert submit(store, "polite", owner="bob").owners == ("ada", "bob")
    until(store, job, lambda job: job.state == "running")
    with pytest.raises(UserError, match="started by others"):
        jobs.cancel(store, job.id, "eve")
    with pytest.raises(UserError, match="started by others"):
        jobs.cancel(store, job.id)
    found = jobs.cancel(store, job.id, "ada")
    assert found is not None
    assert (found.state, found.owners, found.cancelling) == ("running", ("bob",), False)
    jobs.cancel(store, job.id, "bob")
    ended = jobs.wait(store, job.id, TIMEOUT)
    assert ended is not None
    assert (ended.state, ended.owners, ended.message) == ("cancelled", ("bob",), "")


def test_an_operator_ends_it_for_everybody(store: Store) -> None:
    first = submit(store, "polite", owner="ada")
    job = submit(store, steps=1, pause=0, owner="ada")
    submit(store, steps=1, pause=0, owner="bob")
    ended = jobs.cancel(store, job.id, everybody=True)
    assert ended is not None
    assert (ended.state, ended.owners) == ("cancelled", ("ada", "bob"))
    assert ended.message == "An operator cancelled it."
    jobs.cancel(store, first.id, "root", everybody=True)
    stopped = jobs.wait(store, first.id, TIMEOUT)
    assert stopped is not None
    assert (stopped.state, stopped.message) == ("cancelled", "An operator cancelled it.")


@pytest.mark.thorough
def test_who_wants_a_job_that_is_being_stopped_gets_it(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log"
    request = {"log": str(log), "steps": 3, "pause": 1.0}
    job = submit(store, owner="ada", **request)
    until(store, job, lambda job: job.stage == "counting")
    assert jobs.cancel(store, job.id, "ada").cancelling  # type: ignore[union-attr]
    joined = submit(store, owner="bob", **request)
    assert (joined.owners, joined.again) == (("bob",), True)
    done = jobs.wait(store, job.id, TIMEOUT)
    assert done is not None
    assert (done.state, done.owners, done.cancel_requested) == ("done", ("bob",), None)
    assert log.read_text().split().count("start") == 2


# Who is dead


@pytest.mark.thorough
def test_a_heartbeat_is_written(store: Store) -> None:
    job = until(store, submit(store, "polite"), lambda job: job.state == "running")
    until(store, job, lambda now: now.heartbeat != job.heartbeat)
    assert job.host == processes.host()


def test_another_hosts_worker_lives_while_its_heart_beats(store: Store, here: Here) -> None:
    job = job_of(state="running", host=ELSEWHERE, pid=os.getpid(), birth="x", token="theirs", heartbeat=1.0)
    planted(store, job)
    for beat in (2.0, 5e9, 3.0, 0.0, -4.0):  # whatever its clock says
        here.look(scheduler.LOST - 1)
        planted(store, job, heartbeat=beat)
        here.look()
    assert state.load(store, job.id).token == "theirs"  # type: ignore[union-attr]
    here.look(scheduler.LOST - 1)
    assert workers(store.folder) == []
    here.look(2)
    found = until(store, job, lambda found: found.state == "running")
    assert (found.token != "theirs", found.host, found.attempts) == (True, processes.host(), 1)
    assert len(workers(store.folder)) == 1


def test_a_worker_that_holds_its_lease_is_not_taken_for_dead(store: Store, here: Here) -> None:
    job = job_of(state="running", host=ELSEWHERE, token="theirs", heartbeat=1.0)
    planted(store, job)
    lease = store.lease(state.worker_key(job.id))
    assert lease is not None
    here.look()
    here.look(scheduler.LOST + 1)
    assert state.load(store, job.id).token == "theirs"  # type: ignore[union-attr]
    lease.close()
    here.look()
    assert state.load(store, job.id).token != "theirs"  # type: ignore[union-attr]


def test_a_clock_that_is_set_ends_nothing(store: Store, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    job = submit(store, "polite")
    here.look()
    until(store, job, lambda job: job.pid > 0)
    for offset in (1e8, -1e8):
        monkeypatch.setattr(time, "time", lambda offset=offset: 1.7e9 + offset)
        here.look()
        here.look(1)
    monkeypatch.undo()
    found = state.load(store, job.id)
    assert found is not None
    assert (found.state, found.attempts, found.alive) == ("running", 1, True)


def test_time_in_which_nobody_could_look_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SteadyClock()
    before = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: before + 8 * 3600)
    clock.tick()
    assert clock.now() <= LONGEST


@pytest.mark.thorough
def test_a_worker_that_was_replaced_ends_itself(store: Store, here: Here) -> None:
    job = submit(store, "deaf")
    here.look()
    found = until(store, job, lambda job: job.stage == "deaf")
    planted(store, found, token="another's", host=ELSEWHERE)
    eventually(lambda: not workers(store.folder))
    assert state.load(store, job.id).token == "another's"  # type: ignore[union-attr]


@pytest.mark.thorough
def test_children_do_not_outlive_their_worker(store: Store) -> None:
    job = until(store, submit(store, "parent"), lambda _: store.get_json("children") is not None)
    children = store.get_json("children")
    assert all(psutil.pid_exists(child) for child in children)
    kill(job)
    eventually(lambda: not any(map(alive, children)))
    again = until(store, job, lambda found: found.pid not in (0, job.pid))
    eventually(lambda: store.get_json("children") != children)
    jobs.cancel(store, again.id)
    jobs.wait(store, again.id, TIMEOUT)
    eventually(lambda: not any(map(alive, store.get_json("children"))))


def alive(pid: int) -> bool:
    return processes.look_up(pid) is not None


# What happens to the dead


def test_a_job_that_dies_goes_on_three_times(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = jobs.wait(store, submit(store, "vanish", times=3, log=str(log)).id, TIMEOUT)
    assert done is not None
    assert (done.state, done.attempts, log.read_text().count("start")) == ("done", 4, 4)


@pytest.mark.thorough
def test_a_job_that_always_dies_is_given_up(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log"
    job = submit(store, "vanish", times=99, log=str(log))
    after = submit(store, steps=1, pause=0)
    died = jobs.wait(store, job.id, TIMEOUT)
    assert died is not None
    assert (died.state, died.attempts, log.read_text().count("start")) == ("died", 4, 4)
    assert "ended from outside 4 times" in died.message
    assert "start it again" in died.message
    assert str(store.folder) not in died.message
    assert jobs.tail(store, job.id).count("the last that was heard of it") == 4
    assert jobs.wait(store, after.id, TIMEOUT).state == "done"  # type: ignore[union-attr]
    jobs.retry(store, job.id)
    again = until(store, job, lambda job: job.state == "running")
    assert again.attempts == 1


@pytest.mark.thorough
def test_a_job_that_the_system_stops_politely_goes_on(store: Store, tmp_path: Path) -> None:
    """As when a service or a container is stopped; nobody has cancelled it."""
    log = tmp_path / "log"
    job = submit(store, log=str(log), steps=8, pause=0.25)
    found = until(store, job, lambda job: job.done >= 2)
    os.kill(found.pid, signal.SIGTERM)
    done = jobs.wait(store, job.id, TIMEOUT)
    assert done is not None
    assert (done.state, done.attempts) == ("done", 1)
    assert log.read_text().split() == ["start", "start", "end"]


@pytest.mark.thorough
def test_a_job_without_progress_is_ended_and_the_next_begins(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERPRET_JOB_STALL", "0.1")
    hung = submit(store, "deaf")
    slow = submit(store, steps=4, pause=2)
    ended = jobs.wait(store, hung.id, TIMEOUT)
    assert ended is not None
    assert ended.state == "failed"
    assert ended.message.startswith("Nothing moved for 0.1 minutes, so the job was ended")
    assert jobs.wait(store, slow.id, TIMEOUT).state == "done"  # type: ignore[union-attr]


@pytest.mark.thorough
def test_whoever_looks_starts_a_scheduler_where_there_is_none(store: Store, tmp_path: Path) -> None:
    job = submit(store, steps=30, pause=0.1, log=str(tmp_path / "log"))
    waiting = submit(store, steps=1, pause=0)
    until(store, job, lambda job: job.done > 1)
    (killed,) = schedulers(store.folder)
    killed.kill()
    eventually(lambda: not schedulers(store.folder))
    time.sleep(launch.LOOK)
    assert len(jobs.listing(store, attend=False)) == 2
    assert not schedulers(store.folder)
    jobs.find(store, waiting.id)
    assert schedulers(store.folder)
    assert jobs.wait(store, waiting.id, TIMEOUT).state == "done"  # type: ignore[union-attr]
    done = jobs.find(store, job.id)
    assert done is not None
    assert (done.state, done.attempts) == ("done", 1), "the worker went on meanwhile"
    assert (tmp_path / "log").read_text() == "start \nend \n"


@pytest.mark.thorough
def test_a_scheduler_that_cannot_begin_is_not_started_time_and_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(store, job_of())
    monkeypatch.setenv("INTERPRET_JOBS", "none")
    log = store.folder / "logs" / "scheduler.log"
    jobs.find(store, job_of().id)
    eventually(lambda: "INTERPRET_JOBS is 'none'" in log.read_text())
    (process,) = launch._started
    eventually(lambda: process.poll() == 1)
    for _ in range(2):
        time.sleep(launch.LOOK)
        jobs.find(store, job_of().id)
    assert not launch._started


# Where nothing can be written


def test_nothing_starts_on_a_read_only_cache(store: Store, tmp_path: Path) -> None:
    from tests.store.mounts import read_only, run

    planted(store, job_of(), submitted=1.0)
    old = {"run": "count"}
    request = {"run": "deaf"}
    planted(store, Job(jobs.job_id("test", old), "test", old, "done"))
    late = Job(jobs.job_id("test", request), "test", request, "running", heartbeat=time.time())
    planted(store, late, token="x")
    store.put_json(state.key(job_of().id), {**job_of().to_json(), "updated": 5.0})
    code = """
import sys
from interpret_core import jobs
from interpret_core.store import Store
store = Store(sys.argv[1], shipped=())
print(*sorted(job.state for job in jobs.listing(store)))
print(jobs.find(store, sys.argv[2]).message)
"""
    told = run(code, store.folder, job_of().id, prefix=read_only(store.folder)).splitlines()
    assert told[0] == "died done running", "one may be at work elsewhere; the other was left behind"
    assert told[1].startswith("It was not finished when this cache was last worked on")
    assert not of_folder(store.folder)


# What is cleared away


def test_old_jobs_logs_and_locks_are_cleared_away(store: Store) -> None:
    now = time.time()
    for number in range(history.KEPT + 5):
        request = {"n": number}
        job = Job(jobs.job_id("test", request), "test", request, "done", number=number)
        planted(store, job, finished=now - 1000 + number)
    old, active = {"old": 1}, {"active": 1}
    planted(store, Job(jobs.job_id("test", old), "test", old, "failed"), finished=now - 31 * 86400)
    planted(store, Job(jobs.job_id("test", active), "test", active), submitted=1.0)
    kept, gone = jobs.job_id("test", {"n": 100}), jobs.job_id("test", {"n": 0})
    logs = store.folder / "logs"
    logs.mkdir()
    for name in (kept, gone, "scheduler", "0" * 32):
        (logs / f"{name}.log").write_text("x")
    locks = store.folder / "locks"
    with store.lock("in use"):
        before = set(locks.iterdir())
        free = locks / f"{'0' * 32}.lock"  # of a process that was killed
        free.touch()
        history.sweep(store)
        assert not free.exists()
        assert Lease.held(next(path for path in before if path.name == lock_name("in use")))
    found = state.stored_jobs(store)
    assert len(found) == history.KEPT + 1
    assert {job.request.get("n") for job in found} == {None, *range(5, history.KEPT + 5)}
    assert {path.stem for path in logs.iterdir()} == {kept, "scheduler"}


def lock_name(key: str) -> str:
    import hashlib

    return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.lock"


def test_a_lock_that_somebody_waits_for_is_swept_without_two_holding_it(store: Store) -> None:
    import threading

    inside, most, rounds, done = 0, 0, 0, threading.Event()

    def work() -> None:
        nonlocal inside, most, rounds
        while not done.is_set():
            with store.lock("shared"):
                inside += 1
                most = max(most, inside)
                time.sleep(0.0005)
                inside -= 1
                rounds += 1

    def leave() -> None:  # as a process does that is killed before it locks the file that it made
        while not done.is_set():
            (store.folder / "locks" / lock_name("shared")).touch()
            time.sleep(0.001)

    threads = [threading.Thread(target=one) for one in (work, work, work, leave)]
    with store.lock("shared"):  # its folder is there
        pass
    for thread in threads:
        thread.start()
    swept, end = 0, time.monotonic() + 60
    while (swept < 20 or rounds < 100) and time.monotonic() < end:
        swept += store.sweep_locks()
    done.set()
    for thread in threads:
        thread.join()
    assert most == 1
    assert swept >= 20
    assert rounds >= 100
