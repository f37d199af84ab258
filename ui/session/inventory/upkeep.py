"""The check of the cache, in a thread of its own: no page waits for it, and every server sees how far it is.

What it tells lies in the store, and a lease says whether somebody is at it: one whose server was killed is
known by that.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from interpret_core.errors import ParameterError, StoreError
from interpret_core.store.check import Check
from interpret_core.store.lease import Lease
from interpret_core.store.store import Store
from ui.access import audit, visitors
from ui.access.roles import Role
from ui.session.inventory import contents
from ui.session.memory import again
from ui.session.stored import store

logger = logging.getLogger(__name__)
KEY = "upkeep/check"
PACE = 0.5  # seconds between two counts written down


@dataclass(frozen=True)
class CheckState:
    """A check, at work or the last one.

    Attributes:
        started, finished: seconds since the epoch; 0 where it has not come to that.
        done, total: entries.
        problem: why it could not be done, in one line.
        entries, size: that remain, and their bytes.
        damaged, refused, leftovers: how many of each were deleted (`store.check.Check`).
        index: a line for each time that the index was made anew.
        running: whether somebody is at it now.
    """

    started: float = 0.0
    finished: float = 0.0
    done: int = 0
    total: int = 0
    problem: str = ""
    entries: int = 0
    size: int = 0
    damaged: int = 0
    refused: int = 0
    leftovers: int = 0
    index: tuple[str, ...] = ()
    running: bool = False

    @property
    def sound(self) -> bool:
        """Whether it came to its end and found nothing wrong."""
        return bool(self.finished) and not (
            self.problem or self.damaged or self.refused or self.leftovers or self.index
        )


def latest() -> CheckState | None:
    """The check at work, or the last one; None where there was none.

    Raises:
        StoreError: the cache cannot be read.
    """
    told = store().get_json(KEY)
    if not isinstance(told, dict):
        return None
    names = {name: value for name, value in told.items() if name in CheckState.__annotations__}
    try:
        return CheckState(**{**names, "index": tuple(names.get("index", ())), "running": store().leased(KEY)})
    except TypeError:  # a note that this version would not have written
        return None


def start() -> threading.Thread:
    """Begin to read every entry: what is damaged or left over from a crash is deleted, a bad index made anew.

    Returns:
        The thread that does it.

    Raises:
        UserError: not an operator, somebody is at it already, or the cache cannot be written.
    """
    visitors.require(Role.OPERATOR, "Checking the cache")
    lease = store().lease(KEY)
    if lease is None:
        raise ParameterError("The cache is being checked already: wait for its end.")
    try:
        _tell(store(), CheckState(started=time.time()), needed=True)
        thread = threading.Thread(target=_run, args=(store(), lease), name="check of the cache", daemon=True)
        thread.start()
    except BaseException:
        lease.close()
        raise
    audit.note("cache checked")
    again()
    return thread


def _run(checked: Store, lease: Lease) -> None:
    started, told = time.time(), [0.0]

    def tell(done: int, total: int) -> None:
        if time.monotonic() - told[0] > PACE:
            told[0] = time.monotonic()
            _tell(checked, CheckState(started=started, done=done, total=total))

    try:
        with lease:
            outcome = _outcome(checked.check(tell))
    except StoreError as error:
        outcome = {"problem": str(error)}
    except Exception:
        logger.exception("The check of the cache ended early.")
        outcome = {"problem": "The check ended early: the server's log says why."}
    with contextlib.suppress(StoreError):
        _tell(checked, CheckState(started=started, finished=time.time(), **outcome))
    contents.look_again()
    checked.close()


def _outcome(found: Check) -> dict[str, Any]:
    return {
        "entries": found.entries,
        "size": found.size,
        "damaged": len(found.damaged),
        "refused": found.refused,
        "leftovers": len(found.leftovers),
        "index": found.index,
    }


def _tell(told: Store, state: CheckState, *, needed: bool = False) -> None:
    note = {name: value for name, value in asdict(state).items() if name != "running"}
    told.put_json(KEY, {**note, "index": list(state.index)}, needed=needed)
