"""`jobs`: the background jobs of a cache folder, as its dashboard's pages show them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from interpret_core import config
from interpret_core.cli.options import Cache
from interpret_core.cli.terminal import console, printable, table
from interpret_core.errors import ParameterError

if TYPE_CHECKING:
    from interpret_core.jobs import Job
    from interpret_core.store import Store

SHOWN = 12  # letters of an id in the list, which are enough to name a job
LEAST = 4  # letters that name one

Named = Annotated[str, typer.Argument(metavar="ID", help="Of the list, or as many letters as tell it apart.")]

jobs_app = typer.Typer(
    help="Background jobs: list, cancel, retry, and what they wrote.", rich_markup_mode=None
)


@jobs_app.callback(invoke_without_command=True)
def _listed(context: typer.Context, cache: Cache = None) -> None:
    if context.invoked_subcommand is None:
        list_jobs(cache)


@jobs_app.command("list")
def list_jobs(cache: Cache = None) -> None:
    """Jobs that wait, run or have ended, the latest first."""
    from interpret_core import jobs

    listed = table("", "id", "job", "of", "state", "owners", "submitted", "what")
    with _opened(cache) as store:
        for job in jobs.listing(store, attend=False):
            of = " on ".join(str(job.request[name]) for name in ("network", "dataset") if name in job.request)
            owners = ", ".join(filter(None, job.owners))
            submitted = (
                time.strftime("%Y-%m-%d %H:%M", time.localtime(job.submitted)) if job.submitted else ""
            )
            listed.add_row(job.id[:SHOWN], job.kind, of, _state(job), owners, submitted, _what(job))
    console().print(listed)


@jobs_app.command("cancel")
def cancel_job(named: Named, cache: Cache = None) -> None:
    """Stop a job, whoever wants it. Finished parts are kept."""
    from interpret_core import jobs

    with _opened(cache) as store:
        job = jobs.cancel(store, _found(store, named).id, everybody=True)
    if job is not None:
        console().print(f"{job.id[:SHOWN]} {'stops' if job.active else f'is {job.state}'}")


@jobs_app.command("retry")
def retry_job(named: Named, cache: Cache = None) -> None:
    """Submit a job that has ended once more, in this command's environment; it goes on from its parts."""
    from interpret_core import jobs

    with _opened(cache) as store:
        job = jobs.retry(store, _found(store, named).id)
    if job is not None:
        console().print(f"{job.id[:SHOWN]} is {job.state}")


@jobs_app.command("log")
def show_log(
    named: Named,
    lines: Annotated[int, typer.Option(metavar="COUNT", min=1, help="How many lines.")] = 40,
    cache: Cache = None,
) -> None:
    """What a job's process wrote last."""
    from interpret_core import jobs

    with _opened(cache) as store:
        job = _found(store, named)
        told = jobs.tail(store, job.id, lines)
    screen = console()
    if job.message:
        screen.print(f"{job.state}: {job.message}", soft_wrap=True)
    for line in told:
        screen.print(printable(line), soft_wrap=True)
    if not told:
        screen.print("It has written nothing.")


@contextmanager
def _opened(cache: Cache) -> Iterator[Store]:
    from interpret_core.store import Store

    with Store(cache or config.current().cache) as store:
        yield store


def _found(store: Store, named: str) -> Job:
    """The one job whose id begins so.

    Raises:
        ParameterError: there is none, or more than one.
    """
    from interpret_core import jobs

    known = jobs.listing(store, attend=False)
    found = [job for job in known if job.id.startswith(named.lower())] if len(named) >= LEAST else []
    if len(found) != 1:
        why = "which is too short" if len(named) < LEAST else f"and {len(found)} jobs begin so"
        raise ParameterError(
            f"The job is {named!r}, {why}: expected an id of python -m interpret_core jobs list."
        )
    return found[0]


def _state(job: Job) -> str:
    if job.state == "queued":
        return f"waiting, {job.position}"
    return "stopping" if job.cancelling else job.state


def _what(job: Job) -> str:
    """What it is at, or why it has ended."""
    if job.state == "running" and job.stage:
        return f"{job.stage} {job.fraction:.0%}"
    return job.message[:80]
