"""Which executor a command or a server's job uses."""

from __future__ import annotations

import os

from interpret_core.errors import ParameterError
from interpret_core.runtime.executors.base import HERE, Executor

SCHEDULER = "INTERPRET_SCHEDULER"  # address of a Dask scheduler, for the jobs of a server


def chosen(workers: int | None = None, scheduler: str | None = None) -> Executor:
    """The executor that is asked for; this process, where nothing is.

    Args:
        workers: processes beside this one.
        scheduler: address of a Dask scheduler.

    Raises:
        ParameterError: both are given, or fewer than one worker.
    """
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
