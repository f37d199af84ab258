"""How long ended jobs are remembered, and what is cleared away after them."""

from __future__ import annotations

import contextlib
import re
import time

from interpret_core.errors import Cancelled
from interpret_core.jobs.launch import LINE
from interpret_core.jobs.state import PREFIX, key, load, log_path, stored_jobs
from interpret_core.store.store import Store

KEPT = 200  # ended jobs
DAYS = 30  # after which they are forgotten
EVERY = 600.0  # seconds between two sweeps


def sweep(store: Store) -> None:
    """Forget old jobs; delete logs of jobs that are not there, locks that nobody holds, what was cleared.

    Whoever submits meanwhile is not kept waiting: then it is done the next time.

    Raises:
        StoreError: the cache cannot be written.
    """
    now = time.time()
    store.sweep_locks()
    store.sweep_cleared()
    with contextlib.suppress(Cancelled), store.lock(LINE, lambda: True):
        ended = sorted(
            (job for job in stored_jobs(store) if not job.active),
            key=lambda job: job.finished or job.updated,
            reverse=True,
        )
        for place, job in enumerate(ended):
            if place >= KEPT or now - (job.finished or job.updated) > DAYS * 24 * 3600:
                found = load(store, job.id)
                if found is not None and not found.active:
                    store.delete_json(key(job.id))
        known = {name.removeprefix(PREFIX) for name in store.json_keys(PREFIX)}
        for path in (store.folder / "logs").glob("*.log"):
            if re.fullmatch("[0-9a-f]{32}", path.stem) and path.stem not in known:
                with contextlib.suppress(OSError):
                    log_path(store, path.stem).unlink()
