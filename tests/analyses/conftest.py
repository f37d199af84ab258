"""A planted data set, a store, and no way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpret_core.store.store import Store
from tests.planted_dataset import Planted, make_planted


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return make_planted(tmp_path_factory.mktemp("planted"), images=20, size=112, annotation=112)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")
