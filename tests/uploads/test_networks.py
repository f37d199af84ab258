"""Networks that were added on a page: whole or absent, undone, and never another's."""

from __future__ import annotations

import os
import pickle
import shutil
import threading
import unicodedata
from pathlib import Path

import pytest

from interpret_core import config
from interpret_core.config import Config
from interpret_core.errors import ParameterError, StoreError, UserError
from interpret_core.uploads.names import name_problem
from interpret_core.uploads.networks import AddedNetworks
from interpret_core.uploads.places import DAY, MOST_STAGED, RESERVE

ENTRY = {"network": "torchvision/resnet18", "classes": ["owl", "wren"], "size": [64, 96], "mean": [0.5] * 3}


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddedNetworks:
    """An empty folder, known to the configuration."""
    monkeypatch.chdir(tmp_path)
    for name in ("INTERPRET_CONFIG", "INTERPRET_DATASETS", "INTERPRET_UPLOADS"):
        monkeypatch.delenv(name, raising=False)
    return AddedNetworks(tmp_path / "uploads")


def added(uploads: AddedNetworks, name: str, content: bytes = b"one") -> None:
    uploads.register(uploads.stage(content, "birds.safetensors"), name, ENTRY)


def test_a_registered_network_is_known_to_the_next_reader(uploads: AddedNetworks) -> None:
    assert dict(config.current().networks) == {}
    added(uploads, "birds")
    table = config.current().networks["birds"]
    assert table.network == f"torchvision/resnet18@{uploads.folder / 'birds' / 'birds.safetensors'}"
    assert (table.classes, table.size, table.mean) == (("owl", "wren"), (64, 96), (0.5, 0.5, 0.5))
    assert (uploads.folder / "birds" / "birds.safetensors").read_bytes() == b"one"
    assert not list((uploads.folder / ".staged").iterdir())


def test_what_is_removed_is_gone_at_once_and_can_be_put_back(uploads: AddedNetworks) -> None:
    added(uploads, "birds")
    before = config.current().networks["birds"]
    uploads.remove("birds")
    assert "birds" not in config.current().networks
    (removed,) = uploads.removed()
    assert removed.name == "birds"
    uploads.put_back(removed)
    assert config.current().networks["birds"] == before
    assert uploads.removed() == []


def test_another_file_under_the_same_name_is_another_network(uploads: AddedNetworks) -> None:
    added(uploads, "birds")
    uploads.remove("birds")
    added(uploads, "birds", b"two")
    assert (uploads.folder / "birds" / "birds.safetensors").read_bytes() == b"two"
    with pytest.raises(ParameterError, match="is taken"):
        uploads.put_back(uploads.removed()[0])


@pytest.mark.parametrize("name", ["birds", "Birds", "BIRDS"])
def test_a_name_that_is_taken_is_refused(uploads: AddedNetworks, name: str) -> None:
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
def test_names_that_cannot_stand_in_addresses_are_refused(uploads: AddedNetworks, name: str) -> None:
    assert name_problem(name, ())
    with pytest.raises(ParameterError):
        uploads.register(uploads.stage(b"", "a.safetensors"), name, ENTRY)
    assert uploads.tables() == {}


@pytest.mark.parametrize("name", ["birds", "birds-2.1_b", "Vögel", "鳥", "7"])
def test_names_of_any_script_are_taken(uploads: AddedNetworks, name: str) -> None:
    added(uploads, name)
    assert name in config.current().networks


@pytest.mark.parametrize(
    "name", ["../../evil.safetensors", "a#b.safetensors", "/etc/x.safetensors", "é.safetensors"]
)
def test_a_files_name_never_leads_out_of_its_folder(uploads: AddedNetworks, name: str) -> None:
    staged = uploads.stage(b"one", name)
    assert staged.name == "weights.safetensors"
    assert staged.parent.parent == uploads.folder / ".staged"


def test_what_waited_for_a_day_is_swept(uploads: AddedNetworks) -> None:
    stale, fresh = uploads.stage(b"", "a.safetensors"), uploads.stage(b"", "a.safetensors")
    os.utime(stale.parent, (0, 0))
    added(uploads, "birds")
    uploads.remove("birds")
    (removed,) = uploads.removed()
    when = int(removed.place.name.partition("~")[0]) - int((DAY + 1) * 1e9)
    old = removed.place.rename(removed.place.with_name(f"{when}~birds"))
    assert uploads.removed() == []
    uploads.stage(b"", "a.safetensors")
    assert not stale.exists()
    assert not old.exists()
    assert fresh.exists()
    with pytest.raises(ParameterError, match="any more"):
        uploads.put_back(removed)
    with pytest.raises(ParameterError, match="cleared away"):
        uploads.register(stale, "birds", ENTRY)


def test_a_value_that_is_none_is_not_written(uploads: AddedNetworks) -> None:
    staged = uploads.stage(b"", "a.safetensors")
    with pytest.raises(UserError, match="head is 'softmax'"):
        uploads.register(staged, "birds", {**ENTRY, "head": "softmax"})
    assert uploads.tables() == {}


def test_a_folder_that_cannot_be_written_is_one_clear_line(uploads: AddedNetworks) -> None:
    uploads.folder.write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="INTERPRET_UPLOADS"):
        uploads.stage(b"", "a.safetensors")


def test_the_file_wins_over_an_added_network(uploads: AddedNetworks, tmp_path: Path) -> None:
    added(uploads, "birds")
    (tmp_path / "unitscope.toml").write_text('[networks]\nbirds = "mynet:birds"\n')
    assert config.current().networks["birds"].network == "mynet:birds"


