from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results that the tests of a worker share."""
    return tmp_path_factory.mktemp("answered")


@pytest.fixture
def notebook(answered: Path, demo_shown: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo alone, from a folder that is no checkout, with results of its own."""
    monkeypatch.setenv("INTERPRET_CACHE", str(answered))
    monkeypatch.delenv("INTERPRET_DATASETS", raising=False)
