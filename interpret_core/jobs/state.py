"""A job's state: what the store keeps of it, and what follows from that.

The record is the authority. Only who bears its token may write what the job does and how it ended; a worker
whose record names another token (or says that it has ended) ends itself.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from interpret_core.jobs import processes
from interpret_core.store.records import canonical_json
from interpret_core.store.store import Store

PREFIX = "job/"
ACTIVE = ("queued", "running")
TYPES: dict[Any, Any] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": int | float,
    "float | None": int | float | None,
    "dict[str, Any]": dict,
    "tuple[str, ...]": list | tuple,
}
STATES = (*ACTIVE, "done", "failed", "cancelled", "died")


def job_id(kind: str, request: Mapping[str, Any]) -> str:
    """Digest of what a job does (32 hex digits): the same request is the same job."""
    return hashlib.sha256(canonical_json([kind, request]).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Job:
    """A snapshot of a job. Times are seconds since the epoch, None where it has not come to that.

    Attributes:
        state: queued, running, done, failed, cancelled, or died (its process vanished, time and again).
        owners: who submitted it and has not cancelled it; one who is not logged in is "". Of one that was
            cancelled, those who wanted it last.
        stage: what it does right now, in words; done and total count steps of that stage.
        part: whether they count a part of the work only, with more to come after it; so does `ends`.
        number: place in the order of submission. position: place in the line, 1 is next; 0 if not queued.
        message: why it failed or died, in one line.
        ends: when it will have ended, as far as that can be told.
        pid, birth, host: its process. log: file with the process's output.
        heartbeat: when the process last said that it lives; only whether it changes counts, not its age.
        token: what the process has to know to write here; empty if there is none.
        dashboard: address of the pages of the cluster that it computes on, if any.
        attempts: processes that were started for it. turn: place in the order in which jobs were started.
        cancel_requested: when the last of its owners asked it to stop.
        again: somebody wants it who came after that; it stands in line again once it has stopped.
    """

    id: str
    kind: str
    request: dict[str, Any] = field(default_factory=dict)
    state: str = "queued"
    owners: tuple[str, ...] = ("",)
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
    again: bool = False
    attempts: int = 0
    turn: int = 0
    pid: int = 0
    birth: str = ""
    host: str = ""
    heartbeat: float = 0.0
    token: str = ""
    dashboard: str = ""
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
    def owner(self) -> str:
        """Who has wanted it longest."""
        return self.owners[0] if self.owners else ""

    @property
    def here(self) -> bool:
        """Whether its process is one of those that this host can see."""
        return self.host == processes.host()

    @property
    def alive(self) -> bool:
        """Whether its process exists, on this host."""
        return self.here and processes.alive(self.pid, self.birth, self.id)

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


def worker_key(identity: str) -> str:
    """The store's key of the lease that a job's process holds while it lives."""
    return f"{PREFIX}{identity}/worker"


def log_path(store: Store, identity: str) -> Path:
    """The file that a job's process writes to. It never comes from the stored state."""
    return store.folder / "logs" / f"{identity}.log"


def load(store: Store, identity: str) -> Job | None:
    """The stored state as it is; None where there is none, or none that this version would have written."""
    if not re.fullmatch("[0-9a-f]{32}", identity):
        return None
    return _parsed(store, identity, store.get_json(key(identity)))


def _parsed(store: Store, identity: str, stored: Any) -> Job | None:
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
    owners = tuple(known.get("owners", ("",)))
    if not all(isinstance(one, str) for one in owners):
        return None
    placed = {"owners": owners, "position": 0, "log": str(log_path(store, identity))}
    job = Job(**{**known, **placed})
    return job if job_id(job.kind, job.request) == identity else None


def change(store: Store, identity: str, decide: Callable[[Job], Mapping[str, Any] | None]) -> Job | None:
    """Change a job's state as one step towards all other processes.

    Args:
        store: keeps it.
        identity: the job's id.
        decide: what becomes other in the job as it is now, or None for nothing; quick, may be called again.

    Returns:
        The job afterwards, None where there is none.
    """

    def changed(stored: Any) -> Any:
        job = _parsed(store, identity, stored)
        new = decide(job) if job is not None else None
        if job is None or new is None:
            return None
        return {**job.to_json(), "updated": time.time(), **new}

    return _parsed(store, identity, store.update_json(key(identity), changed))


def ended(job: Job, state: str, message: str = "") -> dict[str, Any]:
    """What the end of a job changes; it stands in line again where somebody asked for it meanwhile."""
    if state == "cancelled" and job.again:
        return waiting() | {"attempts": 0, "again": False, "cancel_requested": None}
    why = message or (job.message if state == "cancelled" else "")  # who cancelled it has said why
    return {
        "state": state,
        "message": why,
        "finished": time.time(),
        "token": "",
        "dashboard": "",
        "again": False,
    }


def waiting() -> dict[str, Any]:
    """What standing in line again changes: nothing has been done, by nobody."""
    begun = {"stage": "", "done": 0, "total": 0, "part": False, "ends": None}
    process = {"pid": 0, "birth": "", "host": "", "heartbeat": 0.0, "token": "", "dashboard": ""}
    return {"state": "queued", "message": "", **begun, **process}


class Board:
    """All jobs of a store; reads only what has changed since it was asked last."""

    def __init__(self, store: Store) -> None:
        """Read nothing yet."""
        self._store = store
        self._known: dict[str, tuple[float, Job | None]] = {}

    def jobs(self) -> list[Job]:
        """All jobs as they are stored, in the order of submission."""
        written = self._store.written(PREFIX)
        before = self._known
        self._known = {
            name: before[name] if name in before and before[name][0] == when else (when, self._read(name))
            for name, when in written.items()
        }
        return sorted((job for _, job in self._known.values() if job is not None), key=_by_number)

    def _read(self, name: str) -> Job | None:
        return load(self._store, name.removeprefix(PREFIX))


_boards: WeakKeyDictionary[Store, Board] = WeakKeyDictionary()


def stored_jobs(store: Store) -> list[Job]:
    """All jobs as they are stored, in the order of submission."""
    board = _boards.get(store)
    if board is None:
        board = _boards[store] = Board(store)
    return board.jobs()


def _by_number(job: Job) -> int:
    return job.number
