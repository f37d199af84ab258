"""Background jobs, whatever the analysis: a request is all that one has to know."""

from __future__ import annotations

import contextlib
from functools import lru_cache

from interpret_core import jobs
from interpret_core.errors import UnitscopeError, UserError
from interpret_core.jobs import Job
from interpret_core.options import Request
from ui.access import visitors
from ui.access.roles import Role
from ui.session.memory import once
from ui.session.stored import store


@once
def job(request: Request) -> Job | None:
    """The job that computes (or computed) this, None if there never was one.

    Raises:
        StoreError: the cache cannot be read.
    """
    return jobs.find(store(), _identity(request))


@lru_cache(maxsize=1024)
def _identity(request: Request) -> str:
    return jobs.job_id(request.analysis, request.to_json())


def busy(request: Request) -> bool:
    """Whether its job waits or runs; what cannot be asked for does not."""
    try:
        found = job(request)
    except UnitscopeError:
        return False
    return bool(found and found.active)


def ended(request: Request) -> float:
    """When its job ended: it saw the data set as it was then, and so must its page. 0 where none has."""
    found = job(request)
    return (found.finished or 0.0) if found else 0.0


def owner() -> str:
    """Whose jobs this session submits and cancels: "" on one's own machine, where nobody logs in."""
    return visitors.current().name


def start(request: Request) -> Job:
    """Submit the job, or join the one that already runs.

    Raises:
        UserError: the visitor may not, or there are as many jobs as there may be; one plain line.
    """
    visitors.require(Role.MEMBER, "Starting a computation")
    return jobs.submit(store(), request.analysis, request.to_json(), owner=owner())


def refusal() -> str:
    """Why this visitor starts nothing, in a line; empty where they may."""
    return "" if visitors.may(Role.MEMBER) else visitors.refused(Role.MEMBER, "Starting a computation")


def own(found: Job) -> bool:
    """Whether this session's user wants a job, and so may cancel it."""
    return visitors.may(Role.MEMBER) and owner() in found.owners


def cancel(request: Request) -> None:
    """Take back the wish for the job; it stops when nobody else has it."""
    visitors.require(Role.MEMBER, "Cancelling a computation")
    with contextlib.suppress(UserError):  # somebody else's: no button offers it
        jobs.cancel(store(), _identity(request), owner())


@once
def listing() -> list[Job]:
    """All jobs, the latest submission first."""
    return jobs.listing(store())


def before(job: Job) -> int:
    """Jobs that a queued one waits for: those at work, and those whose turn comes before it."""
    others = [other for other in jobs.listing(store()) if other.id != job.id]
    return sum(other.state == "running" or 0 < other.position < job.position for other in others)


def needed(kind: str, name: str) -> str:
    """Why a network or data set cannot be taken away or replaced, in a sentence: a job needs it. Or "".

    Args:
        kind: "network" or "dataset".
        name: of it.
    """
    at_work = any(
        job.active and name in (job.request.get(kind), *job.request.get(f"{kind}s", ())) for job in listing()
    )
    return f"A job that waits or runs needs the name {name}: cancel that job first." if at_work else ""
