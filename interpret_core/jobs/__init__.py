"""Requests as background jobs: one OS process each, with its state in the store.

A job survives page reloads, closed tabs and a restart of the server. Its id is the digest of what it does,
so two users who press the same button share one job. One job works at a time (`PARALLEL`); the others wait
in line as processes of their own, so that nothing has to run for the line to move on.

    job = jobs.submit(store, "profile", request.to_json())
    while jobs.find(store, job.id).active: ...
"""

from interpret_core.jobs.line import PARALLEL, cancel, forget, submit, wait
from interpret_core.jobs.state import Job, find, job_id, listing
from interpret_core.jobs.worker import Runner

__all__ = [
    "PARALLEL",
    "Job",
    "Runner",
    "cancel",
    "find",
    "forget",
    "job_id",
    "listing",
    "submit",
    "wait",
]
