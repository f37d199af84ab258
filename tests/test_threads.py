"""Every process that computes waits briefly; what its libgomp says of itself is what counts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from interpret_core import jobs
from interpret_core.jobs.settings import RUNNER
from interpret_core.store.store import Store
from tests.slow import slow

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "command line": ("-m", "interpret_core", "networks"),
    "dashboard": ("-c", "import ui.server.routes, torch; torch.ones(1)"),
}


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever loads libgomp writes its settings down."""
    if not list(Path(sys.prefix).glob("lib/python*/site-packages/torch/lib/libgomp*")):
        pytest.skip("torch computes with another library than GNU's OpenMP here")
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_DISPLAY_ENV", "verbose")


def told(command: str) -> str:
    done = subprocess.run(
        [sys.executable, *COMMANDS[command]], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stderr


@pytest.mark.thorough
@pytest.mark.parametrize("command", COMMANDS)
def test_a_process_waits_briefly(command: str) -> None:
    assert "GOMP_SPINCOUNT = '1000'" in told(command)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("GOMP_SPINCOUNT", "77", "GOMP_SPINCOUNT = '77'"),
        slow("OMP_WAIT_POLICY", "passive", "GOMP_SPINCOUNT = '0'"),
    ],
)
def test_whoever_starts_it_has_the_choice(
    name: str, value: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert line in told("command line")


@pytest.mark.thorough
def test_a_job_waits_briefly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUNNER, "tests.jobs.runners:compute")
    with Store(tmp_path / "cache", shipped=()) as store:
        job = jobs.submit(store, "profile", {})
        done = jobs.wait(store, job.id, 60)
    assert done is not None
    assert done.state == "done", done.message
    assert "GOMP_SPINCOUNT = '1000'" in Path(done.log).read_text()
    assert "GOMP_SPINCOUNT" not in os.environ
