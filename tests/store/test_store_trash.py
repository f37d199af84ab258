"""Clearing with undo for a day: restored byte for byte, swept in the end, never over what is newer."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from interpret_core.errors import StoreError
from interpret_core.store import Record, Store
from interpret_core.store import trash as trash_rules
from tests.slow import slow
from tests.store.mounts import read_only, run


def record(number: int, size: int = 5000) -> Record:
    values = np.random.default_rng(number).integers(0, 255, size, dtype=np.uint8)
    return Record({"values": values}, {"number": number, "network": {"digest": "ab"}})


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "cache", shipped=()) as made:
        for number in range(6):
            made.put(f"profile/{number}", record(number))
        made.put("survey/0", record(9, 60_000))
        made.put_json("identity/x", "digest")
        yield made


def files(store):
    """What lies on disk: name -> (inode, modified, bytes)."""
    found = {}
    for path in sorted((store.folder / "results").rglob("*.val")):
        status = path.stat()
        found[path.name] = (status.st_ino, status.st_mtime_ns, path.read_bytes())
    return found


def rows(store):
    with sqlite3.connect(store.folder / "results" / "cache.db") as index:
        return sorted(index.execute("SELECT key, raw, store_time, size, mode, filename, value FROM Cache"))


def of_kind(store, kind):
    return [one for one in store.entries() if one.kind == kind]


def test_entries_say_what_is_there(store):
    found = store.entries()
    assert [one.name for one in found] == sorted(
        [*(f"record/profile/{number}" for number in range(6)), "record/survey/0", "state/identity/x"]
    )
    on_disk = sum(len(content) for _, _, content in files(store).values())
    assert sum(one.bytes for one in found if one.name.startswith("record")) == on_disk
    assert all(abs(one.written - time.time()) < 60 for one in found)


@pytest.mark.parametrize("extra", [0, 100, 40_000])
def test_metadata_is_read_without_the_arrays(store, extra):
    told = {"network": {"digest": "ab"}, "more": "x" * extra}
    store.put("profile/long", Record({"values": np.zeros(9)}, told))
    assert store.metadata("profile/long") == told
    assert store.metadata("profile/none") is None
    (path,) = [one.filename for one in _rows_of(store, "record/profile/0")]
    (store.folder / "results" / path).write_bytes(b"unitsc02" + b"\xff" * 90)
    assert store.metadata("profile/0") is None


def _rows_of(store, name):
    with sqlite3.connect(store.folder / "results" / "cache.db") as index:
        index.row_factory = lambda _, row: type("Row", (), {"filename": row[0]})
        return index.execute("SELECT filename FROM Cache WHERE key = ?", (name,)).fetchall()


def test_what_was_cleared_comes_back_byte_for_byte(store):
    before, on_disk, size = rows(store), files(store), store.size()
    done = store.clear(of_kind(store, "profile"))
    assert (done.entries, done.bytes) == (6, sum(one[3] for one in before if "profile" in one[0]))
    assert store.keys() == ["survey/0"]
    assert not store.has("profile/0")
    assert store.get("profile/0") is None
    assert files(store) == on_disk, "nothing is copied or moved"
    assert store.size() == size, "it still takes its room"
    assert store.cleared() == [done]
    assert store.restore(done.batch) == (6, 0)
    assert rows(store) == before
    assert files(store) == on_disk
    assert store.cleared() == []
    assert store.check().ok


def test_the_check_takes_what_is_aside_for_no_leftover(store, monkeypatch):
    monkeypatch.setattr("interpret_core.store.check.YOUNG", -1.0)
    done = store.clear(store.entries())
    found = store.check()
    assert found.ok
    assert store.restore(done.batch).entries == 8
    assert store.get("survey/0").digest() == record(9, 60_000).digest()


def test_a_computation_meanwhile_wins(store):
    done = store.clear(of_kind(store, "profile"))
    store.put("profile/2", record(77))
    count = len(files(store))
    assert store.restore(done.batch) == (5, 1)
    assert store.get("profile/2").digest() == record(77).digest()
    assert store.get("profile/3").digest() == record(3).digest()
    assert len(files(store)) == count - 1, "what is superseded is gone"
    assert store.check().ok


def test_what_was_written_since_it_was_listed_is_not_cleared(store):
    listed = of_kind(store, "profile")
    store.put("profile/1", record(1))
    assert store.clear(listed).entries == 5
    assert store.keys("profile/") == ["profile/1"]
    assert store.clear(listed) is None, "they are gone already"


def test_after_a_day_it_is_swept(store, monkeypatch):
    done = store.clear(of_kind(store, "profile"))
    assert store.sweep_cleared() == 0
    assert store.cleared() == [done]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + trash_rules.DAY + 1)
    assert store.cleared() == []
    size = store.size()
    assert store.sweep_cleared() == done.bytes
    assert store.size() == size - done.bytes
    assert len(files(store)) == 1
    with pytest.raises(StoreError, match="kept for a day"):
        store.restore(done.batch)
    assert store.check().ok


def test_it_can_be_deleted_at_once(store):
    first = store.clear(of_kind(store, "profile"))
    second = store.clear(of_kind(store, "survey"))
    assert [one.batch for one in store.cleared()] == [second.batch, first.batch]
    store.delete_cleared(first.batch)
    assert store.cleared() == [second]
    assert store.restore(second.batch).entries == 1


@pytest.mark.parametrize("batch", ["", "%", "../x", "1732000000000-0123456", "record"])
def test_what_names_no_batch_restores_and_deletes_nothing(store, batch):
    before = rows(store)
    with pytest.raises(StoreError, match="gone"):
        store.restore(batch)
    store.delete_cleared(batch)
    assert rows(store) == before


def test_two_who_undo_at_once_restore_once(store):
    done = store.clear(of_kind(store, "profile"))
    outcomes, start = [], threading.Barrier(4)

    def undo():
        start.wait()
        try:
            outcomes.append(store.restore(done.batch).entries)
        except StoreError:
            outcomes.append(0)

    threads = [threading.Thread(target=undo) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(outcomes) == [0, 0, 0, 6]
    assert len(store.keys("profile/")) == 6


def test_a_lost_index_brings_everything_back(store):
    store.clear(of_kind(store, "profile"))
    store.close()
    (store.folder / "results" / "cache.db").unlink()
    with Store(store.folder, shipped=()) as again:
        assert len(again.keys("profile/")) == 6
        assert again.get("profile/4").digest() == record(4).digest()
        assert again.cleared() == []


def test_an_entry_of_a_later_version_is_left_alone(store):
    (row,) = _rows_of(store, "record/profile/0")
    path = store.folder / "results" / row.filename
    path.write_bytes(b"unitsc99" + path.read_bytes()[8:])
    with Store(store.folder, shipped=()) as fresh:
        assert fresh.clear(of_kind(fresh, "profile")).entries == 5
        assert "record/profile/0" in [one.name for one in fresh.entries()]


def test_the_check_tells_how_far_it_is(store):
    told = []
    store.check(lambda done, total: told.append((done, total)))
    assert told == [(number, 8) for number in range(1, 9)]


def test_writers_and_readers_go_on_meanwhile(store):
    """Somebody clears and undoes, another writes and reads: every entry is there at the end, and sound."""
    over = threading.Event()
    problems = []

    def write():
        number = 0
        while not over.is_set():
            number += 1
            store.put(f"profile/{number % 6}", record(number % 6))
            found = store.get(f"profile/{(number + 3) % 6}")
            if found is not None and found.digest() != record((number + 3) % 6).digest():
                problems.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(30):
        done = store.clear(of_kind(store, "profile"))
        if done is not None:
            store.restore(done.batch)
    over.set()
    writer.join()
    assert not problems
    assert not store.damaged
    assert {one.digest() for number in range(6) if (one := store.get(f"profile/{number}"))} == {
        record(number).digest() for number in range(6)
    }
    assert store.check().ok


READ_ONLY = """
import sys
from interpret_core.errors import StoreError
from interpret_core.store import Store
with Store(sys.argv[1], shipped=()) as store:
    (done,) = store.cleared()
    for act in (
        lambda: store.clear(store.entries()),
        lambda: store.restore(done.batch),
        lambda: store.delete_cleared(done.batch),
    ):
        try:
            act()
        except StoreError as error:
            assert "cannot" in str(error), error
        else:
            raise AssertionError("it was done")
    assert len(store.keys()) == 1 and store.sweep_cleared() == 0
