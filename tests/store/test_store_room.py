"""Room in the store: what seconds bring back goes first, the longest unread before others; results stay."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from interpret_core.analyses.profile.artefacts import LARGEST, MASKS, THRESHOLDS
from interpret_core.errors import StoreError
from interpret_core.store.disk import MAGIC
from interpret_core.store.kinds import AGAIN, KINDS, kind_of
from interpret_core.store.records import Record
from interpret_core.store.room import Room, Usage
from interpret_core.store.store import Store
from tests.store.mounts import run, small

ROOT = Path(__file__).resolve().parents[2]
BYTES = 100_000  # of a record's array


def record(number: int, size: int = BYTES) -> Record:
    return Record({"a": np.full(size, number % 256, np.uint8)}, {"number": number})


def files(store: Store) -> dict[str, Path]:
    """Key of every record -> its file."""
    with sqlite3.connect(store.folder / "results" / "cache.db") as index:
        rows = index.execute("SELECT key, filename FROM Cache WHERE filename IS NOT NULL").fetchall()
    return {key.removeprefix("record/"): store.folder / "results" / name for key, name in rows}


def unread_for(store: Store, key: str, hours: float) -> None:
    """Set the clock of an entry's last reading back."""
    path = files(store)[key]
    os.utime(path, (time.time() - 3600 * hours, path.stat().st_mtime))


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "cache", size_limit=1_000_000, shipped=()) as store:
        yield store


def test_an_unknown_kind_is_a_result():
    assert not kind_of("somebodys/else").again
    assert not kind_of("no_slash").again
    assert kind_of("answers/x").again
    assert set(AGAIN) == {
        "sample",
        "thresholds",
        "outline",
        "sketch",
        "answers",
        "responses",
        "label_columns",
    }
    assert all(kind.words for kind in KINDS.values())


def test_every_kind_of_the_code_is_listed():
    """One that is not listed is a result, and would never make room."""
    written = re.compile(r"""content_key\(\s*"(\w+)"|f"(\w+)/\{[^}]*(?:hexdigest|recipe|name\}|VERSION)""")
    texts = [
        path.read_text() for folder in ("interpret_core", "ui") for path in (ROOT / folder).rglob("*.py")
    ]
    found = {name for text in texts for pair in written.findall(text) for name in pair if name}
    assert {"profile", "answers", "sketch", "outline", "network", "damaged"} <= found
    assert found <= set(KINDS)
    assert {THRESHOLDS, LARGEST, MASKS} <= set(KINDS)


def test_what_is_computed_again_makes_room_and_results_stay(store):
    for number in range(4):
        store.put(f"profile/{number}", record(number))
        store.put(f"answers/{number}", record(number))
    for number in range(4, 8):
        store.put(f"profile/{number}", record(number))
    assert store.keys("profile/") == [f"profile/{number}" for number in range(8)]
    assert len(store.keys("answers/")) < 2
    assert store.size() <= 1_000_000
    assert all(store.get(f"profile/{number}").digest() == record(number).digest() for number in range(8))
    assert not store.damaged
    assert store.check().ok


def test_the_longest_unread_goes_first(store):
    for number in range(5):
        store.put(f"answers/{number}", record(number))
        unread_for(store, f"answers/{number}", 10 - number)
    assert store.get("answers/0") is not None  # read just now
    for number in range(5, 8):
        store.put(f"answers/{number}", record(number))
    store.put("profile/0", record(0, 300_000))
    left = store.keys("answers/")
    assert "answers/0" in left
    assert {"answers/1", "answers/2"}.isdisjoint(left)
    assert "answers/7" in left


def test_reading_is_noted_for_other_processes_and_changes_nothing_else(store):
    store.put("sketch/a", record(1))
    store.put("profile/a", record(1))
    for key in ("sketch/a", "profile/a"):
        unread_for(store, key, 5)
    before = {key: path.stat() for key, path in files(store).items()}
    time.sleep(0.01)
    with Store(store.folder, shipped=()) as other:
        assert other.get("sketch/a") is not None
    after = {key: path.stat() for key, path in files(store).items()}
    assert after["sketch/a"].st_atime > before["sketch/a"].st_atime + 3600
    assert after["sketch/a"].st_mtime_ns == before["sketch/a"].st_mtime_ns


def test_results_that_alone_exceed_the_limit_are_refused_with_the_size_and_what_to_do(store):
    for number in range(8):
        store.put(f"relevance/{number}", record(number))
    store.put("answers/0", record(0))
    with pytest.raises(StoreError) as caught:
        store.put("relevance/8", record(8, 300_000))
    assert "limit of 977 kB: 293 kB more do not fit" in str(caught.value)
    assert "results are never deleted by themselves" in str(caught.value)
    assert "INTERPRET_CACHE_SIZE" in str(caught.value)
    assert len(store.keys("relevance/")) == 8
    with pytest.raises(StoreError, match="do not fit"):
        store.put("answers/1", record(1, 900_000))
    assert store.compute("sketch/0", lambda: record(3, 900_000), needed=False).metadata == {"number": 3}


