"""Entry point of a job's process: python -m interpret_core.jobs FOLDER ID."""

from __future__ import annotations

import argparse
import logging
import sys

from interpret_core.jobs.worker import work
from interpret_core.store.store import SIZE_LIMIT, Store


def main() -> int:
    """Run the job that the command line names; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m interpret_core.jobs", description="Runs one background job."
    )
    parser.add_argument("folder", help="the cache folder")
    parser.add_argument("job", help="the job's id")
    parser.add_argument("--runner", help="package.module:function, in place of the kind's own")
    parser.add_argument("--parallel", type=int, default=1, help="jobs that may work at a time")
    parser.add_argument("--size-limit", type=int, default=SIZE_LIMIT, help="bytes that the store may take")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with Store(options.folder, size_limit=options.size_limit) as store:
        return work(store, options.job, options.runner, options.parallel)


if __name__ == "__main__":
    sys.exit(main())
