"""What several workers need and takes long to make: the first makes it, each gets a copy of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def copy_of(name: str, target: Path, make: Callable[[Path], object], factory: pytest.TempPathFactory) -> Path:
    """The folder `target`, as `make` fills one.

    Args:
        name: of what is made, the same in all workers and for nothing else.
        target: a folder that is not there yet.
        make: is given a folder that is not there yet; what lies in it afterwards names no path.
        factory: pytest's.
    """
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    shared.mkdir(exist_ok=True)
    made, begun = shared / name, shared / f"{name}.begun"
    with FileLock(str(shared / f"{name}.lock")):
        if not made.exists():
            shutil.rmtree(begun, ignore_errors=True)  # of a worker that failed
            make(begun)
            begun.rename(made)
    shutil.copytree(made, target)
    return target
