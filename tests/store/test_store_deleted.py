"""The cache folder, or a part of it, deleted while it is in use: made anew, by whoever writes next."""

import shutil
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from interpret_core import jobs
from interpret_core.jobs.settings import RUNNER
from interpret_core.store.records import Record
from interpret_core.store.store import Store
from tests.slow import thorough_beyond

SMALL = Record({"a": np.arange(5)}, {"name": "small"})
LARGE = Record({"a": np.arange(100_000)}, {"name": "large"})


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "cache", shipped=()) as store:
        for number in range(4):
            store.put(f"s/{number}", SMALL)
            store.put(f"l/{number}", LARGE)
        store.put_json("state", 1)
        yield store


def blobs(folder):
    return [path for path in (folder / "results").glob("??") if path.is_dir()]


def fewest(folder):
    """The folder of a small record's file."""
    return min(
        (folder / "results").glob("??/??"), key=lambda path: sum(f.stat().st_size for f in path.iterdir())
    )


WAYS = {
    "all": lambda folder: shutil.rmtree(folder),
    "all that is in it": lambda folder: [
        shutil.rmtree(path) if path.is_dir() else path.unlink() for path in folder.iterdir()
    ],
    "results": lambda folder: shutil.rmtree(folder / "results"),
    "moved away": lambda folder: folder.rename(folder.with_name("elsewhere")),
    "the index": lambda folder: (folder / "results" / "cache.db").unlink(),
    "the journal": lambda folder: [path.unlink() for path in folder.glob("results/cache.db-*")],
    "one file's folder": lambda folder: shutil.rmtree(fewest(folder)),
    "all files": lambda folder: [shutil.rmtree(path) for path in blobs(folder)],
    "locks and logs": lambda folder: [
        shutil.rmtree(folder / name, ignore_errors=True) for name in ("locks", "logs")
    ],
    "the reserve": lambda folder: (folder / "results" / "reserve").unlink(),
}
LEFT = {  # small, large, state
    "the index": (4, 4, None),
    "the journal": (4, 4, 1),
    "one file's folder": (3, 4, 1),
    "all files": (0, 0, 1),
    "locks and logs": (4, 4, 1),
    "the reserve": (4, 4, 1),
}


def left(store):
    """Small records, large ones and the state that are found, each as it was."""
    found = []
    for kind, record in (("s", SMALL), ("l", LARGE)):
        kept = [store.get(f"{kind}/{number}") for number in range(4)]
        assert all(one is None or one.digest() == record.digest() for one in kept)
        found.append(sum(one is not None for one in kept))
    return (*found, store.get_json("state"))


@thorough_beyond(5)
@pytest.mark.parametrize(
    ("first", "way"),
    [*((first, way) for first in ("read", "update") for way in WAYS)]
    + [(first, way) for first in ("write", "compute", "lock") for way in ("all", "results")],
)
def test_a_store_in_use_recovers(store, first, way):
    WAYS[way](store.folder)
    if first == "write":
        store.put("new", LARGE)
    elif first == "compute":
        assert store.compute("new", lambda: LARGE).digest() == LARGE.digest()
    elif first == "update":
        assert store.update_json("new", lambda old: (old or 0) + 1) == 1
    elif first == "lock":
        with store.lock("new"):
            pass
    assert left(store) == LEFT.get(way, (0, 0, None))
    for number in range(4):
        for kind, record in (("s", SMALL), ("l", LARGE)):
            assert store.compute(f"{kind}/{number}", lambda record=record: record).digest() == record.digest()
    store.put_json("state", 1)
    assert left(store) == (4, 4, 1)
    assert left(Store(store.folder, shipped=())) == (4, 4, 1)
    assert store.size() > 0
    store.check()
    assert store.check().ok


def test_what_is_lost_with_the_index_is_said_once(store, caplog):
    (store.folder / "results" / "cache.db").unlink()
    assert left(store) == (4, 4, None)
    assert left(Store(store.folder, shipped=())) == (4, 4, None)
    (line,) = [record.message for record in caplog.records]
    assert line == (
        f"The index of the cache folder {store.folder} was unusable (it is missing) and is made anew; "
        "8 entries were found again. What is missing is computed when it is asked for."
    )
    assert [report.key for report in store.damaged] == ["index"]
    assert Store(store.folder, shipped=()).check().index == (line,)
    assert store.check().ok


