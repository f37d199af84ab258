"""Entry point of the processes of jobs: python -m interpret_core.jobs FOLDER [JOB]."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys

from interpret_core.errors import UnitscopeError
from interpret_core.jobs.launch import SCHEDULER
from interpret_core.jobs.processes import TOKEN
from interpret_core.jobs.scheduler import Scheduler
from interpret_core.jobs.settings import settings
from interpret_core.jobs.worker import work
from interpret_core.store.store import SIZE_LIMIT, Store


def main() -> int:
    """Run the line of a cache folder, or one job of it; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m interpret_core.jobs",
        description="Starts and watches the jobs of a cache folder, until none has been there for a while.",
    )
    parser.add_argument("folder", help="the cache folder")
    parser.add_argument("job", nargs="?", help="work on this job, as its scheduler asks for")
    parser.add_argument("--lease", type=int, help="descriptor of the scheduler's lease, where it has one")
    parser.add_argument("--size-limit", type=int, default=SIZE_LIMIT, help="bytes that the store may take")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        with Store(options.folder, size_limit=options.size_limit) as store:
            if options.job is not None:
                return work(store, options.job, os.environ.get(TOKEN, ""))
            return _scheduled(store, options.lease)
    except UnitscopeError as error:
        logging.getLogger(__name__).error("%s", error)
        return 1


def _scheduled(store: Store, descriptor: int | None) -> int:
    lease = store.lease(SCHEDULER) if descriptor is None else store.inherited(SCHEDULER, descriptor)
    if lease is None:
        print("The jobs of this folder have a scheduler already.")
        return 0
    with lease:
        scheduler = Scheduler(store, lease, settings())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, scheduler.stop)
        return scheduler.run()


if __name__ == "__main__":
    sys.exit(main())
