"""What changes in a data set's folder reaches the pages: tables at once, masks after a job or a minute."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from interpret_core import datasets, jobs
from interpret_core.errors import DatasetError
from interpret_core.store.store import Store
from tests.planted_dataset import make_planted, save_mask
from ui.session import memory, opened, results
from ui.shell.sidebar import Ask


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registered data set of its own, that a test may change."""
    make_planted(tmp_path / "mine", images=4, size=32, annotation=16)
    (tmp_path / "unitscope.toml").write_text(
        '[datasets]\nmine = "mine"\n[networks]\nsmall = "tests.ui.networks:small"\n'
    )
    monkeypatch.setenv("INTERPRET_CONFIG", str(tmp_path / "unitscope.toml"))
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    monkeypatch.delenv("INTERPRET_DATASETS", raising=False)
    return tmp_path / "mine"


def on_disk() -> str:
    """What a new process, such as a job's, would say."""
    return datasets.open_dataset("mine").digest


def change_mask(folder: Path) -> None:
    path = next((folder / "images/planted").glob("*_material_0.png"))
    save_mask(path, np.full((16, 16), 7, np.uint16))
    os.utime(path, ns=(time.time_ns(), time.time_ns()))


@pytest.mark.parametrize("table", ["index.csv", "label.csv", "category.csv"])
def test_a_changed_table_is_seen_at_once(folder: Path, table: str) -> None:
    before = results.dataset("mine").digest
    text = (folder / table).read_text()
    (folder / table).write_text(text.replace("val", "check", 1) if table == "index.csv" else text + "\n")
    assert results.dataset("mine").digest == on_disk() != before


def test_an_unchanged_folder_is_opened_once(folder: Path) -> None:
    first = results.dataset("mine")
    assert results.dataset("mine") is first
    assert first.digest == on_disk()
    assert results.dataset("mine", since=time.time() + 1) is first, "the same content: the same object"


def test_a_changed_mask_is_seen_when_a_job_has_ended(folder: Path) -> None:
    ask = Ask("small", "mine")
    before = results.dataset("mine").digest
    assert results.layers(ask) is None
    change_mask(folder)
    assert results.dataset("mine").digest == before, (
        "not yet: a walk over all files for every tile is too much"
    )
    identity = jobs.job_id("profile", ask.request().to_json())
    done = jobs.Job(identity, "profile", ask.request().to_json(), state="done", finished=time.time() + 0.01)
    with Store(folder.parent / "cache") as store:
        store.put_json(f"job/{identity}", done.to_json())
    assert results.layers(ask) is None
    assert results.dataset("mine").digest == on_disk() != before


def test_a_changed_mask_is_seen_after_a_minute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = results.dataset("mine").digest
    change_mask(folder)
    monkeypatch.setattr(opened, "EVERY", 0.0)
    monkeypatch.setattr(opened, "PATIENCE", 20.0)
    assert results.dataset("mine").digest == on_disk() != before


def test_a_folder_that_is_gone_is_an_error_not_a_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert results.dataset("mine").digest
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(DatasetError):
        results.dataset("mine")
    memory.forget()