print("done")
"""


def test_where_nothing_can_be_written_nothing_is_cleared(store):
    store.clear(of_kind(store, "profile"))
    store.close()
    assert run(READ_ONLY, store.folder, prefix=read_only(store.folder)).strip() == "done"


KILLED = """
import os, signal, sys, threading
from interpret_core.store import Store
with Store(sys.argv[1], shipped=()) as store:
    threading.Timer(float(sys.argv[2]), os.kill, (os.getpid(), signal.SIGKILL)).start()
    while True:
        done = store.clear(store.entries())
        store.restore(done.batch)
"""


@pytest.mark.parametrize("after", [0.05, 0.21, slow(0.4), slow(0.6)])
def test_whoever_is_killed_on_the_way_leaves_all_or_nothing(store, after):
    before, on_disk = {row[0]: row[2:] for row in rows(store)}, files(store)
    store.close()
    done = subprocess.run([sys.executable, "-c", KILLED, str(store.folder), str(after)], check=False)
    assert done.returncode == -9
    assert files(store) == on_disk
    with Store(store.folder, shipped=()) as again:
        left = again.cleared()
        assert (len(left), len(again.entries())) in ((1, 0), (0, 8))
        for one in left:
            assert again.restore(one.batch).entries == 8
        assert {row[0]: row[2:] for row in rows(again)} == before
        assert again.check().ok