def test_no_address_can_fill_the_disk(tmp_path):
    """Another `min_images` is another sketch and outline: all of them have a bound of their own."""
    with Store(tmp_path / "cache", shipped=()) as store:
        store._room = Room(store._cabinet._folder, "record", store.size_limit, 400_000, 1_000)
        store.put("profile/0", record(0, 2_000_000))
        for number in range(60):
            store.compute(f"outline/{number}", lambda number=number: record(number, 20_000), needed=False)
            used = store._room._usage()
            assert used["outline"].bytes < 420_000
        assert used["profile"] == Usage(1, used["profile"].bytes)
        assert used["profile"].bytes > 2_000_000
        assert "outline/59" in store.keys("outline/")


def test_many_small_entries_have_a_bound_too(tmp_path):
    with Store(tmp_path / "cache", shipped=()) as store:
        store._room = Room(store._cabinet._folder, "record", store.size_limit, 1 << 30, 40)
        for number in range(100):
            store.put(f"sketch/{number}", record(number, 10))
            assert len(store.keys("sketch/")) <= 40
        assert len(files(store)) == len(store.keys())
        assert len(list((store.folder / "results").glob("??/??/*.val"))) == len(store.keys())


def test_another_process_s_writes_count(tmp_path):
    with Store(tmp_path / "cache", shipped=()) as first, Store(tmp_path / "cache", shipped=()) as second:
        for store in (first, second):
            store._room = Room(store._cabinet._folder, "record", store.size_limit, 400_000, 1_000)
        for number in range(30):
            (first if number % 2 else second).put(f"answers/{number}", record(number, 50_000))
        second._room._looked = -1e9  # a minute later
        second.put("answers/last", record(0, 50_000))
        assert first._room._usage()["answers"].bytes <= 400_000


def test_usage_by_kind(store):
    assert store.usage() == {}
    store._room._told = None
    store.put("profile/0", record(0))
    store.put("sketch/0", record(0, 1_000))
    store.put_json("sample/0", 1.5)
    found = store.usage()
    assert {kind: one.entries for kind, one in found.items()} == {"profile": 1, "sketch": 1, "sample": 1}
    assert BYTES < found["profile"].bytes < BYTES + 1_000
    assert 0 < found["sample"].bytes < 300
    store.put("profile/1", record(1))
    assert store.usage() == found, "for some seconds an answer is kept"


def test_a_planted_path_is_not_deleted(store, tmp_path):
    outside = tmp_path / "precious"
    outside.write_text("mine")
    store.put("answers/0", record(0))
    with sqlite3.connect(store.folder / "results" / "cache.db") as index:
        index.execute(
            "UPDATE Cache SET filename = ? WHERE key = 'record/answers/0'", (f"../../{outside.name}",)
        )
    store._room.free(1 << 40)
    assert outside.read_text() == "mine"


def test_an_entry_of_a_later_version_is_left_alone(store):
    store.put("answers/0", record(0))
    path = files(store)["answers/0"]
    path.write_bytes(MAGIC[:-2] + b"99" + path.read_bytes()[len(MAGIC) :])
    store._room.free(1 << 40)
    assert path.exists()


RACE = """
import sys
import numpy as np
from interpret_core.store import Record, Store
from interpret_core.store.room import Room

def record(number):
    return Record({"a": np.full(50_000, number, np.uint8)}, number)

with Store(sys.argv[1], shipped=()) as store:
    store._room = Room(store._cabinet._folder, "record", store.size_limit, 400_000, 1_000)
    random, hits = np.random.default_rng(int(sys.argv[2])), 0
    for _ in range(150):
        number = int(random.integers(12))
        found = store.get(f"answers/{number}")
        if found is None:
            store.put(f"answers/{number}", record(number))
        else:
            hits += 1
            assert found.digest() == record(number).digest()
    assert not store.damaged, store.damaged
    print(hits)
"""


@pytest.mark.thorough
def test_processes_that_read_write_and_evict_together_find_whole_entries(tmp_path):
    argv = [sys.executable, "-c", RACE, str(tmp_path / "cache")]
    racing = [subprocess.Popen([*argv, str(one)], stdout=subprocess.PIPE, text=True) for one in range(3)]
    told = [one.communicate(timeout=120)[0] for one in racing]
    assert [one.returncode for one in racing] == [0, 0, 0]
    assert all(int(text) > 0 for text in told)
    with Store(tmp_path / "cache", shipped=()) as store:
        assert store.check().ok


FULL = """
import sys
from pathlib import Path
import numpy as np
from interpret_core.store import Record, Store
from tests.store.mounts import fill

folder = Path(sys.argv[1])

def record(number):
    values = np.random.default_rng(number).integers(0, 256, 500_000, dtype=np.uint8)
    return Record({"a": values}, number)

store = Store(folder / "cache", shipped=())
for number in range(6):
    store.put(f"answers/{number}", record(number))
fill(folder)
store.put("profile/0", record(9))
assert store.get("profile/0").digest() == record(9).digest()
assert 0 < len(store.keys("answers/")) < 6
assert not store.damaged
print("kept")
"""


@pytest.mark.parametrize("kind", ["tmpfs", "ext4"])
def test_on_a_full_disk_a_result_takes_the_place_of_what_seconds_bring_back(tmp_path, kind):
    folder = tmp_path / "small"
    folder.mkdir()
    assert run(FULL, folder, prefix=small(folder, kind)).split() == ["kept"]
