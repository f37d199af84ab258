"""A worker's sign of life, and its way of hearing that it is not wanted any more."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from interpret_core.errors import StoreError
from interpret_core.jobs.state import Job, change
from interpret_core.store.store import Store

logger = logging.getLogger(__name__)

BEAT = 5.0  # seconds


class Heartbeat:
    """Writes into the job's record every few seconds, from a thread, while entered.

    Args:
        store: keeps the record.
        identity: the job's id.
        token: what this process may write with. Where the record names another one, or has ended, the
            process ends itself with all that it has started: somebody took it for dead.
        stop: called when somebody cancels the job, from whatever host.
    """

    def __init__(self, store: Store, identity: str, token: str, stop: Callable[[], None]) -> None:
        self._store, self._identity, self._token, self._stop = store, identity, token, stop
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"heartbeat {identity}", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(BEAT):
            try:
                job = change(self._store, self._identity, self._beat)
            except StoreError as error:  # a full disk, say: the process itself is seen on its host
                logger.warning("No sign of life could be written: %s", error)
                continue
            if job is None:  # the folder was deleted; what is computed can still be kept
                continue
            if job.token != self._token:
                logger.error("Job %s was taken over or has ended: this process ends.", self._identity)
                _end()
            if job.cancel_requested is not None:
                self._stop()
        self._store.close()

    def _beat(self, job: Job) -> dict[str, float] | None:
        return {"heartbeat": time.time()} if job.token == self._token else None


def _end() -> None:
    if os.getpgid(0) == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