def test_every_thread_and_process_with_an_open_connection_recovers(store):
    """Each thread has connections of its own; so has a process."""
    go, done, results = threading.Barrier(5), threading.Barrier(5), []
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(store.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout.readline() == "open\n"

    def work(number):
        store.put(f"thread/{number}", LARGE)
        go.wait(30)
        done.wait(30)
        results.append(store.get(f"thread/{number}") is None)
        store.put(f"thread/{number}", SMALL)
        results.append(store.get(f"thread/{number}").digest() == SMALL.digest())
        store.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    go.wait(30)
    shutil.rmtree(store.folder)
    done.wait(30)
    for thread in threads:
        thread.join(60)
    output, _ = other.communicate("go\n", timeout=60)
    assert output == "made again\n"
    assert other.returncode == 0
    assert results == [True] * 8
    assert store.keys() == ["process", *(f"thread/{number}" for number in range(4))]
    assert store.get("process").digest() == LARGE.digest()


OTHER = """
import sys
import numpy as np
from interpret_core.store import Record, Store
store = Store(sys.argv[1], shipped=())
record = Record({"a": np.arange(100_000)}, {"name": "large"})
store.put("process", record)
print("open", flush=True)
sys.stdin.readline()
assert store.get("process") is None
store.compute("process", lambda: record)
print("made again", flush=True)
"""

WRITE = """
import sys
import numpy as np
from interpret_core.store import Record, Store
store = Store(sys.argv[1], shipped=())
number = 0
while True:
    record = Record({"a": np.full((50, 60_000)[number % 2], number)}, number)
    store.put(f"{number % 7}", record)
    found = store.get(f"{number % 7}")
    assert found is None or found.metadata == number, (number, found.metadata)
    store.update_json("count", lambda old: (old or 0) + 1)
    number += 1
    print(number, flush=True)
"""


@pytest.mark.thorough
def test_writers_outlive_deletions_at_any_moment(tmp_path):
    folder = tmp_path / "cache"
    command = [sys.executable, "-c", WRITE, str(folder)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for pause in (0.0, 0.003, 0.01, 0.03, 0.1) * 2:
            for _ in range(3):
                assert writer.stdout.readline(), writer.stderr.read()
            time.sleep(pause)
            for name in ("results/cache.db", "results", ""):
                if pause in (0.01, 0.1) and name:
                    continue
                path = folder / name
                # By its name, not by a look: the writer makes anew what has just been looked at.
                if name.endswith(".db"):
                    path.unlink(missing_ok=True)
                else:
                    shutil.rmtree(path, ignore_errors=True)
        for _ in range(3):
            assert writer.stdout.readline(), writer.stderr.read()
    finally:
        writer.kill()
        writer.communicate(timeout=30)
    with Store(folder, shipped=()) as store:
        for key in store.keys():  # noqa: SIM118 - a store is no dict
            record = store.get(key)
            assert record is None or (record["a"] == record.metadata).all()
        store.check()
        assert store.check().ok


@pytest.fixture
def _counting(monkeypatch):
    monkeypatch.setenv(RUNNER, "tests.jobs.runners:count")


@pytest.mark.thorough
@pytest.mark.usefixtures("_counting")
def test_a_job_submitted_after_a_deletion_runs(tmp_path):
    store = Store(tmp_path / "cache", shipped=())
    request = {"steps": 1, "pause": 0}
    for _ in range(2):
        job = jobs.submit(store, "profile", request)
        assert jobs.wait(store, job.id, 60).state == "done"
        shutil.rmtree(store.folder)
        assert jobs.find(store, job.id) is None
        assert jobs.listing(store) == []


@pytest.mark.thorough
@pytest.mark.usefixtures("_counting")
def test_a_job_whose_cache_is_deleted_works_on(tmp_path):
    store = Store(tmp_path / "cache", shipped=())
    job = jobs.submit(store, "profile", {"steps": 20, "pause": 0.1, "log": str(tmp_path / "log")})
    while not jobs.find(store, job.id).done:
        time.sleep(0.05)
    job = jobs.find(store, job.id)
    shutil.rmtree(store.folder)
    again = jobs.submit(store, "profile", {"steps": 1, "pause": 0})
    assert jobs.wait(store, again.id, 60).state == "done"
    end = time.monotonic() + 60
    while job.alive and time.monotonic() < end:
        time.sleep(0.05)
    assert not job.alive
    assert (tmp_path / "log").read_text().split() == ["start", "end"]
