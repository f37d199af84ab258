"""What a host's environment says of jobs."""

from __future__ import annotations

import os
from dataclasses import dataclass

from interpret_core import sizes
from interpret_core.errors import UserError

PARALLEL = 1  # jobs that work at a time; a profile keeps a small host busy on its own
PER_USER = 10
STALL = 30.0  # minutes
NICENESS = 5  # pages stay quick while a job works
WAITING = 200  # jobs in line, of all users
RUNNER = "INTERPRET_JOB_RUNNER"


@dataclass(frozen=True)
class JobSettings:
    """How many jobs, for how long.

    Attributes:
        parallel: jobs that may work at a time.
        per_user: jobs that one user may have waiting or running; not for who is not logged in.
        stall: seconds without progress after which a job is ended.
        nice: added to the niceness of jobs' processes.
    """

    parallel: int = PARALLEL
    per_user: int = PER_USER
    stall: float = STALL * 60
    nice: int = NICENESS


def settings() -> JobSettings:
    """As the environment says now.

    Raises:
        UserError: a value that is none.
    """
    return JobSettings(
        _whole("INTERPRET_JOBS", PARALLEL, 1),
        _whole("INTERPRET_JOBS_PER_USER", PER_USER, 1),
        _minutes("INTERPRET_JOB_STALL", STALL) * 60,
        _whole("INTERPRET_NICE", NICENESS, 0),
    )


def runner() -> str | None:
    """What to run in place of the analyses, as "package.module:function".

    From the environment and never from the store: what lies in a shared folder must not choose the code that
    runs.
    """
    return os.environ.get(RUNNER) or None


def _whole(name: str, default: int, least: int) -> int:
    return sizes.whole(name, os.environ.get(name, ""), default, least)


def _minutes(name: str, default: float) -> float:
    text = os.environ.get(name, "").strip()
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UserError(f"{name} is {text!r}, expected a number of minutes above 0: change or unset it.")
    return value
