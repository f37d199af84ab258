"""Jobs, run for real in processes of their own."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from interpret_core import jobs
from interpret_core.errors import ParameterError, UserError
from interpret_core.jobs import processes, scheduler, state, worker
from interpret_core.jobs.settings import RUNNER
from interpret_core.jobs.state import Job
from interpret_core.store.store import Store
from tests.jobs.conftest import ROOT, TIMEOUT, eventually, planted, schedulers, submit, until
from tests.slow import thorough_beyond


def test_a_job_runs_to_its_end_with_progress_on_the_way(store):
    job = submit(store, steps=8, pause=0.3)
    assert job.active
    assert job.position <= 1
    job = until(store, job, lambda job: job.done >= 3)
    assert (job.state, job.stage, job.total) == ("running", "counting", 8)
    assert 0 < job.fraction < 1
    assert job.seconds_left is None, "no pace holds after a second"
    assert job.submitted <= job.started <= job.updated
    job = jobs.wait(store, job.id, TIMEOUT)
    assert (job.state, job.done, job.message) == ("done", 8, "")
    assert job.fraction == 1
    assert job.seconds_left is None
    assert job.started < job.finished
    assert jobs.find(Store(store.folder), job.id) == job  # another server sees the same


@pytest.mark.thorough
def test_surroundings_of_a_job(store):
    job = jobs.wait(store, submit(store, "surroundings").id, TIMEOUT)
    assert job.state == "done"
    told = store.get_json("surroundings")
    assert told == {"nice": os.nice(0) + 5, "leads": True, "stdin": "/dev/null", "pid": job.pid}
    assert store.get("record") is not None
    assert "a line for the log" in jobs.tail(store, job.id)


def test_how_nice_a_job_is_can_be_set(store, monkeypatch):
    monkeypatch.setenv("INTERPRET_NICE", "19")
    assert jobs.wait(store, submit(store, "surroundings").id, TIMEOUT).state == "done"
    assert store.get_json("surroundings")["nice"] == min(19, os.nice(0) + 19)


@pytest.mark.thorough
def test_progress_is_written_at_most_five_times_a_second(store):
    assert jobs.wait(store, submit(store, "busy", seconds=2.2).id, TIMEOUT).state == "done"
    busy = store.get_json("busy")
    writes = busy["writes"]
    assert busy["steps"] > 10_000
    assert 8 <= len(writes) <= 15
    assert all(later - earlier >= 0.99 for earlier, later in zip(writes, writes[5:], strict=False))


@pytest.mark.parametrize("name", ["count", "polite"])
def test_cancel_ends_a_job_within_seconds(store, name):
    job = submit(store, name, steps=1000, pause=0.05)
    until(store, job, lambda job: job.state == "running")
    before = time.monotonic()
    assert jobs.cancel(store, job.id).cancel_requested
    assert time.monotonic() - before < scheduler.GRACE / 2  # the page does not wait
    job = jobs.wait(store, job.id, TIMEOUT)
    assert time.monotonic() - before < scheduler.GRACE
    assert (job.state, job.message) == ("cancelled", "")
    while job.alive:  # it writes the state, then it goes
        assert time.monotonic() - before < scheduler.GRACE
    again = submit(store, name, steps=1, pause=0.05) if name == "count" else jobs.retry(store, job.id)
    assert again.active  # and may start again


@pytest.mark.thorough
@pytest.mark.parametrize("scheduler_is", ["there", "killed"])
def test_a_deaf_job_is_ended(store, scheduler_is):
    job = submit(store, "deaf")
    job = until(store, job, lambda job: job.stage == "deaf")
    assert jobs.cancel(store, job.id).cancelling
    if scheduler_is == "killed":
        for process in schedulers(store.folder):
            process.kill()
    job = jobs.wait(store, job.id, TIMEOUT)
    assert job.state == "cancelled"
    eventually(lambda: not job.alive)


def test_a_users_mistake_is_told_as_it_is(store):
    job = jobs.wait(store, submit(store, "mistake").id, TIMEOUT)
    assert job.state == "failed"
    assert job.message == "Folder '/nowhere' has no index.csv. Point to a folder in Broden's layout."


@pytest.mark.parametrize(
    ("name", "line"), [("bug", "ValueError: a bug over two lines"), ("leave", "SystemExit: 0")]
)
def test_a_bug_is_one_line_and_the_rest_is_in_the_log(store, name, line):
    job = jobs.wait(store, submit(store, name).id, TIMEOUT)
    assert job.state == "failed"
    assert job.message == f"Internal error, please report it: {line}"
    assert any(text.startswith("Traceback") for text in jobs.tail(store, job.id))


def test_a_runner_that_does_not_exist_fails(store, monkeypatch):
    monkeypatch.setenv(RUNNER, "tests.jobs.runners:nothing")
    job = jobs.wait(store, jobs.submit(store, "test", {}).id, TIMEOUT)
    assert job.state == "failed"
    assert "nothing" in job.message


def test_two_who_submit_at_once_share_one_process(store, tmp_path):
    log, found = tmp_path / "log", []
    barrier = threading.Barrier(4)

    def press():
        barrier.wait()
        found.append(submit(store, log=str(log), steps=5, pause=0.1))
        store.close()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({job.id for job in found}) == 1
    assert jobs.wait(store, found[0].id, TIMEOUT).state == "done"
    assert log.read_text() == "start \nend \n"


SUBMIT = """
import sys, time
from interpret_core import jobs
from interpret_core.store import Store
store = Store(sys.argv[1])
time.sleep(max(0, float(sys.argv[3]) - time.time()))
request = {"run": "count", "log": sys.argv[2], "steps": 40, "pause": 0.1}
print(jobs.submit(store, "test", request).id)
"""


@pytest.mark.thorough
def test_servers_that_submit_at_once_start_one_scheduler_and_one_process_which_outlives_them(store, tmp_path):
    log = tmp_path / "log"
    command = [sys.executable, "-c", SUBMIT, str(store.folder), str(log), str(time.time() + 2.5)]
    servers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(4)]
    born = set()
    while any(server.poll() is None for server in servers):
        born |= {process.pid for process in schedulers(store.folder)}
    assert len({server.communicate(timeout=TIMEOUT)[0] for server in servers}) == 1
    assert len(born | {process.pid for process in schedulers(store.folder)}) == 1
    (job,) = jobs.listing(store)
    assert job.active  # all servers have ended
    job = jobs.wait(store, job.id, TIMEOUT)
    assert (job.state, job.attempts) == ("done", 1)
    assert log.read_text() == "start \nend \n"


@pytest.mark.thorough
def test_others_wait_in_line_and_run_in_order(store, tmp_path):
    log = tmp_path / "log"
    line = [submit(store, log=str(log), name=name, steps=40, pause=0.05) for name in "abcd"]
    until(store, line[0], lambda job: job.state == "running")
    assert [job.position for job in jobs.listing(store)] == [3, 2, 1, 0]  # the latest first
    assert [jobs.find(store, job.id).state for job in line] == ["running", "queued", "queued", "queued"]
    assert jobs.cancel(store, line[1].id).state == "cancelled"  # from the line, at once
    assert jobs.find(store, line[2].id).position == 1
    assert [jobs.wait(store, job.id, TIMEOUT).state for job in line] == ["done", "cancelled", "done", "done"]
    assert log.read_text() == "start a\nend a\nstart c\nend c\nstart d\nend d\n"


def test_two_may_work_at_a_time_if_asked(store, monkeypatch):
    monkeypatch.setenv("INTERPRET_JOBS", "2")
    line = [submit(store, name=name, steps=100, pause=0.05) for name in "abc"]
    for job in line[:2]:
        until(store, job, lambda job: job.state == "running")
    time.sleep(0.5)
    assert jobs.find(store, line[2].id).state == "queued"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("INTERPRET_JOBS", "0"),
        ("INTERPRET_JOBS_PER_USER", "ten"),
        ("INTERPRET_JOB_STALL", "nan"),
        ("INTERPRET_NICE", "-1"),
    ],
)
def test_a_setting_that_is_none_is_told(store, monkeypatch, name, text):
    monkeypatch.setenv(name, text)
    with pytest.raises(UserError, match=f"{name} is '{text}', expected a"):
        submit(store)
    assert jobs.listing(store) == []


def test_no_zombies_stay_under_the_server(store):
    job = jobs.wait(store, submit(store, steps=1, pause=0).id, TIMEOUT)
    eventually(lambda: not Path(f"/proc/{job.pid}").exists())
    (process,) = schedulers(store.folder)
    process.kill()
    eventually(lambda: not Path(f"/proc/{process.pid}").exists())


@pytest.mark.thorough
def test_a_scheduler_with_nothing_to_do_ends(store):
    jobs.wait(store, submit(store, steps=1, pause=0).id, TIMEOUT)
    assert schedulers(store.folder)
    eventually(lambda: not schedulers(store.folder))
    assert jobs.wait(store, submit(store, steps=2, pause=0).id, TIMEOUT).state == "done"


def test_a_second_scheduler_ends_at_once(store):
    submit(store, "polite")
    command = [sys.executable, "-m", "interpret_core.jobs", str(store.folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (ended.returncode, ended.stdout) == (0, "The jobs of this folder have a scheduler already.\n")


@pytest.mark.thorough
def test_a_changed_configuration_counts_from_the_next_job_on(store, monkeypatch):
    running = until(store, submit(store, "polite"), lambda job: job.state == "running" and job.pid)
    (before,) = schedulers(store.folder)
    monkeypatch.setenv("INTERPRET_NICE", "7")
    waiting = submit(store, "surroundings")
    eventually(lambda: before.pid not in {process.pid for process in schedulers(store.folder)})
    assert jobs.find(store, running.id).state == "running"
    assert jobs.find(store, running.id).pid == running.pid, "who is at work is left alone"
    jobs.cancel(store, running.id)
    assert jobs.wait(store, waiting.id, TIMEOUT).state == "done"
    assert store.get_json("surroundings")["nice"] == os.nice(0) + 7


def test_forget(store):
    job = submit(store, "polite")
    assert not jobs.forget(store, job.id)
    until(store, job, lambda job: job.state == "running")
    jobs.cancel(store, job.id)
    jobs.wait(store, job.id, TIMEOUT)
    assert jobs.forget(store, job.id)
    assert not jobs.forget(store, job.id)
    assert jobs.find(store, job.id) is None
    assert jobs.listing(store) == []
    assert not Path(job.log).exists()


@pytest.mark.thorough
def test_retry(store):
    job = jobs.wait(store, submit(store, "mistake", owner="ada").id, TIMEOUT)
    assert job.state == "failed"
    again = jobs.retry(store, job.id)
    assert (again.id, again.owners, again.number) == (job.id, ("ada",), job.number + 1)
    assert jobs.wait(store, job.id, TIMEOUT).state == "failed"
    assert jobs.retry(store, job.id, "eve").owners == ("eve",)
    assert jobs.retry(store, "0" * 32) is None


def test_the_last_lines_are_readable(store):
    job = Job(jobs.job_id("test", {}), "test", {}, "done")
    path = Path(state.log_path(store, job.id))
    path.parent.mkdir(parents=True)
    path.write_bytes(b"first\n" * 50_000 + b"\x1b[31mred\x1b[0m \xff 10%\r 20%\r\nlast\x00\n")
    assert jobs.tail(store, job.id, 3) == ["first", "red \ufffd 10% 20%", "last"]
    assert jobs.tail(store, job.id, 0) == []
    secret = store.folder / "secret"
    path.rename(secret)
    path.symlink_to(secret)
    assert jobs.tail(store, job.id) == [], "a link in a shared folder is not followed"
    assert jobs.tail(store, "../../etc/passwd") == []
    assert jobs.tail(store, "0" * 32) == []


def test_unknown_kinds_are_refused(store, monkeypatch):
    monkeypatch.delenv(RUNNER)
    with pytest.raises(ParameterError, match="Unknown kind of job 'profil': did you mean profile"):
        jobs.submit(store, "profil", {})
    assert jobs.listing(store) == []


def test_a_process_that_cannot_be_started_is_one_line(store, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(UserError, match=r"could be started.*no/such/python"):
        jobs.submit(store, "profile", {})
    assert jobs.listing(store) == []


def test_the_same_request_is_the_same_job():
    assert jobs.job_id("profile", {"a": 1, "b": (1, 2)}) == jobs.job_id("profile", {"b": [1, 2], "a": 1})
    assert jobs.job_id("profile", {"a": 1}) != jobs.job_id("profile", {"a": 2})
    assert jobs.job_id("profile", {"a": 1}) != jobs.job_id("other", {"a": 1})


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    from tests.store.mounts import run, small

    monkeypatch.setenv(RUNNER, "tests.jobs.runners:run")

    code = """
