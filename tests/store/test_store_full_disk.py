"""A disk without a single free byte: what is stored is read on, and a write says what is wrong."""

import pytest

from interpret_core.jobs.settings import RUNNER
from tests.slow import thorough_beyond
from tests.store.mounts import run, small

FULL = """
import os, sqlite3, subprocess, sys
from pathlib import Path
import numpy as np
from interpret_core import jobs
from interpret_core.errors import StoreError
from interpret_core.store import Record, Store
from interpret_core.store.failures import DiskFullError, explained
from tests.store.mounts import fill

folder = Path(sys.argv[1])
SIZES = (100, 5_000, 50_000, 300_000)  # in rows of the index, and in files of their own
JOB = jobs.Job(jobs.job_id("profile", {}), "profile", state="done", message="kept")

def record(number):
    values = np.random.default_rng(number).integers(0, 256, SIZES[number % 4], dtype=np.uint8)
    return Record({"a": values}, number)

def read(store):
    for number in range(40):
        assert store.has(f"r/{number}")
        assert store.get(f"r/{number}").digest() == record(number).digest(), number
    assert len(store.keys("r/")) == 40 and store.size() > 0
    assert jobs.find(store, JOB.id).message == "kept"
    assert [job.state for job in jobs.listing(store)] == ["done"]
    assert store.compute("r/1", None).metadata == 1

def refused(action):
    try:
        action()
    except StoreError as error:
        print(error)
    else:
        raise AssertionError("it was written")
"""

FILLED = (
    FULL
    + """
store = Store(folder / "cache", shipped=())
for number in range(40):
    store.put(f"r/{number}", record(number))
store.put_json(f"job/{JOB.id}", JOB.to_json())
fill(folder)
read(store)
for path in (folder / "cache" / "results").glob("cache.db-*"):
    path.unlink()  # what SQLite keeps beside the index may be gone as well: a restart, a copy
subprocess.run([sys.executable, "-c", sys.argv[2], folder], check=True)
read(store)
(folder / "junk").unlink()
store.put("room again", record(3))
assert (folder / "cache" / "results" / "reserve").exists()
assert store.check().ok
"""
)
FRESH = (
    FULL
    + """
store = Store(folder / "cache", shipped=())
read(store)
refused(lambda: store.put("small", record(0)))
refused(lambda: store.put("large", record(3)))
refused(lambda: store.put("r/3", record(2)))
refused(lambda: store.compute("new", lambda: record(3)))
vague = sqlite3.OperationalError("disk I/O error")  # so SQLite calls a quota; the folder itself is asked
assert isinstance(explained(vague, folder / "cache", "write to"), DiskFullError)
read(store)
store.put_json("state", "a job can still say why it failed")  # on the space that was set aside
assert store.get_json("state")
read(store)
fill(folder)
read(Store(folder / "cache", shipped=()))
"""
)


@thorough_beyond(1)
@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
def test_what_is_stored_is_read_on_a_full_disk_also_by_a_new_process(tmp_path, kind):
    folder = tmp_path / "disk"
    folder.mkdir()
    lines = run(FILLED, folder, FRESH, prefix=small(folder, kind)).splitlines()
    expected = (
        f"The disk of the cache folder {folder / 'cache'} is full; results already stored are safe. "
        "Free some space, or set INTERPRET_CACHE to a folder on another disk."
    )
    assert lines == [expected] * 4


JOBS = (
    FULL
    + """
store = Store(folder / "cache", shipped=())
for runner in ("crowd", "fill"):
    job = jobs.submit(store, "profile", {"run": runner})
    ended = jobs.wait(store, job.id, 60)
    print(ended.state, ended.message)
"""
)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
def test_a_job_on_a_full_disk_ends_with_the_cause(tmp_path, kind, monkeypatch):
    monkeypatch.setenv(RUNNER, "tests.jobs.runners:run")
    folder = tmp_path / "disk"
    folder.mkdir()
    crowd, fill = run(JOBS, folder, prefix=small(folder, kind)).splitlines()
    assert crowd.startswith("failed Folder '/nowhere' has no index.csv")
    assert fill.startswith(f"failed The disk of the cache folder {folder / 'cache'} is full")
