"""A damaged index: made anew from what is left, said once, and never a wrong record."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest

from interpret_core import jobs
from interpret_core.store.records import Record
from interpret_core.store.store import Store
from tests.slow import slow, some_slow, thorough_beyond

PAGE = 4096
SIZES = (10, 500, 3_000, 6_000, 20_000, 40_000, 100_000)  # in a page of the index, in several, in a file
FILES = 2  # of these seven
COUNT = 42


def record(number):
    values = np.random.default_rng(number).integers(0, 256, SIZES[number % len(SIZES)], dtype=np.uint8)
    return Record({"a": values}, number)


def text(number):
    return record(number)["a"].tobytes().hex()[: SIZES[number % len(SIZES)]]


JOBS = [jobs.Job(jobs.job_id("profile", {"n": n}), "profile", {"n": n}, "done", number=n) for n in range(12)]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A cache folder with records, texts among the states, and the states of jobs."""
    folder = tmp_path_factory.mktemp("original") / "cache"
    with Store(folder, shipped=()) as store:
        for number in range(COUNT):
            store.put(f"r/{number}", record(number))
            store.put_json(f"t/{number}", text(number))
        for job in JOBS:
            store.put_json(f"job/{job.id}", job.to_json())
    return folder


def overwrite(path, start, data):
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)


