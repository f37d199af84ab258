"""What a user does with jobs: submit, cancel, forget, wait.

Nothing here blocks for long: a page may call all of it while it draws.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from interpret_core import threads
from interpret_core.analyses.registry import entries
from interpret_core.errors import ParameterError, UserError, unknown
from interpret_core.jobs import processes, state
from interpret_core.jobs.state import Job, find, job_id, key, log_path
from interpret_core.store.failures import explained
from interpret_core.store.store import Store

PARALLEL = 1  # jobs that work at a time; a profile keeps a small host busy on its own
NUMBER = "jobs/number"
ROOT = Path(__file__).resolve().parents[2]


def submit(
    store: Store,
    kind: str,
    request: Mapping[str, Any],
    *,
    runner: str | None = None,
    argv: Sequence[str] | None = None,
    parallel: int = PARALLEL,
) -> Job:
    """Start a job, or find the one that already does this.

    Args:
        store: keeps the job's state and, from the job, its results.
        kind: name of an analysis.
        request: what to do, as JSON; with the kind it makes the job's id.
        runner: "package.module:function" in place of the kind's own. It travels on the command line, not
            through the store: what lies in a shared cache folder must not choose the code that runs.
        argv: command that starts a worker, in place of this Python's; it must end in an exec of it.
        parallel: jobs that may work at a time; more wait in line.

    Returns:
        The job, queued or perhaps already running.

    Raises:
        ParameterError: an unknown kind.
        StoreError: the state cannot be written.
        UserError: no process can be started.
    """
    if runner is None and kind not in entries():
        raise ParameterError(unknown("kind of job", kind, entries()))
    identity = job_id(kind, request)
    with store.lock(key(identity)):
        job = find(store, identity)
        if job is None or not job.active:
            job = _queued(store, identity, kind, request)
            command = [*(argv or (sys.executable, "-m", "interpret_core.jobs")), str(store.folder), identity]
            command += ["--runner", runner] if runner else []
            _start(store, job, [*command, "--parallel", str(parallel), "--size-limit", str(store.size_limit)])
    return find(store, identity) or job


def cancel(store: Store, identity: str) -> Job | None:
    """Ask a job to stop; it ends as cancelled within seconds, and is ended if it has not after `GRACE`."""
    job = find(store, identity)
    if job is None or not job.active:
        return job
    asked = job.cancel_requested or time.time()

    def note(stored: Any) -> Any:
        return {**stored, "cancel_requested": asked} if stored and stored.get("pid") == job.pid else None

    store.update_json(key(identity), note)
    if processes.send(job.pid, job.birth, job.id, signal.SIGTERM):
        threading.Thread(target=_end, args=(job,), name=f"end {identity}", daemon=True).start()
    return find(store, identity)


def forget(store: Store, identity: str) -> bool:
    """Delete state and log of a job that has ended; its results stay. False if active or unknown."""
    with store.lock(key(identity)):
        job = find(store, identity)
        if job is None or job.active:
            return False
        log_path(store, identity).unlink(missing_ok=True)
        return store.delete_json(key(identity))


def wait(store: Store, identity: str, timeout: float | None = None, poll: float = 0.1) -> Job | None:
    """Wait until a job is neither queued nor running, at most `timeout` seconds; the job as it is then."""
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        job = find(store, identity)
        if job is None or not job.active or (end is not None and time.monotonic() > end):
            return job
        time.sleep(poll)


def _queued(store: Store, identity: str, kind: str, request: Mapping[str, Any]) -> Job:
    number = store.update_json(NUMBER, lambda last: last + 1 if isinstance(last, int) else 1)
    return Job(identity, kind, dict(request), number=number, submitted=time.time(), updated=time.time())


def _start(store: Store, job: Job, command: list[str]) -> None:
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONUNBUFFERED": "1"}
    threads.wait_briefly(environment)
    try:
        with _log(store, job) as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )
    except OSError as error:
        raise UserError(
            f"The job could not be started: {error}. Check memory, disk and {command[0]}."
        ) from error
    # Somebody must wait for a child, or it stays a zombie under the server.
    threading.Thread(target=process.wait, name=f"reap {job.id}", daemon=True).start()
    born = processes.look_up(process.pid)
    try:
        store.put_json(key(job.id), replace(job, pid=process.pid, birth=born.birth if born else "").to_json())
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise


def _log(store: Store, job: Job) -> BinaryIO:
    path = log_path(store, job.id)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")
    except OSError as error:
        raise explained(error, store.folder, "write to") from error


def _end(job: Job) -> None:
    end = time.monotonic() + state.GRACE
    while time.monotonic() < end:
        if not job.alive:
            return
        time.sleep(0.2)
    processes.send(job.pid, job.birth, job.id, signal.SIGKILL)
