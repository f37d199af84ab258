"""Networks that were added on a page: whole or absent, undone, and never another's."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from interpret_core import config
from interpret_core.config import Config
from interpret_core.errors import ParameterError, StoreError, UserError
from interpret_core.uploads import DAY, Uploads, name_problem

ENTRY = {"network": "torchvision/resnet18", "classes": ["owl", "wren"], "size": [64, 96], "mean": [0.5] * 3}


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Uploads:
    """An empty folder, known to the configuration."""
    monkeypatch.chdir(tmp_path)
    for name in ("INTERPRET_CONFIG", "INTERPRET_DATASETS", "INTERPRET_UPLOADS"):
        monkeypatch.delenv(name, raising=False)
    return Uploads(tmp_path / "uploads")


def added(uploads: Uploads, name: str, content: bytes = b"one") -> None:
    uploads.register(uploads.stage(content, "birds.safetensors"), name, ENTRY)


def test_a_registered_network_is_known_to_the_next_reader(uploads: Uploads) -> None:
    assert dict(config.current().networks) == {}
    added(uploads, "birds")
    table = config.current().networks["birds"]
    assert table.network == f"torchvision/resnet18@{uploads.folder / 'birds' / 'birds.safetensors'}"
    assert (table.classes, table.size, table.mean) == (("owl", "wren"), (64, 96), (0.5, 0.5, 0.5))
    assert (uploads.folder / "birds" / "birds.safetensors").read_bytes() == b"one"
    assert not list((uploads.folder / ".staged").iterdir())


def test_what_is_removed_is_gone_at_once_and_can_be_put_back(uploads: Uploads) -> None:
    added(uploads, "birds")
    before = config.current().networks["birds"]
    uploads.remove("birds")
    assert "birds" not in config.current().networks
    (removed,) = uploads.removed()
    assert removed.name == "birds"
    uploads.put_back(removed)
    assert config.current().networks["birds"] == before
    assert uploads.removed() == []


def test_another_file_under_the_same_name_is_another_network(uploads: Uploads) -> None:
    added(uploads, "birds")
    uploads.remove("birds")
    added(uploads, "birds", b"two")
    assert (uploads.folder / "birds" / "birds.safetensors").read_bytes() == b"two"
    with pytest.raises(ParameterError, match="is taken"):
        uploads.put_back(uploads.removed()[0])


@pytest.mark.parametrize("name", ["birds", "Birds", "BIRDS"])
def test_a_name_that_is_taken_is_refused(uploads: Uploads, name: str) -> None:
    added(uploads, "birds")
    staged = uploads.stage(b"two", "birds.safetensors")
    with pytest.raises(ParameterError, match="is taken"):
        uploads.register(staged, name, ENTRY)
    assert (uploads.folder / "birds" / "birds.safetensors").read_bytes() == b"one"
    assert staged.is_file()


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "a/b", "../up", "a\\b", "a b", "-x", "a:b", "x@y", "a\n", "x" * 65, "a\0"],
)
def test_names_that_cannot_stand_in_folders_and_addresses_are_refused(uploads: Uploads, name: str) -> None:
    assert name_problem(name, ())
    with pytest.raises(ParameterError):
        uploads.register(uploads.stage(b"", "a.safetensors"), name, ENTRY)
    assert uploads.tables() == {}


@pytest.mark.parametrize("name", ["birds", "birds-2.1_b", "Vögel", "鳥", "7"])
def test_names_of_any_script_are_taken(uploads: Uploads, name: str) -> None:
    added(uploads, name)
    assert name in config.current().networks


@pytest.mark.parametrize(
    "name", ["../../evil.safetensors", "a#b.safetensors", "/etc/x.safetensors", "é.safetensors"]
)
def test_a_files_name_never_leads_out_of_its_folder(uploads: Uploads, name: str) -> None:
    staged = uploads.stage(b"one", name)
    assert staged.name == "weights.safetensors"
    assert staged.parent.parent == uploads.folder / ".staged"


def test_what_waited_for_a_day_is_swept(uploads: Uploads) -> None:
    stale, fresh = uploads.stage(b"", "a.safetensors"), uploads.stage(b"", "a.safetensors")
    os.utime(stale.parent, (0, 0))
    added(uploads, "birds")
    uploads.remove("birds")
    (removed,) = uploads.removed()
    when = int(removed.folder.name.partition("~")[0]) - int((DAY + 1) * 1e9)
    old = removed.folder.rename(removed.folder.with_name(f"{when}~birds"))
    assert uploads.removed() == []
    uploads.stage(b"", "a.safetensors")
    assert not stale.exists()
    assert not old.exists()
    assert fresh.exists()
    with pytest.raises(ParameterError, match="any more"):
        uploads.put_back(removed)
    with pytest.raises(ParameterError, match="cleared away"):
        uploads.register(stale, "birds", ENTRY)


def test_a_value_that_is_none_is_not_written(uploads: Uploads) -> None:
    staged = uploads.stage(b"", "a.safetensors")
    with pytest.raises(UserError, match="head is 'softmax'"):
        uploads.register(staged, "birds", {**ENTRY, "head": "softmax"})
    assert uploads.tables() == {}


def test_a_folder_that_cannot_be_written_is_one_clear_line(uploads: Uploads) -> None:
    uploads.folder.write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="INTERPRET_UPLOADS"):
        uploads.stage(b"", "a.safetensors")


def test_a_table_that_was_spoilt_by_hand_names_its_file(uploads: Uploads) -> None:
    added(uploads, "birds")
    (uploads.folder / "birds" / "network.toml").write_text("network = ")
    with pytest.raises(UserError, match=r"birds/network\.toml cannot be read"):
        uploads.tables()


def test_the_file_wins_over_an_added_network(uploads: Uploads, tmp_path: Path) -> None:
    added(uploads, "birds")
    (tmp_path / "unitscope.toml").write_text('[networks]\nbirds = "mynet:birds"\n')
    assert config.current().networks["birds"].network == "mynet:birds"


@pytest.mark.parametrize("value", ["0", "off", "no"])
def test_none_are_known_where_they_are_switched_off(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    added(uploads, "birds")
    monkeypatch.setenv("INTERPRET_UPLOADS", value)
    assert config.current().uploads is None
    assert "birds" not in config.current().networks


def test_another_folder_is_followed_and_travels_to_other_processes(
    uploads: Uploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Uploads(tmp_path / "elsewhere")
    added(other, "wrens")
    monkeypatch.setenv("INTERPRET_UPLOADS", str(other.folder))
    now = config.current()
    assert list(now.networks) == ["wrens"]
    copy: Config = pickle.loads(pickle.dumps(now))
    assert (copy.uploads, dict(copy.networks)) == (other.folder, dict(now.networks))
