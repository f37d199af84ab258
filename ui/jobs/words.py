"""What a job does and how long it takes, in words."""

from __future__ import annotations

from interpret_core.analyses.estimate.result import AnalysisCost
from interpret_core.jobs import Job
from interpret_core.sizes import written
from ui.session.work import before
from ui.shell.theme import count_text


def brief(job: Job) -> str:
    """What a job does, in a word or two: also of one that has not begun."""
    if job.cancelling:
        return "stopping after the current batch" if job.state == "running" else "leaving the line"
    if job.state == "queued":
        others = before(job)
        return f"waiting for {count_text(others, 'other job')} to end" if others else "starting"
    return share(job) if job.stage else "starting"


def share(job: Job) -> str:
    """How much of the work is done; of what, where more is computed after it."""
    return f"{job.fraction:.0%} of this part" if job.part else f"{job.fraction:.0%}"


def remaining(job: Job) -> str:
    """Time left in words; of what, where more is computed after it; empty while nobody can say."""
    if job.seconds_left is None:
        return ""
    return f"about {duration(job.seconds_left)} left" + (" for this part" if job.part else "")


def duration(seconds: float) -> str:
    """`8 s`, `4 min`, `2 h`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def takes(cost: AnalysisCost | None, otherwise: str) -> str:
    """How long it takes and what it keeps, as a sample says; where none was measured, a rule of thumb."""
    if cost is None:
        return f"{otherwise} (a rough rule of thumb, not measured)"
    pace, size = cost.pace, cost.bytes
    told = [f"≈ {duration(pace.middle)} ({duration(pace.low)} to {duration(pace.high)})"]
    told += [f"{written(size.memory)} of memory"] if size.memory else []
    told += [f"{written(size.disk)} on disk"] if size.disk else []
    told += [f"{written(size.temporary)} more meanwhile"] if size.temporary else []
    return ", ".join(told) + ", as measured on a sample"
