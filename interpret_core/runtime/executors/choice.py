"""Which executor a command or a server's job uses."""

from __future__ import annotations

import os

from interpret_core.errors import ParameterError
from interpret_core.runtime.executors.base import HERE, Executor

SCHEDULER = "INTERPRET_SCHEDULER"  # address of a Dask scheduler, for the jobs of a server


def chosen(workers: int | None = None, scheduler: str | None = None, part: str | None = None) -> Executor:
    """The executor that is asked for; this process, where nothing is.

    Args:
        workers: processes beside this one.
        scheduler: address of a Dask scheduler.
        part: 3/16 for the third of sixteen runs that share the pieces and know nothing of each other.

    Raises:
        ParameterError: a scheduler and one of the others are given, fewer than one worker, or no part.
    """
    if part is not None:
        from interpret_core.runtime.executors.share import SharedExecutor
        from interpret_core.runtime.rounds import Share

        share = Share.read(part)
        if scheduler:
            raise ParameterError(
                f"--part {part} and --scheduler {scheduler} were both given, expected one of them: a "
                "scheduler gives its workers their pieces by itself."
            )
        return SharedExecutor(share, chosen(workers))
    if workers is not None and scheduler:
        raise ParameterError(
            f"--workers {workers} and --scheduler {scheduler} were both given, expected one of them: workers "
            "of a cluster are started there."
        )
    if scheduler:
        from interpret_core.runtime.executors.cluster import Cluster

        return Cluster(scheduler)
    if workers is not None:
        from interpret_core.runtime.executors.processes import Processes

        return Processes(workers)
    return HERE


def of_jobs() -> Executor:
    """That of a server's jobs: the cluster named by INTERPRET_SCHEDULER, else the job's own process."""
    return chosen(scheduler=os.environ.get(SCHEDULER))
