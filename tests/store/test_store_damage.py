"""What must never be served: damaged entries, and whatever a stranger planted in a shared cache folder."""

import logging
import os
import pickle
import sqlite3
import time
from pathlib import Path

import diskcache
import numpy as np
import pytest

from interpret_core.errors import StoreError
from interpret_core.store.disk import Damage, PlainDisk
from interpret_core.store.records import Record
from interpret_core.store.store import Store

SMALL = Record({"a": np.arange(5)}, {"name": "small"})
LARGE = Record({"a": np.arange(100_000)}, {"name": "large"})


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "cache") as store:
        yield store


def blob(store: Store) -> Path:
    return max(store.folder.glob("results/??/??/*.val"), key=lambda path: path.stat().st_size)


def sql(store: Store, *query):
    with sqlite3.connect(store.folder / "results" / "cache.db") as index:
        index.execute(*query)
    index.close()


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link(path: Path) -> None:
    copy = path.with_suffix(".copy")
    path.rename(copy)
    path.symlink_to(copy)


DAMAGES = {
    "first byte": lambda path: flip(path, 0),
    "checksum": lambda path: flip(path, 20),
    "header": lambda path: flip(path, 60),
    "middle": lambda path: flip(path, 400_000),
    "last byte": lambda path: flip(path, -1),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "half": lambda path: path.write_bytes(path.read_bytes()[:400_000]),
    "empty": lambda path: path.write_bytes(b""),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "missing": lambda path: path.unlink(),
    "a link": link,
    "a pipe": pipe,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_deleted_reported_and_recomputed(tmp_path, caplog, damage):
    told = []
    store = Store(tmp_path, on_damage=told.append)
    store.put("bystander", SMALL)
    store.put("key", LARGE)
    damage(blob(store))
    with caplog.at_level(logging.WARNING):
        assert store.get("key") is None
    assert not store.has("key")
    assert [report.key for report in store.damaged] == [report.key for report in told] == ["key"]
    assert "key" in caplog.text
    assert store.compute("key", lambda: LARGE).to_bytes() == LARGE.to_bytes()
    assert store.get("key").to_bytes() == LARGE.to_bytes()
    assert store.get("bystander") is not None
    assert len(store.damaged) == 1


def test_a_damaged_row_is_deleted_and_reported(store):
    store.put_json("key", "small")
    ((data,),) = (
        sqlite3.connect(store.folder / "results" / "cache.db").execute("SELECT value FROM Cache").fetchall()
    )
    sql(store, "UPDATE Cache SET value = ?", (data[:-1] + bytes([data[-1] ^ 1]),))
    assert store.get_json("key") is None
    assert store.damaged[0].reason == "checksum differs"


@pytest.mark.parametrize("time", ["NULL", "'late'", "X'00FF'"])
def test_a_damaged_time_hides_no_entry(store, time):
    store.put("key", SMALL)
    sql(store, f"UPDATE Cache SET store_time = {time}")
    assert store.has("key")
    assert store.keys() == ["key"]
    assert store.get("key").to_bytes() == SMALL.to_bytes()


def test_an_entry_under_another_key_is_damaged(store):
    store.put("one", LARGE)
    sql(store, "UPDATE Cache SET key = 'record/two'")
    assert store.get("two") is None
    assert store.damaged[0].key == "two"


def test_a_damaged_state_counts_as_absent_and_can_be_written_again(store):
    for number, change in enumerate((lambda old: old, lambda old: old or "new")):
        store.put_json("state", number)
        sql(store, "UPDATE Cache SET value = 'text'")
        store.update_json("state", change)
    assert store.get_json("state") == "new"
    assert [report.key for report in store.damaged] == ["state", "state"]


def test_replacement_between_index_and_file_is_no_damage(store, monkeypatch):
    """A reader holds a row whose file another process has just replaced."""
    store.put("key", LARGE)
    fetch, raced = PlainDisk.fetch, []

    def late(self, mode, filename, value, read):
        if not raced:
            raced.append(filename)
            Store(store.folder).put("key", LARGE)
        return fetch(self, mode, filename, value, read)

    monkeypatch.setattr(PlainDisk, "fetch", late)
    assert store.get("key").to_bytes() == LARGE.to_bytes()
    assert not store.damaged


def test_check_names_and_deletes_damaged_entries_and_leftovers(store):
    store.put("key", LARGE)
    store.put("sound", SMALL)
    flip(blob(store), 100)
    old, young = (store.folder / "results" / "00" / "11" / f"{letter * 28}.val" for letter in "ab")
    old.parent.mkdir(parents=True)
    old.write_bytes(b"half an entry")
    young.write_bytes(b"perhaps a write under way")
    os.utime(old, (time.time() - 7200,) * 2)
    sql(
        store,
        "INSERT INTO Cache (key, raw, mode, value) VALUES (?, 0, 4, ?)",
        (b"pickled key", b"pickled value"),
    )
    check = store.check()
    assert not check.ok
    assert check.damaged == ("key",)
    assert check.leftovers == (f"00/11/{'a' * 28}.val",)
    assert check.refused == 1
    assert check.entries == 1
    assert young.exists()
    assert store.check().ok


class Bomb:
    """Runs code when unpickled: makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def plant(store: Store, form: str, marker: Path) -> None:
    bomb = pickle.dumps(Bomb(marker))
    store.put("bait", LARGE)
    if form == "row":
        sql(store, "UPDATE Cache SET mode = 4, filename = NULL, value = ?", (bomb,))
    elif form == "file":
        blob(store).write_bytes(bomb)
        sql(store, "UPDATE Cache SET mode = 4")
    else:
        sql(store, "INSERT INTO Cache (key, raw, mode, value) VALUES (?, 0, 1, 'x')", (bomb,))


@pytest.mark.parametrize("form", ["row", "file", "key"])
def test_a_planted_pickle_is_never_opened(store, tmp_path, form):
    marker = tmp_path / "code ran"
    plant(store, form, marker)
    store.keys()
    store.get("bait")
    store.has("bait")
    store.check()
    store.delete("bait")
    assert not marker.exists()


@pytest.mark.parametrize("form", ["row", "file", "key"])
def test_the_planted_pickles_would_run_in_a_plain_diskcache(store, tmp_path, form):
    """Else the test above could not fail."""
    marker = tmp_path / "code ran"
    plant(store, form, marker)
    with diskcache.Cache(str(store.folder / "results"), disk=diskcache.Disk) as plain:
        list(plain)
        plain.get("record/bait")
    assert marker.exists()


def test_nothing_is_pickled_on_the_way_in(tmp_path):
    with diskcache.Cache(str(tmp_path), disk=PlainDisk) as cache:
        for key, value in (("key", {"a": 1}), ("key", "text"), ("key", b"bytes"), (("tuple",), b"")):
            with pytest.raises(TypeError, match="store keeps n"):
                cache.set(key, value)
        with pytest.raises(Damage, match="key"):
            cache.disk.get(b"pickle", False)


@pytest.mark.parametrize("name", ["../../secret.val", "/etc/hostname", "00/11/../../../secret.val"])
def test_a_planted_path_is_neither_read_nor_deleted(store, tmp_path, name):
    secret = tmp_path / "secret.val"
    store.put("key", LARGE)
    secret.write_bytes(blob(store).read_bytes())  # it even has the right seal
    sql(store, "UPDATE Cache SET filename = ?", (name,))
    assert store.get("key") is None
    store.put("key", LARGE)
    assert store.get("key") is not None
    assert secret.exists()
    assert Path("/etc/hostname").exists()


def later_version(path: Path) -> bytes:
    """As a later version of the format would have written it; the new content."""
    data = path.read_bytes().replace(b"unitsc02", b"unitsc03", 1)
    path.write_bytes(data)
    return data


def test_an_entry_of_a_later_version_is_left_alone_and_said(store, caplog):
    store.put("a", LARGE)
    path = blob(store)
    data = later_version(path)
    with Store(store.folder) as again:
        assert not again.has("a"), "it has to be computed, as far as this version knows"
        assert again.get("a") is None
        assert not again.delete("a")
        assert not again.damaged
        assert caplog.text.count("of a later version of Unitscope: left alone") == 1
        again.get("a")
        assert caplog.text.count("left alone") == 1, "said once"
        with pytest.raises(StoreError, match=r"holds a of a later version .* update, or set INTERPRET_CACHE"):
            again.put("a", SMALL)
        assert again.compute("a", lambda: SMALL, needed=False).metadata == SMALL.metadata
        assert not again.check().damaged
    assert path.read_bytes() == data


@pytest.mark.thorough
def test_a_lost_index_takes_no_entry_of_a_later_version_along(store):
    store.put("a", LARGE)
    store.put("b", SMALL)
    data = later_version(path := blob(store))
    store.close()
    (store.folder / "results" / "cache.db").write_bytes(b"nothing of an index" * 1000)
    os.utime(path, (time.time() - 7200,) * 2)
    with Store(store.folder) as again:
        assert again.get("b").metadata == SMALL.metadata
        assert again.get("a") is None
        again.check()
    assert path.read_bytes() == data, "the later version finds it where it was"
