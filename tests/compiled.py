"""Compile what numba and pytest compile, once for all processes of the tests: `python -m tests.compiled`.

A small profile with chance level and assessment calls all that numba compiles; it is kept beside the sources.
On a fresh clone, so are the tests, whose assertions pytest rewrites: workers would all do it at once.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from interpret_core.analyses.profile.compute import run_profile
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.analyses.runs import request_for
from tests.planted_dataset import make_planted

TESTS = Path(__file__).resolve().parent


def main() -> None:
    """Profile a planted data set in a folder of its own, and collect the tests where nobody has."""
    with tempfile.TemporaryDirectory() as folder:
        planted = make_planted(Path(folder) / "planted", images=8, size=56, annotation=28)
        with Store(Path(folder) / "cache") as store:
            run_profile(request_for(planted), store, Execution(device="cpu"))
    if not any(TESTS.rglob("*-pytest-*.pyc")):
        # What is wrong with a test is for the run itself to say.
        collect = [sys.executable, "-m", "pytest", "--collect-only", "-qq"]
        subprocess.run(collect, cwd=TESTS.parent, stdout=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    main()