import sys
from interpret_core import jobs
from interpret_core.store import Store
store = Store(sys.argv[1])
job = jobs.wait(store, jobs.submit(store, "test", {"run": "fill"}).id, 60)
print(job.state, job.message)
"""
    told = run(code, tmp_path, prefix=small(tmp_path, "tmpfs", "3m"))
    assert told.startswith(f"failed The disk of the cache folder {tmp_path} is full")


# States that a stranger, or a crash, may have left in a shared folder


def test_a_recycled_process_number_is_not_mistaken(store):
    """The test's own process has the number, but another birth or another command line."""
    own = processes.look_up(os.getpid())
    job = Job(jobs.job_id("test", {"run": "deaf"}), "test", {"run": "deaf"}, "running")
    job = replace(job, pid=os.getpid(), birth="long ago", host=processes.host(), attempts=4, token="t")
    planted(store, job)
    assert jobs.wait(store, job.id, TIMEOUT).state == "died"
    planted(store, job, birth=own.birth)
    assert jobs.wait(store, job.id, TIMEOUT).state == "died"
    planted(store, job, birth=own.birth)
    jobs.cancel(store, job.id)
    assert jobs.wait(store, job.id, TIMEOUT).state == "cancelled"  # and this process was not sent a signal
    assert processes.alive(os.getpid(), own.birth, "")


