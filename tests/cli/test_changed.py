"""Files that change while a command works: one line, exit status 2, and nothing wrong is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interpret_core.analyses import registry
from tests.cli.conftest import Command
from tests.planted_names import NETWORK, Named

ABLATE = ("ablate", "--network", NETWORK, "--fractions", "0.2", "--rank", "top", "--class", "cat")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Named(split=False).write(tmp_path / "set")


def exchange(root: Path) -> None:
    first, second = root / "images" / "0.png", root / "images" / "3.png"
    shutil.copy(second, first)


def afterwards(monkeypatch: pytest.MonkeyPatch, name: str, happens: Callable[[], None]) -> None:
    """Something happens to the files when an analysis has ended."""
    analysis = type(registry.find(name).load())
    computed = analysis.run

    def run(*arguments: Any) -> Any:
        found = computed(*arguments)
        happens()
        return found

    monkeypatch.setattr(analysis, "run", run)


@pytest.mark.parametrize(("job", "by"), [("relevance", "relevance"), ("profile", "iou")])
def test_between_the_ranking_and_the_ablation(
    command: Command, root: Path, monkeypatch: pytest.MonkeyPatch, job: str, by: str
) -> None:
    afterwards(monkeypatch, job, lambda: exchange(root))
    ran = command(*ABLATE, "--dataset", root, "--by", by)
    assert ran.status == 2
    assert (
        "changed while a result that is needed was computed: nothing of it was kept; run it again" in ran.line
    )
    monkeypatch.undo()


def test_a_profile_stops_in_one_line(command: Command, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on a picture is another one than the digest says."""
    from interpret_core.analyses.profile import compute as profiling

    survey = profiling.surveyed

    def surveyed(*arguments: Any) -> Any:
        found = survey(*arguments)
        exchange(root)
        return found

    monkeypatch.setattr(profiling, "surveyed", surveyed)
    out = root.parent / "out.csv"
    given = ("profile", "--network", NETWORK, "--dataset", root, "--permutations", 0, "--out", out)
    ran = command(*given)
    assert ran.status == 2
    assert ran.line.startswith(f"Error: {root / 'images' / '0.png'} is not the file that it was")
    assert ran.line.endswith("nothing of it was kept; run it again when the files are at rest.")
    assert not out.exists()
    monkeypatch.setattr(profiling, "surveyed", survey)
    assert command(*given).status == 0, "the files are at rest: it is another data set now"
