"""A job's state: what the store keeps of it, and what follows from that."""

from __future__ import annotations

import hashlib
import re
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from interpret_core.jobs import processes
from interpret_core.store.records import canonical_json
from interpret_core.store.store import Store

PREFIX = "job/"
GRACE = 10.0  # seconds between a polite and an impolite end
ACTIVE = ("queued", "running")
TYPES: dict[Any, Any] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": int | float,
    "float | None": int | float | None,
    "dict[str, Any]": dict,
}
STATES = (*ACTIVE, "done", "failed", "cancelled", "died")


def job_id(kind: str, request: Mapping[str, Any]) -> str:
    """Digest of what a job does (32 hex digits): the same request is the same job."""
    return hashlib.sha256(canonical_json([kind, request]).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Job:
    """A snapshot of a job. Times are seconds since the epoch, None where it has not come to that.

    Attributes:
        state: queued, running, done, failed, cancelled, or died (its process vanished).
        stage: what it does right now, in words; done and total count steps of that stage.
        part: whether they count a part of the work only, with more to come after it; so does `ends`.
        number: place in the order of submission. position: place in the line, 1 is next; 0 if not queued.
        message: why it failed or died, in one line.
        ends: when it will have ended, as far as that can be told.
        pid, birth: its process. log: file with the process's output.
        cancel_requested: when somebody asked it to stop.
    """

    id: str
    kind: str
    request: dict[str, Any] = field(default_factory=dict)
    state: str = "queued"
    stage: str = ""
    done: int = 0
    total: int = 0
    part: bool = False
    number: int = 0
    position: int = 0
    message: str = ""
    submitted: float = 0.0
    started: float | None = None
    ends: float | None = None
    updated: float = 0.0
    finished: float | None = None
    cancel_requested: float | None = None
    pid: int = 0
    birth: str = ""
    log: str = ""

    @property
    def active(self) -> bool:
        """Whether it is queued or running."""
        return self.state in ACTIVE

    @property
    def cancelling(self) -> bool:
        """Whether it was asked to stop and has not stopped yet."""
        return self.active and self.cancel_requested is not None

    @property
    def alive(self) -> bool:
        """Whether its process exists."""
        return processes.alive(self.pid, self.birth, self.id)

    @property
    def fraction(self) -> float:
        """Share of the stage or the part that is done, in [0, 1]; 0 while the total is unknown."""
        return min(max(self.done / self.total, 0.0), 1.0) if self.total > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time left of the work, or of the part, when it last told of itself; None while nobody can say."""
        if self.state != "running" or self.ends is None:
            return None
        return max(0.0, self.ends - self.updated)

    def to_json(self) -> dict[str, Any]:
        """What the store keeps; position and log follow from the rest."""
        return {name: value for name, value in asdict(self).items() if name not in ("position", "log")}


def key(identity: str) -> str:
    """The store's key of a job's state."""
    return PREFIX + identity


def log_path(store: Store, identity: str) -> Path:
    """The file that a job's process writes to. It never comes from the stored state."""
    return store.folder / "logs" / f"{identity}.log"


def load(store: Store, identity: str) -> Job | None:
    """The stored state as it is; None where there is none, or none that this version would have written."""
    if not re.fullmatch("[0-9a-f]{32}", identity):
        return None
    stored = store.get_json(key(identity))
    if not isinstance(stored, dict):
        return None
    known = {item.name: stored[item.name] for item in fields(Job) if item.name in stored}
    # Others may write to a shared folder: a page must not stumble over a text where a number should be.
    if not all(
        isinstance(known.get(item.name), TYPES[item.type]) for item in fields(Job) if item.name in known
    ):
        return None
    if stored.get("id") != identity or stored.get("state") not in STATES or "kind" not in stored:
        return None
    job = Job(**{**known, "position": 0, "log": str(log_path(store, identity))})
    return job if job_id(job.kind, job.request) == identity else None


def find(store: Store, identity: str) -> Job | None:
    """The job as it is now; None if it was never submitted, or forgotten."""
    job = load(store, identity)
    if job is None or not job.active:
        return job
    job = _observed(job)
    if job.state != "queued":
        return job
    return next((other for other in listing(store) if other.id == identity), job)


def listing(store: Store) -> list[Job]:
    """All jobs, the latest submission first."""
    found = (load(store, name.removeprefix(PREFIX)) for name in store.json_keys(PREFIX))
    jobs = sorted((_observed(job) for job in found if job is not None), key=lambda job: job.number)
    queued = [job.id for job in jobs if job.state == "queued"]
    placed = [
        replace(job, position=queued.index(job.id) + 1) if job.state == "queued" else job for job in jobs
    ]
    return placed[::-1]


def _observed(job: Job) -> Job:
    """The job with what its process tells: gone, or deaf to a request to stop."""
    if not job.active:
        return job
    if job.alive:
        if job.cancel_requested is not None and time.time() - job.cancel_requested > GRACE:
            # The server that asked may have been restarted meanwhile; whoever looks next ends the job.
            processes.send(job.pid, job.birth, job.id, signal.SIGKILL)
        return job
    if job.cancel_requested is not None:
        return replace(job, state="cancelled", finished=job.updated)
    message = (
        "The job's process ended without a word: killed, out of memory, or the machine restarted. "
        f"What it had finished is kept; start it again. Its output: {job.log}"
    )
    return replace(job, state="died", finished=job.updated, message=message)