@pytest.mark.parametrize("value", ["0", "off", "no"])
def test_none_are_known_where_they_are_switched_off(
    uploads: AddedNetworks, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    added(uploads, "birds")
    monkeypatch.setenv("INTERPRET_UPLOADS", value)
    assert config.current().uploads is None
    assert "birds" not in config.current().networks


def test_another_folder_is_followed_and_travels_to_other_processes(
    uploads: AddedNetworks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = AddedNetworks(tmp_path / "elsewhere")
    added(other, "wrens")
    monkeypatch.setenv("INTERPRET_UPLOADS", str(other.folder))
    now = config.current()
    assert list(now.networks) == ["wrens"]
    copy: Config = pickle.loads(pickle.dumps(now))
    assert (copy.uploads, dict(copy.networks)) == (other.folder, dict(now.networks))


def test_a_new_network_in_the_place_of_an_old_one_is_not_taken_for_it(uploads: AddedNetworks) -> None:
    """File systems give inodes again: what is remembered must not be told by them alone."""
    for classes in (["v1"], ["v2"], ["v3"]):
        uploads.register(uploads.stage(b"one", "a.safetensors"), "birds", {**ENTRY, "classes": classes})
        assert config.current().networks["birds"].classes == tuple(classes)
        shutil.rmtree(uploads.folder / "birds")
        assert "birds" not in config.current().networks


def test_a_table_that_is_edited_is_read_again(uploads: AddedNetworks) -> None:
    added(uploads, "birds")
    assert config.current().networks["birds"].classes == ("owl", "wren")
    file = uploads.folder / "birds" / "network.toml"
    file.write_text(file.read_text().replace("wren", "kite"))
    assert config.current().networks["birds"].classes == ("owl", "kite")


def test_what_changes_while_it_is_read_is_not_remembered(
    uploads: AddedNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gone when its table was read, and back with the same file a moment later."""
    added(uploads, "birds")
    read = Path.read_text

    def gone_meanwhile(self: Path, *arguments: object, **named: object) -> str:
        if self.name == "network.toml" and (uploads.folder / "birds").exists():
            monkeypatch.setattr(Path, "read_text", read)
            uploads.remove("birds")
            try:
                return read(self, encoding="utf-8")
            finally:
                uploads.put_back(uploads.removed()[0])
        return read(self, encoding="utf-8")

    monkeypatch.setattr(Path, "read_text", gone_meanwhile)
    assert uploads.tables() == {}
    monkeypatch.setattr(Path, "read_text", read)
    assert list(uploads.tables()) == ["birds"]


def test_readers_never_see_half_a_network(uploads: AddedNetworks) -> None:
    added(uploads, "birds")
    ended, seen = threading.Event(), []

    def read() -> None:
        while not ended.is_set():
            seen.append(uploads.tables())
            assert uploads.broken() == {}

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(100):
        uploads.remove("birds")
        uploads.put_back(uploads.removed()[0])
    ended.set()
    reader.join()
    assert {tuple(one) for one in seen} <= {(), ("birds",)}
    assert list(uploads.tables()) == ["birds"]


@pytest.mark.parametrize("content", ["", "network = ", "network = 7", 'network = "x"\nsize = 0', "\x00"])
def test_one_spoilt_table_does_not_take_the_others_along(uploads: AddedNetworks, content: str) -> None:
    added(uploads, "birds")
    added(uploads, "wrens")
    (uploads.folder / "birds" / "network.toml").write_text(content)
    assert list(config.current().networks) == ["wrens"]
    assert "birds/network.toml" in uploads.broken()["birds"]
    with pytest.raises(ParameterError, match="is taken"):
        added(uploads, "birds")
    uploads.remove("birds")
    assert uploads.broken() == {}


@pytest.mark.parametrize("name", ["\u212bng", "\uf900", "e\u0301e"])
def test_a_name_is_the_same_however_it_is_spelt(uploads: AddedNetworks, name: str) -> None:
    added(uploads, name)
    (known,) = config.current().networks
    assert known == unicodedata.normalize("NFC", name)
    with pytest.raises(ParameterError, match="is taken"):
        added(uploads, known)
    uploads.remove(known)
    uploads.put_back(uploads.removed()[0])
    assert list(config.current().networks) == [known]


def test_a_name_that_is_long_in_bytes_is_refused(uploads: AddedNetworks) -> None:
    assert name_problem("\U00020000" * 64, ())
    added(uploads, "鳥" * 64)
    uploads.remove("鳥" * 64)
    uploads.put_back(uploads.removed()[0])


def test_no_more_files_wait_than_have_a_place(uploads: AddedNetworks) -> None:
    waiting = [uploads.stage(b"", "a.safetensors") for _ in range(MOST_STAGED)]
    with pytest.raises(StoreError, match="wait to be registered"):
        uploads.stage(b"", "a.safetensors")
    uploads.discard(waiting[0])
    uploads.stage(b"", "a.safetensors")


def test_an_upload_does_not_fill_the_disk(uploads: AddedNetworks, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(uploads.folder.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=RESERVE))
    with pytest.raises(StoreError, match="No space left"):
        uploads.stage(b"one", "a.safetensors")
    assert not list((uploads.folder / ".staged").iterdir())


def test_text_that_is_none_is_one_clear_line(uploads: AddedNetworks) -> None:
    with pytest.raises(ParameterError, match="no text"):
        uploads.register(uploads.stage(b"", "a.safetensors"), "birds", {**ENTRY, "classes": ["\ud800"]})
    assert uploads.tables() == {}
