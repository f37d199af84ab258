"""No folder, no space: one clear line each, and what was stored stays."""

import pytest

from interpret_core.errors import StoreError
from interpret_core.store.store import Store
from tests.store.mounts import run, small


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_where_the_folder_should_be(tmp_path, below):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"is \(or lies in\) a file\. Set INTERPRET_CACHE") as error:
        Store(tmp_path / "file" / below)
    assert str(tmp_path / "file") in str(error.value)
    assert "\n" not in str(error.value)


FILL = """
import sys, shutil
from pathlib import Path
import numpy as np
from interpret_core.errors import StoreError
from interpret_core.store import Record, Store

def record(size, seed=0):
    return Record({"a": np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)})

def files(store):
    return sorted(str(path) for path in store.folder.glob("results/??/??/*"))

store = Store(sys.argv[1])
first = record(1_000_000)
store.put("first", first)
before, free = files(store), shutil.disk_usage(store.folder).free
for key in ("big", "first"):  # a new entry, and the replacement of one that is there
    try:
        store.put(key, record(8_000_000))
    except StoreError as error:
        print(error)
assert files(store) == before, files(store)
assert abs(shutil.disk_usage(store.folder).free - free) < 100_000
assert store.keys() == ["first"] and store.get("first").digest() == first.digest()
store.put("after", record(1000))

kept = 1
try:
    for kept in range(10_000):  # small entries go into the index: SQLite meets the full disk
        store.put(f"row/{kept:05}", record(20_000, kept))
except StoreError as error:
    print(error)
assert len(store.keys("row/")) == kept, (len(store.keys("row/")), kept)
for number in range(kept):
    assert store.get(f"row/{number:05}").digest() == record(20_000, number).digest()
try:
    for size in (1_000_000, 100_000, 40_000) * 5:
        store.put(f"file/{size}", record(size))
except StoreError as error:
    print(error)
store.put_json("state", "a job can still say why it failed")
assert store.get_json("state")
assert store.get("first").digest() == first.digest()
store.delete("first")
for number in range(0, kept, 2):
    store.delete(f"row/{number:05}")
assert store.get(f"row/{1:05}").digest() == record(20_000, 1).digest()
again = Store(sys.argv[1])
again.put("room again", record(100_000))
assert again.check().ok, again.check()
assert (again.folder / "results" / "reserve").exists()
"""


def test_a_full_disk(tmp_path):
    """A real one: a file system of 4 MB."""
    output = run(FILL, tmp_path, prefix=small(tmp_path, "tmpfs", "6m"))
    lines = output.splitlines()
    expected = (
        f"The disk of the cache folder {tmp_path} is full; results already stored are safe. Free some space"
    )
    assert len(lines) == 4
    assert all(line.startswith(expected) for line in lines)


LIMITED = """
import resource
limit = 3_000_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
"""


def test_a_limit_on_file_sizes(tmp_path):
    """Where no file system can be mounted: a write that breaks off in the middle, at 3 MB."""
    part = FILL[: FILL.index("kept = 1\n")].replace("< 100_000", "< float('inf')")  # others use this disk too
    lines = run(LIMITED + part, tmp_path).splitlines()
    assert len(lines) == 2
    assert all(
        line.startswith(f"Could not write to the cache folder {tmp_path} (File too large)") for line in lines
    )
