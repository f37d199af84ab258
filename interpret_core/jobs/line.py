"""What a user does with jobs: submit, look, cancel, retry, forget, wait.

Nothing here blocks for long: a page may call all of it while it draws.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from interpret_core.analyses.registry import entries
from interpret_core.errors import ParameterError, UserError, unknown
from interpret_core.jobs import launch, processes, state
from interpret_core.jobs.launch import LINE
from interpret_core.jobs.settings import WAITING, runner, settings
from interpret_core.jobs.state import Job, job_id, key, load, log_path
from interpret_core.jobs.turns import placed
from interpret_core.store.store import Store

BY_OPERATOR = "An operator cancelled it."
NUMBER = "jobs/number"
FORGOTTEN = 600.0  # seconds without a sign of life, where nobody can look after a job
TAIL = 1 << 16  # bytes of a log that are looked at
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[^\S\n]*\r(?!\n)|[\x00-\x08\x0b-\x1f\x7f]")


def submit(store: Store, kind: str, request: Mapping[str, Any], *, owner: str = "") -> Job:
    """Put a job in the line, or join the one that already does this.

    Args:
        store: keeps the job's state and, from the job, its results.
        kind: name of an analysis.
        request: what to do, as JSON; with the kind it makes the job's id.
        owner: who wants it; "" for who is not logged in.

    Returns:
        The job, queued or perhaps already running.

    Raises:
        ParameterError: an unknown kind.
        StoreError: the state cannot be written.
        UserError: too many jobs already, or no process can be started.
    """
    if runner() is None and kind not in entries():
        raise ParameterError(unknown("kind of job", kind, entries()))
    identity = job_id(kind, request)
    with store.lock(LINE):
        jobs = state.stored_jobs(store)
        job = load(store, identity)
        if job is None or not job.active or (owner not in job.owners and not job.cancelling):
            _refuse(jobs, owner, joining=job is not None and job.active)
        launch.provide(store)  # first: a job that nobody could start is none
        if job is not None and job.active:
            job = state.change(store, identity, lambda found: _joined(found, owner))
        if job is None or not job.active:
            job = _queued(store, identity, kind, request, owner)
            store.put_json(key(identity), job.to_json())
    return find(store, identity) or job


def find(store: Store, identity: str) -> Job | None:
    """The job as it is now; None if it was never submitted, or forgotten."""
    job = load(store, identity)
    if job is None or not job.active:
        return job
    attended = launch.attended(store)
    if job.state == "queued":
        job = next((other for other in placed(state.stored_jobs(store)) if other.id == identity), job)
    return job if attended else _unattended(job)


def listing(store: Store, *, attend: bool = True) -> list[Job]:
    """All jobs, the latest submission first.

    Args:
        store: keeps them.
        attend: start a scheduler where jobs wait and none is alive.
    """
    jobs = placed(state.stored_jobs(store))[::-1]
    attended = not attend or not any(job.active for job in jobs) or launch.attended(store)
    return jobs if attended else [_unattended(job) for job in jobs]


def cancel(store: Store, identity: str, owner: str = "", *, everybody: bool = False) -> Job | None:
    """Take back one owner's wish for a job; it stops, within seconds, when nobody wants it any more.

    Args:
        store: keeps the job's state.
        identity: the job's id.
        owner: who does not want it any more.
        everybody: nobody does; for operators.

    Returns:
        The job afterwards, None where there is none.

    Raises:
        UserError: it is other users' job.
    """
    job = load(store, identity)
    if job is None or not job.active:
        return job
    if owner not in job.owners and not everybody:
        raise UserError("This job was started by others: only they, or an operator, can cancel it.")
    job = state.change(store, identity, lambda found: _left(found, owner, everybody))
    if job is not None and job.cancelling and job.here:
        processes.send(job.pid, job.birth, job.id, signal.SIGTERM)  # at once; the scheduler sees to the rest
    return find(store, identity)


def retry(store: Store, identity: str, owner: str | None = None) -> Job | None:
    """Submit a job that has ended once more; it goes on from its finished parts.

    Args:
        store: keeps the job's state.
        identity: the job's id.
        owner: who wants it; None for who wanted it before.

    Returns:
        The job, as it is where it has not ended, None where there is none.

    Raises:
        UserError: as `submit`.
    """
    job = load(store, identity)
    if job is None or job.active:
        return job
    return submit(store, job.kind, job.request, owner=job.owner if owner is None else owner)


def forget(store: Store, identity: str) -> bool:
    """Delete state and log of a job that has ended; its results stay. False if active or unknown."""
    with store.lock(LINE):
        job = load(store, identity)
        if job is None or job.active:
            return False
        log_path(store, identity).unlink(missing_ok=True)
        return store.delete_json(key(identity))


def tail(store: Store, identity: str, lines: int = 40) -> list[str]:
    """The last lines that a job's process wrote, as a person reads them; none where there is no log."""
    if not re.fullmatch("[0-9a-f]{32}", identity):
        return []
    try:
        descriptor = os.open(log_path(store, identity), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            start = max(0, file.seek(0, 2) - TAIL)
            file.seek(start)
            text = file.read(TAIL).decode("utf-8", "replace")
    except OSError:
        return []
    if start:
        text = text.partition("\n")[2] or text
    return ESCAPES.sub("", text.replace("\r\n", "\n")).splitlines()[-lines:] if lines > 0 else []


def wait(store: Store, identity: str, timeout: float | None = None, poll: float = 0.1) -> Job | None:
    """Wait until a job is neither queued nor running, at most `timeout` seconds; the job as it is then."""
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        job = find(store, identity)
        if job is None or not job.active or (end is not None and time.monotonic() > end):
            return job
        time.sleep(poll)


def _refuse(jobs: list[Job], owner: str, *, joining: bool) -> None:
    """Say why there can be no more, where there cannot."""
    most = settings().per_user
    if owner and sum(job.active and owner in job.owners for job in jobs) >= most:
        raise UserError(
            f"You have {most} jobs waiting or running, as many as one user may have here. Cancel one, or "
            "wait until one has ended."
        )
    if not joining and sum(job.state == "queued" for job in jobs) >= WAITING:
        raise UserError(f"{WAITING} jobs wait already, as many as there may be. Try again later.")


def _queued(store: Store, identity: str, kind: str, request: Mapping[str, Any], owner: str) -> Job:
    number = store.update_json(NUMBER, lambda last: last + 1 if isinstance(last, int) else 1)
    now = time.time()
    return Job(identity, kind, dict(request), owners=(owner,), number=number, submitted=now, updated=now)


def _joined(job: Job, owner: str) -> dict[str, Any] | None:
    """What becomes other where somebody wants what others have asked for."""
    if not job.active:
        return None
    if job.cancelling:  # it cannot be called back, and begins again afterwards
        return {"owners": [owner] if not job.again else [*dict.fromkeys((*job.owners, owner))], "again": True}
    return None if owner in job.owners else {"owners": [*job.owners, owner]}


def _left(job: Job, owner: str, everybody: bool) -> dict[str, Any] | None:
    """What becomes other where somebody does not want it any more."""
    if not job.active:
        return None
    left = [] if everybody else [one for one in job.owners if one != owner]
    if left:
        return {"owners": left}
    message = "" if owner in job.owners else BY_OPERATOR
    asked = {"cancel_requested": job.cancel_requested or time.time(), "again": False, "message": message}
    if job.state == "running":
        return asked
    return {**asked, **state.ended(replace(job, again=False, message=message), "cancelled")}


def _unattended(job: Job) -> Job:
    """A job as it looks where nothing can be started, and nobody else is seen to work on it."""
    if not job.active or time.time() - max(job.heartbeat, job.updated) < FORGOTTEN:
        return job
    message = "It was not finished when this cache was last worked on, and nothing is computed here."
    return replace(job, state="died", position=0, message=message)
