"""Workers that run side by side (pytest-xdist) share the cores, and no test is judged by the clock."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.slow import left_out

settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

os.environ["INTERPRET_UPLOADS"] = "0"  # what whoever works here has added is no part of any test

if "PYTEST_XDIST_WORKER" in os.environ:
    # Before torch is imported, and for the processes that tests start: threads of two workers on one core
    # wait for each other in busy loops.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = max(1, cores // int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, str(threads))

LONGEST = ("browser", "real", "thorough")  # marks of tests whose files take up to three minutes


def pytest_addoption(parser: pytest.Parser) -> None:
    """What takes long and adds little to the rest runs on demand: `make test-thorough`, `make test-slow`."""
    parser.addoption("--thorough", action="store_true", help="run the tests marked thorough, too")
    parser.addoption("--slow", action="store_true", help="run all tests: those marked slow, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files begin first, or a worker would be left alone with one of them at the end."""
    left = left_out(items, thorough=config.getoption("--thorough"), slow=config.getoption("--slow"))
    if left:
        without = set(left)
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in without]
    long = {item.path for item in items if any(item.get_closest_marker(name) for name in LONGEST)}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def slowly(request: pytest.FixtureRequest) -> bool:
    """Whether tests of minutes run, too."""
    return bool(request.config.getoption("--slow"))


@pytest.fixture(autouse=True)
def _no_scheduler_is_left() -> Iterator[None]:
    """What a test has started in its own process does not wait for more jobs in the next one's time."""
    yield
    launch = sys.modules.get("interpret_core.jobs.launch")
    if launch is not None:
        launch.end_all()


@pytest.fixture
def demo_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo alone, without a download, from a folder with no configuration."""
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    monkeypatch.delenv("INTERPRET_DEMO", raising=False)
    monkeypatch.delenv("INTERPRET_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
