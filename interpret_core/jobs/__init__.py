"""Requests as background jobs: records in the store, one process for each that runs.

A job survives page reloads, closed tabs and a restart of the server. Its id is the digest of what it does, so
two users who press the same button share one job. A job that waits is a record and nothing else; one
scheduler per cache folder, started by whoever submits or looks, starts them in turn.

    job = jobs.submit(store, "profile", request.to_json(), owner="ada")
    while jobs.find(store, job.id).active: ...
"""

from interpret_core.jobs.line import cancel, find, forget, listing, retry, submit, tail, wait
from interpret_core.jobs.state import Job, job_id
from interpret_core.jobs.worker import Runner

__all__ = [
    "Job",
    "Runner",
    "cancel",
    "find",
    "forget",
    "job_id",
    "listing",
    "retry",
    "submit",
    "tail",
    "wait",
]