@pytest.mark.parametrize(
    "changes",
    [
        {"done": "7"},
        {"state": "dancing"},
        {"request": []},
        {"request": {"other": 1}},
        {"pid": None},
        {"owners": "ada"},
        {"owners": [1]},
        {"token": 5},
        {"id": "0" * 32},
    ],
)
def test_a_forged_state_counts_as_none(store, changes):
    job = Job(jobs.job_id("test", {}), "test", {}, "done")
    planted(store, job)
    assert jobs.find(store, job.id) is not None
    planted(store, job, **changes)
    assert jobs.find(store, job.id) is None
    assert jobs.listing(store) == []


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "0" * 31, "0" * 33, "G" * 32])
def test_an_id_from_a_tampered_url_finds_nothing(store, text):
    assert jobs.find(store, text) is None
    assert jobs.cancel(store, text) is None


@thorough_beyond(2)
@pytest.mark.parametrize(("token", "named"), [("", ""), ("mine", "another's"), ("mine", "")])
def test_a_worker_refuses_a_job_that_is_not_its_own(store, monkeypatch, token, named):
    job = Job(jobs.job_id("test", {}), "test", {}, "running", pid=1, birth="x", token=named)
    planted(store, job)
    monkeypatch.setenv(processes.TOKEN, token)
    command = [sys.executable, "-m", "interpret_core.jobs", str(store.folder), job.id]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ended.returncode == 1
    assert "not for this process" in ended.stderr
    assert store.get_json(state.key(job.id))["pid"] == 1


