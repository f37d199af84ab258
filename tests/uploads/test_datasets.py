"""Data sets that were added on a page: there or not, undone, swept, and never another's files."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core import config, datasets
from interpret_core.errors import ParameterError, StoreError
from interpret_core.uploads.datasets import DATASETS, AddedDatasets
from interpret_core.uploads.networks import AddedNetworks
from interpret_core.uploads.places import DAY, MOST_STAGED, PATIENCE, RESERVE


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddedDatasets:
    """An empty folder, known to the configuration."""
    monkeypatch.chdir(tmp_path)
    for name in ("INTERPRET_CONFIG", "INTERPRET_DATASETS", "INTERPRET_UPLOADS"):
        monkeypatch.delenv(name, raising=False)
    return AddedDatasets(tmp_path / "uploads")


def pictures(folder: Path, tone: int = 90) -> Path:
    """A folder with one picture."""
    folder.mkdir(parents=True)
    Image.fromarray(np.full((8, 8, 3), tone, np.uint8)).save(folder / "1.png")
    return folder


def registered(added: AddedDatasets, name: str, tone: int = 90) -> Path:
    folder = pictures(added.new_place(0) / "pictures", tone)
    added.register(name, folder, "birds.zip")
    return folder


def test_a_registered_data_set_is_known_and_opened(added: AddedDatasets) -> None:
    folder = registered(added, "birds")
    assert config.current().datasets["birds"] == folder
    assert len(datasets.open_dataset("birds", registered_only=True)) == 1
    assert added.tables()["birds"].origin == "birds.zip"


def test_what_is_removed_is_gone_at_once_and_comes_back_with_its_files_unmoved(added: AddedDatasets) -> None:
    folder = registered(added, "birds")
    before = datasets.open_dataset("birds").digest
    added.remove("birds")
    assert "birds" not in datasets.known()
    assert (folder / "1.png").is_file()  # whoever reads it goes on
    (removed,) = added.removed()
    added.put_back(removed)
    assert datasets.open_dataset("birds").digest == before
    assert added.removed() == []


def test_another_data_set_under_the_same_name_is_another(added: AddedDatasets) -> None:
    registered(added, "birds")
    before = datasets.open_dataset("birds").digest
    added.remove("birds")
    registered(added, "birds", 91)
    assert datasets.open_dataset("birds").digest != before
    with pytest.raises(ParameterError, match="is taken"):
        added.put_back(added.removed()[0])


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".x", "a b", "Birds", "BIRDS"])
def test_names_that_are_none_or_taken_are_refused(added: AddedDatasets, name: str) -> None:
    registered(added, "birds")
    with pytest.raises(ParameterError):
        added.register(name, pictures(added.new_place(0) / "pictures"), "x.zip")
    assert list(added.tables()) == ["birds"]


def test_a_folder_elsewhere_is_registered_where_it_is(added: AddedDatasets, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "photos")
    added.register("photos", folder, "photos")
    assert config.current().datasets["photos"] == folder
    added.remove("photos")
    assert (folder / "1.png").is_file()


def test_the_file_and_the_environment_win(
    added: AddedDatasets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(added, "birds")
    other = pictures(tmp_path / "sets" / "birds", 4)
    monkeypatch.setenv("INTERPRET_DATASETS", str(other))
    assert config.current().datasets["birds"] == other


def test_one_of_many_that_register_a_name_at_the_same_time_has_it(added: AddedDatasets) -> None:
    folders = [pictures(added.new_place(0) / "pictures", tone) for tone in range(6)]
    refused: list[ParameterError] = []

    def register(folder: Path) -> None:
        try:
            AddedDatasets(added.folder.parent).register("birds", folder, "x")
        except ParameterError as error:
            refused.append(error)

    threads = [threading.Thread(target=register, args=(one,)) for one in folders]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(refused) == 5
    assert added.tables()["birds"].folder in folders


def age(path: Path, seconds: float) -> None:
    when = path.stat().st_mtime - seconds
    os.utime(path, (when, when))


def test_what_was_never_registered_goes_and_what_is_stays(added: AddedDatasets) -> None:
    kept = registered(added, "birds")
    left, fresh = added.new_place(0), added.new_place(0)
    for folder in (kept.parent, left):
        age(folder, PATIENCE + 1)
    added.new_place(0)
    assert kept.is_dir()
    assert fresh.is_dir()
    assert not left.exists()


def test_files_of_what_was_removed_go_after_a_day(added: AddedDatasets) -> None:
    folder = registered(added, "birds")
    added.remove("birds")
    age(folder.parent, PATIENCE + 1)
    added.new_place(0)
    assert folder.is_dir()
    (removed,) = added.removed()
    when = int(removed.place.name.partition("~")[0]) - int((DAY + 1) * 1e9)
    removed.place.rename(removed.place.with_name(f"{when}~birds.toml"))
    assert added.removed() == []
    added.new_place(0)
    assert not folder.exists()


def test_discarding_takes_what_is_staged_and_nothing_else(added: AddedDatasets, tmp_path: Path) -> None:
    folder, staged = registered(added, "birds"), added.new_place(0)
    other = pictures(tmp_path / "photos")
    for place in (staged, folder.parent, folder, other, added.folder):
        added.discard(place)
    assert not staged.exists()
    assert (folder / "1.png").is_file()
    assert (other / "1.png").is_file()


def test_a_table_that_cannot_be_read_is_told_and_nothing_is_swept(added: AddedDatasets) -> None:
    folder = registered(added, "birds")
    table = added.folder / "birds.toml"
    table.write_text("folder = 3")
    age(folder.parent, PATIENCE + 1)
    added.new_place(0)
    assert folder.is_dir()  # nobody knows whose it is
    assert "birds" not in added.tables()
    assert str(table) in added.broken()["birds"]
    added.remove("birds")
    assert added.broken() == {}


def test_too_many_that_wait_and_a_full_disk_are_one_line(
    added: AddedDatasets, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(added.folder.parent.parent)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=RESERVE + 10))
        with pytest.raises(StoreError, match="No space left"):
            added.new_place(100)
    for _ in range(MOST_STAGED):
        added.new_place(0)
    with pytest.raises(StoreError, match="wait to be registered"):
        added.new_place(0)


def test_files_that_were_cleared_away_are_not_registered(added: AddedDatasets) -> None:
    place = added.new_place(0)
    folder = pictures(place / "pictures")
    shutil.rmtree(place)
    with pytest.raises(ParameterError, match="begin again"):
        added.register("birds", folder, "x")


def test_a_folder_that_cannot_be_written_is_one_line(added: AddedDatasets) -> None:
    added.folder.parent.write_text("a file where the folder should be")
    assert added.tables() == {}
    with pytest.raises(StoreError, match="cannot be written"):
        added.new_place(0)


def test_networks_and_data_sets_do_not_meet(added: AddedDatasets) -> None:
    networks = AddedNetworks(added.folder.parent)
    registered(added, "birds")
    assert networks.tables() == {}
    assert networks.broken() == {}
    with pytest.raises(ParameterError, match="is taken"):
        networks.register(networks.stage(b"", "a.safetensors"), DATASETS, {"network": "torchvision/resnet18"})
    with pytest.raises(ParameterError, match="no network"):
        networks.remove(DATASETS)
    assert list(added.tables()) == ["birds"]
