"""The scripts of docs/scale.md that run a profile in parts, as they stand there, with real processes."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from interpret_core.cli import main
from tests.cli.conftest import ROOT
from tests.cli.parts import NETWORK, OPTIONS, SHARDS, results
from tests.planted_dataset import Planted

RUN = re.compile(r'^run="python -m interpret_core profile [^"]*"$', re.MULTILINE)
# What SLURM would do with one array job: every task in a process of its own, all at once.
SBATCH = """#!/bin/sh
for argument in "$@"; do
    case "$argument" in --array=*) array="${argument#--array=}" ;; esac
    last="$argument"
done
for task in $(echo "$array" | tr , " "); do
    SLURM_ARRAY_TASK_ID="$task" sh -c "$last" >> "task-$task.log" 2>&1 &
done
wait
echo "$array" >> arrays.log
"""


def script(mark: str) -> str:
    """The one block of the page that has a word."""
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    (found,) = [block for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if mark in block]
    return found


def run_script(text: str, planted: Planted, folder: Path) -> subprocess.CompletedProcess[str]:
    """A script whose first line asks for the planted data set instead."""
    asked = map(str, ("--network", NETWORK, "--dataset", planted.root, *OPTIONS, *SHARDS))
    own, number = RUN.subn(f'run="python -m interpret_core profile {" ".join(asked)}"', text)
    assert number == 1
    return subprocess.run(
        ["sh", "-c", own], cwd=folder, env=os.environ, capture_output=True, text=True, timeout=600
    )


def alone(planted: Planted) -> dict[str, str]:
    """What one process gives."""
    asked = ("profile", "--network", NETWORK, "--dataset", planted.root, *OPTIONS, *SHARDS)
    assert main([str(one) for one in asked]) == 0
    return results(Path(os.environ["INTERPRET_CACHE"]))


@pytest.mark.slow
def test_the_loop_gives_what_one_process_gives(
    planted: Planted, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    done = run_script(script("for part in"), planted, environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert results(environment / "joined").items() >= alone(planted).items()
    assert "All found in the cache" in done.stdout
    assert (environment / "units.csv").read_text().count("\n") > 50


@pytest.mark.slow
def test_array_jobs_give_what_one_process_gives(
    planted: Planted, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SLURM is not here: a stand-in for sbatch starts the tasks."""
    (environment / "bin").mkdir()
    sbatch = environment / "bin" / "sbatch"
    sbatch.write_text(SBATCH)
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", f"{sbatch.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    text = script("sbatch").replace("parts=16\n", "parts=2\n")
    assert "parts=2\n" in text
    done = run_script(text, planted, environment)
    assert (done.returncode, done.stderr) == (0, "")
    arrays = (environment / "arrays.log").read_text().split()
    assert (arrays[0], arrays[-1]) == ("1,2", "1")
    assert results(environment / "joined").items() >= alone(planted).items()
    assert (environment / "units.csv").exists()
