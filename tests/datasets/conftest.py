from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from interpret_core.datasets import Dataset, open_dataset
from tests.planted_dataset import Planted, make_planted


@pytest.fixture(autouse=True)
def own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the machine's configuration, working folder or cache."""
    for name in ("INTERPRET_CONFIG", "INTERPRET_DATASETS", "INTERPRET_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """Twelve small images; read only."""
    return make_planted(tmp_path_factory.mktemp("planted") / "scenes", size=64, annotation=32)


@pytest.fixture
def dataset(planted: Planted) -> Dataset:
    return open_dataset(planted.root)


@pytest.fixture
def copy(planted: Planted, tmp_path: Path) -> Path:
    """A copy of the planted data set that a test may damage."""
    return Path(shutil.copytree(planted.root, tmp_path / "copy"))
