"""All jobs, as far as the present visitor may see them, and what they may do with them."""

from __future__ import annotations

from typing import NamedTuple

from interpret_core import jobs
from interpret_core.errors import ParameterError
from interpret_core.jobs import Job
from interpret_core.privacy import without_paths
from ui.access import audit, settings, visitors
from ui.access.roles import Role, Visitor
from ui.access.told import roots
from ui.session import work
from ui.session.memory import again, once
from ui.session.stored import store

LINES = 40  # of a log
SHOWN = 12  # letters of an id that are enough to name a job


class SeenJob(NamedTuple):
    """A job, and what the visitor may know and do.

    Attributes:
        job: as it is.
        owners: who wants it, "" for somebody without a login; empty where the visitor may not know.
        own: whether the visitor is one of them.
        touchable: whether the visitor may cancel and retry it, and read what it wrote.
    """

    job: Job
    owners: tuple[str, ...]
    own: bool
    touchable: bool


@once
def owners_told() -> bool:
    """Whether jobs say whose they are: where there is a login, to those whom somebody has let in by it."""
    visitor = visitors.current()
    return bool(settings.current().login) and bool(visitor.shown) and visitor.role >= Role.VIEWER


@once
def listing() -> list[SeenJob]:
    """All jobs, the latest submission first.

    Raises:
        StoreError: the cache cannot be read.
    """
    visitor, told = visitors.current(), owners_told()
    return [_seen(job, visitor, told) for job in work.listing()]


def _seen(job: Job, visitor: Visitor, told: bool) -> SeenJob:
    own = visitors.may(Role.MEMBER) and visitor.name in job.owners
    return SeenJob(job, job.owners if told else (), own, own or visitors.may(Role.OPERATOR))


def cancel(identity: str, *, everybody: bool = False) -> None:
    """Take back the visitor's wish for a job, or everybody's.

    Args:
        identity: the job's id.
        everybody: nobody shall want it any more: for operators, unless it is the visitor's alone.

    Raises:
        UserError: there is no such job, or the visitor may not; one clear line.
    """
    visitor = visitors.require(Role.MEMBER, "Cancelling a computation")
    job = _found(identity)
    others = tuple(one for one in job.owners if one != visitor.name)
    if not everybody and visitor.name not in job.owners and visitor.role >= Role.OPERATOR:
        everybody = True  # an operator has no wish of their own to take back
    if everybody and others:
        visitors.require(Role.OPERATOR, "Cancelling what others want")
        audit.note("job cancelled", job=job.id[:SHOWN], kind=job.kind, owners=", ".join(others))
    jobs.cancel(store(), job.id, visitor.name, everybody=everybody)
    again()


def retry(identity: str) -> None:
    """Submit a job that has ended once more; it goes on from its finished parts.

    Raises:
        UserError: there is no such job, the visitor may not, or there are as many as there may be.
    """
    visitor = visitors.require(Role.MEMBER, "Starting a computation again")
    job = _found(identity)
    own = visitor.name in job.owners
    if not own:
        visitors.require(Role.OPERATOR, "Starting again what others wanted")
        audit.note("job retried", job=job.id[:SHOWN], kind=job.kind, owners=", ".join(job.owners))
    jobs.retry(store(), job.id, visitor.name if own else None)
    again()


def tail(identity: str) -> list[str]:
    """What a job's process wrote last, without paths of the server; for whose it is, and for operators.

    Raises:
        UserError: there is no such job, or the visitor may not.
    """
    visitor = visitors.require(Role.MEMBER, "Reading what a computation wrote")
    job = _found(identity)
    if visitor.name not in job.owners:
        visitors.require(Role.OPERATOR, "Reading what others' computations wrote")
    known = roots()
    return [without_paths(line, known) for line in jobs.tail(store(), job.id, LINES)]


def message(job: Job) -> str:
    """Why a job failed, without paths of the server."""
    return without_paths(job.message, roots())


def _found(identity: str) -> Job:
    job = jobs.find(store(), identity)
    if job is None:
        raise ParameterError("There is no such job any more: reload the page.")
    return job