def flip(path, bits, among, rng):
    data = bytearray(path.read_bytes())
    for _ in range(bits):
        data[rng.randrange(*among) if among else rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def page(path, rng):
    return PAGE * rng.randrange(1, path.stat().st_size // PAGE)


ALL, MOST, SOME, FEW = COUNT, COUNT * 8 // 10, COUNT * FILES // len(SIZES) + 1, COUNT * FILES // len(SIZES)
WHOLE = (COUNT, len(JOBS), COUNT)
QUICK = (
    "cut to half",
    "no header",
    "bits anywhere",
    "text",
    "a key that is no text",
    "no table",
    "no settings",
)
DAMAGES = {  # what is done, and how many of the texts are left at least; of the records, which are files, all
    "cut anywhere": (lambda path, rng: os.truncate(path, rng.randrange(path.stat().st_size)), FEW),
    "cut between pages": (lambda path, rng: os.truncate(path, page(path, rng)), FEW),
    "cut to half": (lambda path, rng: os.truncate(path, path.stat().st_size // 2), SOME),
    "cut to nothing": (lambda path, rng: os.truncate(path, 0), FEW),
    "no magic": (lambda path, rng: overwrite(path, 0, bytes(16)), ALL),
    "no header": (lambda path, rng: overwrite(path, 0, rng.randbytes(100)), ALL),
    "no first page": (lambda path, rng: overwrite(path, 0, rng.randbytes(PAGE)), ALL),
    "a bit of the header": (lambda path, rng: flip(path, 1, (0, 100), rng), ALL),
    "bits of the first page": (lambda path, rng: flip(path, 3, (100, PAGE), rng), ALL),
    "versions that forbid writing": (lambda path, rng: overwrite(path, 18, b"\x03\x01"), ALL),
    "bits anywhere": (lambda path, rng: flip(path, 10, None, rng), MOST),
    "bits everywhere": (lambda path, rng: flip(path, 2_000, None, rng), FEW),
    "a page of zeros": (lambda path, rng: overwrite(path, page(path, rng), bytes(PAGE)), FEW),
    "a page of noise": (lambda path, rng: overwrite(path, page(path, rng), rng.randbytes(PAGE)), FEW),
    "zeros": (lambda path, rng: path.write_bytes(bytes(path.stat().st_size)), FEW),
    "noise": (lambda path, rng: path.write_bytes(rng.randbytes(path.stat().st_size)), FEW),
    "text": (lambda path, rng: path.write_bytes(b"no database at all" * 1_000), FEW),
    "another database": (lambda path, rng: another(path), FEW),
    "a key that is no text": (
        lambda path, rng: sql(path, "UPDATE Cache SET key = CAST(X'72FF' AS TEXT) WHERE rowid = 9"),
        MOST,
    ),
    "no table": (lambda path, rng: sql(path, "DROP TABLE Cache"), FEW),
    "no settings": (lambda path, rng: sql(path, "DROP TABLE Settings"), ALL),
    "nonsense among the settings": (lambda path, rng: sql(path, "UPDATE Settings SET value = 'none'"), ALL),
    "another trigger": (lambda path, rng: sql(path, TRIGGER), ALL),
}
TRIGGER = "CREATE TRIGGER odd AFTER INSERT ON Cache BEGIN UPDATE Settings SET absent = 1; END"


def another(path):
    path.unlink()
    sql(path, "CREATE TABLE Cache (key, value)")


def sql(path, query):
    with sqlite3.connect(path) as index:
        index.execute(query)
    index.close()


def look(store):
    """How many of the records, jobs and texts are found; each must be as it was."""
    found = [store.get(f"r/{number}") for number in range(COUNT)]
    for number, one in enumerate(found):
        assert one is None or one.digest() == record(number).digest()
    states = [jobs.find(store, job.id) for job in JOBS]
    assert all(one is None or one.request == job.request for one, job in zip(states, JOBS, strict=True))
    texts = [store.get_json(f"t/{number}") for number in range(COUNT)]
    assert all(one is None or one == text(number) for number, one in enumerate(texts))
    return tuple(sum(one is not None for one in several) for several in (found, states, texts))


def assert_kept(store, least):
    """Of the texts, `least`; of the records all, once a check has seen what no reading notices."""
    records, _, texts = look(store)
    assert records >= MOST
    assert texts >= least
    store.check()
    assert look(store)[0] == COUNT


def recover(store):
    """Everything is computed again, and kept; then nothing is wrong any more."""
    for number in range(COUNT):
        assert store.compute(f"r/{number}", lambda number=number: record(number)).metadata == number
        store.put_json(f"t/{number}", text(number))
    for job in JOBS:
        store.put_json(f"job/{job.id}", job.to_json())
    store.update_json("n", lambda old: (old or 0) + 1)
    store.check()
    assert store.check().ok
    assert look(store) == look(Store(store.folder, shipped=())) == WHOLE
    assert len(store.keys("r/")) == COUNT


@thorough_beyond(1)
@pytest.mark.parametrize("damage", some_slow(DAMAGES, QUICK))
def test_a_damaged_index_is_made_anew(original, tmp_path, damage):
    change, least = DAMAGES[damage]
    for seed in range(2):
        folder = tmp_path / f"cache{seed}"
        shutil.copytree(original, folder)
        change(folder / "results" / "cache.db", random.Random(seed))
        with Store(folder, shipped=()) as store:
            assert_kept(store, least)
            recover(store)


@pytest.mark.parametrize(
    "damage", some_slow(["cut to half", "cut to nothing", "no magic", "bits everywhere", "noise"], QUICK)
)
def test_an_index_damaged_in_use_is_made_anew(original, tmp_path, damage):
    folder = tmp_path / "cache"
    shutil.copytree(original, folder)
    with Store(folder, shipped=()) as store:
        assert look(store) == WHOLE
        store.put_json("n", 1)
        DAMAGES[damage][0](folder / "results" / "cache.db", random.Random(0))
        assert_kept(store, DAMAGES[damage][1])
        recover(store)


def test_states_of_jobs_survive_an_overwritten_header(original, tmp_path):
    folder = tmp_path / "cache"
    shutil.copytree(original, folder)
    overwrite(folder / "results" / "cache.db", 0, b"\0" * 100)
    with Store(folder, shipped=()) as store:
        assert look(store) == WHOLE
        assert [job.number for job in jobs.listing(store)] == list(range(11, -1, -1))


def test_what_was_lost_is_said_once_and_told_by_the_check(original, tmp_path, caplog):
    folder, told = tmp_path / "cache", []
    shutil.copytree(original, folder)
    index = folder / "results" / "cache.db"
    os.truncate(index, index.stat().st_size // 2)
    with Store(folder, shipped=(), on_damage=told.append) as store:
        left = look(store)
        assert look(store) == left
    assert look(Store(folder, shipped=())) == left
    (line,) = [entry.message for entry in caplog.records]
    assert line.startswith(f"The index of the cache folder {folder} was unusable (")
    assert f"{sum(left)} of {sum(WHOLE)} entries were found again" in line
    assert "\n" not in line
    assert [(report.key, report.reason) for report in told] == [("index", line)]
    check = Store(folder, shipped=()).check()
    assert check.index == (line,)
    assert not check.ok
    assert Store(folder, shipped=()).check().ok


def test_a_check_mends_what_no_reading_notices(original, tmp_path):
    """A row that is gone with its entry's file still there, and counters that are wrong."""
    folder = tmp_path / "cache"
    shutil.copytree(original, folder)
    for path in folder.glob("results/??/??/*.val"):
        os.utime(path, (time.time() - 7200,) * 2)
    index = folder / "results" / "cache.db"
    sql(index, "DELETE FROM Cache WHERE key = 'record/r/6'")
    with Store(folder, shipped=()) as store:
        assert not store.has("r/6")
        assert "does not know 1 of the entries" in store.check().index[0]
        assert store.get("r/6").digest() == record(6).digest()
        assert store.check().ok
        sql(index, "UPDATE Settings SET value = value + 1 WHERE key = 'size'")
        assert "miscounts" in store.check().index[0]
        assert store.check().ok
        assert look(store) == WHOLE


def test_of_two_entries_with_one_name_the_later_is_taken(tmp_path):
    """A crash may leave the file of the entry that was just replaced."""
    with Store(tmp_path, shipped=()) as store:
        store.put("key", record(6))
        (old,) = tmp_path.glob("results/??/??/*.val")
        kept = old.read_bytes()
        store.put("key", record(13))
        old.parent.mkdir(parents=True, exist_ok=True)
        old.write_bytes(kept)
        os.utime(old, (time.time() - 60,) * 2)
        (tmp_path / "results" / "cache.db").unlink()
        assert store.get("key").digest() == record(13).digest()


def test_a_planted_entry_is_taken_under_no_other_name(tmp_path):
    """An entry's name is under its checksum: a file that was moved or renamed stays what it is."""
    with Store(tmp_path, shipped=()) as store:
        store.put("one", record(6))
        store.put("two", record(13))
        first, second = tmp_path.glob("results/??/??/*.val")
        data = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(data)
        (tmp_path / "results" / "cache.db").unlink()
        assert store.get("one").digest() == record(6).digest()
        assert store.get("two").digest() == record(13).digest()


RACE = """
import sys, time
import numpy as np
from interpret_core.store import Record, Store
folder, name, start = sys.argv[1], sys.argv[2], float(sys.argv[3])
time.sleep(max(0, start - time.time()))
store = Store(folder, shipped=())
found = 0
for number in range(30):
    if name == "reader":
        found += store.get(f"r/{number % 6 * 7 + 6}") is not None
    else:
        store.put(f"{name}/{number}", Record({"a": np.full((10, 50_000)[number % 2], number)}, number))
        store.update_json("count", lambda old: (old or 0) + 1)
print(found)
"""


@pytest.mark.thorough
@pytest.mark.parametrize("damage", [slow("no magic"), "cut to half", slow("noise"), "gone"])
def test_processes_that_find_the_damage_together_make_one_index(original, tmp_path, damage):
    """Nobody's entry is lost, and none is wrong, whoever was first."""
    folder, start = tmp_path / "cache", time.time() + 2
    shutil.copytree(original, folder)
    index = folder / "results" / "cache.db"
    index.unlink() if damage == "gone" else DAMAGES[damage][0](index, random.Random(0))
    names = ("w0", "w1", "w2", "reader")
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(folder), name, str(start)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    answers = [racer.communicate(timeout=120) for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 4, answers
    assert answers[3][0] == "30\n"
    assert "".join(errors for _, errors in answers).count("was unusable") == 1, answers
    with Store(folder, shipped=()) as store:
        for name in names[:3]:
            for number in range(30):
                found = store.get(f"{name}/{number}")
                assert found.metadata == number
                assert (found["a"] == number).all()
        assert store.get_json("count") == 90
        store.check()
        assert store.check().ok
        recover(store)


STOPPED = """
import os, signal, sys
from interpret_core.store import Store, rebuild
publish = rebuild._publish
rebuild._publish = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
Store(sys.argv[1], shipped=())
"""


def test_a_crash_while_the_index_is_made_anew(original, tmp_path):
    folder = tmp_path / "cache"
    shutil.copytree(original, folder)
    overwrite(folder / "results" / "cache.db", 0, bytes(16))
    crashed = subprocess.run([sys.executable, "-c", STOPPED, str(folder)], check=False)
    assert crashed.returncode == -9
    assert list(folder.glob("results/new-index-*"))
    with Store(folder, shipped=()) as store:
        assert look(store) == WHOLE
        assert not list(folder.glob("results/new-index-*"))


def test_an_index_of_an_older_version_is_taken_over(tmp_path):
    """With a write-ahead log, and entries that do not carry their names: these are computed again."""
    with Store(tmp_path, shipped=()) as store:
        store.put("kept", record(6))
    index = sqlite3.connect(tmp_path / "results" / "cache.db", isolation_level=None)
    assert index.execute("PRAGMA journal_mode = wal").fetchall() == [("wal",)]
    index.execute("UPDATE Settings SET value = 'wal' WHERE key = 'sqlite_journal_mode'")
    index.execute(
        "INSERT INTO Cache (key, raw, mode, value, size, store_time) VALUES ('record/old', 1, 1, ?, 0, 1)",
        (b"unitsc01" + bytes(40),),
    )
    index.close()
    with Store(tmp_path, shipped=()) as store:
        assert store.get("old") is None
        assert [(report.key, report.reason) for report in store.damaged] == [
            ("old", "written by an older version")
        ]
        store.put("old", record(1))
        assert store.get("kept").digest() == record(6).digest()
        assert store.check().ok
    assert not list(tmp_path.glob("results/cache.db-wal"))
