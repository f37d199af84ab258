"""Compile what numba compiles, once for all processes of the tests: `python -m tests.compiled`.

A small profile with chance level and assessment calls all of it; what is compiled is kept beside the sources.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from interpret_core.analyses.profile.compute import run_profile
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.analyses.runs import request_for
from tests.planted_dataset import make_planted


def main() -> None:
    """Profile a planted data set in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        planted = make_planted(Path(folder) / "planted", images=8, size=56, annotation=28)
        with Store(Path(folder) / "cache") as store:
            run_profile(request_for(planted), store, Execution(device="cpu"))


if __name__ == "__main__":
    main()