def test_a_process_is_told_by_its_birth_and_its_command(monkeypatch):
    boot = psutil.boot_time()
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()", "a-word"], stdin=subprocess.PIPE
    )
    born = processes.look_up(child.pid)
    assert born is not None
    assert processes.alive(child.pid, born.birth, "a-word")
    end = time.monotonic() + 10
    while not processes.look_up(child.pid).command and time.monotonic() < end:  # in the middle of its exec
        time.sleep(0.01)
    assert not processes.alive(child.pid, born.birth, "another-word")
    monkeypatch.setattr(psutil, "boot_time", lambda: boot + 7200)
    moved = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: moved(self) + 7200)
    assert processes.alive(child.pid, born.birth, "a-word"), "somebody set the clock"
    monkeypatch.undo()
    for other in (str(float(born.birth) - 3600), "nan", "inf", "", "a boot id/4711"):
        assert not processes.alive(child.pid, other, "a-word")
    child.communicate(timeout=10)
    assert processes.look_up(child.pid) is None
    assert processes.look_up(0) is None


def test_a_time_is_told_of_a_part_as_of_a_part_and_never_for_the_whole(store, monkeypatch):
    born = Job(state.job_id("test", {}), "test", state="running", token="t")
    store.put_json(state.key(born.id), born.to_json())
    clock = iter(range(10_000))
    monkeypatch.setattr(worker.time, "time", lambda: float(next(clock)))
    monkeypatch.setattr(worker.time, "monotonic", lambda: float(next(clock)))
    progress = worker._Progress(store, born.id, "t", worker._Stop())
    for done in range(40):
        progress.part("ranking", done, 50)
    job = state.load(store, born.id)
    assert (job.stage, job.part) == ("ranking", True)
    assert job.seconds_left > 0
    for done in range(3):  # as a stage of the same name would
        progress("ranking", done, 1000)
        job = state.load(store, born.id)
        assert (job.done, job.part) == (done, False)
        assert job.seconds_left is None, "that was the time of the part"
    for done in range(3, 40):
        progress("ranking", done, 1000)
    assert state.load(store, born.id).seconds_left > 500


def test_a_job_of_an_earlier_version_is_read(store):
    kept = Job(state.job_id("test", {}), "test", state="done").to_json()
    for name in ("part", "owners", "host", "heartbeat", "token", "attempts", "turn", "again"):
        del kept[name]
    store.put_json(state.key(kept["id"]), kept)
    assert state.load(store, kept["id"]).part is False
    store.put_json(state.key(kept["id"]), {**kept, "part": "yes"})
    assert state.load(store, kept["id"]) is None


def test_time_left_is_up_to_the_end_that_was_told():
    job = Job("id", "kind", state="running", done=30, total=50, ends=108.0, updated=104.0)
    assert job.seconds_left == pytest.approx(4.0)
    assert job.fraction == pytest.approx(0.6)
    assert replace(job, updated=110.0).seconds_left == 0
    assert Job("id", "kind", state="running", done=3, total=0).fraction == 0
    assert Job("id", "kind", state="running", done=10, total=50).seconds_left is None
