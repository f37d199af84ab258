"""A cache that cannot be written is read all the same, and a write says why it cannot be done."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from interpret_core.store.records import Record
from interpret_core.store.store import Store
from tests.slow import thorough_beyond
from tests.store.mounts import NOBODY, namespace, read_only, run

SIZES = (100, 5_000, 50_000)

LOOK = """
import logging, os, sys
from pathlib import Path
import numpy as np
from interpret_core import jobs
from interpret_core.analyses.registry import entries
from interpret_core.errors import StoreError
from interpret_core.store import Record, Store

entries()  # while this Python may still read its own files
if sys.argv[2] != "0":
    os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
folder, left = Path(sys.argv[1]), int(sys.argv[3])
store = Store(folder, shipped=())
kept = [store.get(f"r/{number}") for number in range(30)]
assert sum(record is not None for record in kept) >= left, [record is not None for record in kept]
for number, record in enumerate(kept):
    assert record is None or (record.metadata == number and (record["a"] == number).all())
if left == 30:
    assert len(store.keys("r/")) == 30 and store.has("r/7") and store.size() > 0
    assert store.get_json("state") == {"kept": True} and store.json_keys() == ["state"]
    assert store.compute("r/3", None).metadata == 3
assert store.get("none") is None and not store.has("none") and jobs.listing(store) == []
new = Record({"a": np.zeros(3)})
store.put_json("state", 1, needed=False)
assert store.compute("spared", lambda: new, needed=False).digest() == new.digest()
for action in (
    lambda: store.put("new", new),
    lambda: store.put_json("state", 1),
    lambda: store.update_json("state", lambda old: 1),
    lambda: store.delete("r/1"),
    lambda: store.compute("new", lambda: new),
    lambda: jobs.submit(store, "profile", {}),
):
    try:
        action()
    except StoreError as error:
        print(error)
    else:
        raise AssertionError("it was written")
assert sum(store.get(f"r/{number}") is not None for number in range(30)) >= left
"""


def filled(folder: Path) -> Path:
    """A store of thirty records, in rows and in files, and a state."""
    with Store(folder, shipped=()) as store:
        for number in range(30):
            store.put(f"r/{number}", Record({"a": np.full(SIZES[number % 3], number)}, number))
        store.put_json("state", {"kept": True})
    return folder


def refusals(output: str, folder: Path) -> None:
    lines = output.splitlines()
    assert len(lines) == 6
    for line in lines:
        assert line.startswith(f"The cache folder {folder} cannot be written by this user ("), line
        assert "set INTERPRET_CACHE to a folder that can be written." in line


@pytest.mark.parametrize("beside", ["as it was left", "only the results"])
def test_a_read_only_mount(tmp_path, beside):
    """A disc, or a container's volume; the second as somebody would copy it to one."""
    folder = filled(tmp_path / "cache")
    if beside == "only the results":
        for name in ("locks", "logs"):
            shutil.rmtree(folder / name, ignore_errors=True)
        for path in folder.glob("results/cache.db-*"):
            path.unlink()
        (folder / "results" / "reserve").unlink()
    output = run(LOOK, folder, 0, 30, prefix=read_only(folder))
    refusals(output, folder)
    assert "Read-only file system" in output


@pytest.fixture
def open_folder():
    """A folder that other users may look into; pytest's own are closed to them as a whole."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_another(folder: Path, left: int = 30) -> str:
    """What `LOOK` prints for a user who may not write to the folder."""
    return run(LOOK, folder, NOBODY if os.getuid() == 0 else 0, left)


@pytest.mark.parametrize("rights", ["folder and files", "folders", "files"])
def test_a_cache_without_the_right_to_write(open_folder, rights):
    if rights == "files" and os.getuid() != 0:
        pytest.skip("the folder's owner may always replace a file in it")
    folder = filled(open_folder / "cache")
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o777 if rights == "files" else 0o555)
        else:
            path.chmod(0o666 if rights == "folders" else 0o444)
    if rights == "folders":
        (folder / "results" / "cache.db").chmod(0o444)
    output = as_another(folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    refusals(output, folder)


def test_a_folder_that_was_never_used_and_cannot_be():
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    try:
        refusals(as_another(folder, 0), folder)
        refusals(as_another(folder / "below", 0), folder / "below")
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_an_empty_read_only_file_system(tmp_path):
    refusals(run(LOOK, tmp_path, 0, 0, prefix=namespace(f"mount -t tmpfs -o ro none '{tmp_path}'")), tmp_path)


CRASH = """
import os, signal, sys
import numpy as np
from diskcache import Cache
from interpret_core.store import Record, Store

insert = Cache._row_insert

def killed(self, *arguments):
    insert(self, *arguments)
    self._sql("PRAGMA cache_size = 1")  # so that SQLite writes to the index before the end of the transaction
    for number in range(20):
        self._sql("UPDATE Cache SET tag = hex(randomblob(300))")
    os.kill(os.getpid(), signal.SIGKILL)

Cache._row_insert = killed
Store(sys.argv[1], shipped=()).put("late", Record({"a": np.zeros(10)}))
"""


@thorough_beyond(1)
@pytest.mark.parametrize("damage", ["header", "half", "nothing", "no index"])
def test_a_damaged_index_that_cannot_be_made_anew(tmp_path, damage):
    """Read-only and damaged: what is left is read, small entries where SQLite still can."""
    folder = filled(tmp_path / "cache")
    index = folder / "results" / "cache.db"
    data = index.read_bytes()
    if damage == "no index":
        index.unlink()
    else:
        kept = {"header": b"\0" * 100 + data[100:], "half": data[: len(data) // 2], "nothing": b""}
        index.write_bytes(kept[damage])
    refusals(run(LOOK, folder, 0, 30 if damage == "header" else 10, prefix=read_only(folder)), folder)


def test_a_crash_in_mid_write_and_then_no_right_to_write(tmp_path):
    """SQLite wants to play the journal back and cannot."""
    folder = filled(tmp_path / "cache")
    before = (folder / "results" / "cache.db").read_bytes()
    crashed = subprocess.run([sys.executable, "-c", CRASH, str(folder)], check=False)
    assert crashed.returncode == -signal.SIGKILL
    assert (folder / "results" / "cache.db").read_bytes() != before
    assert (folder / "results" / "cache.db-journal").stat().st_size > 1000
    refusals(run(LOOK, folder, 0, 10, prefix=read_only(folder)), folder)
    with Store(folder, shipped=()) as store:  # where it can be written, nothing is lost
        assert sum(store.get(f"r/{number}") is not None for number in range(30)) == 30
        assert store.get("late") is None
        assert store.check().ok


DAMAGED = """
import sys
from interpret_core.store import Store
told = []
store = Store(sys.argv[1], shipped=(), on_damage=told.append)
assert store.has("r/2") and store.has("r/3")
for _ in range(2):
    assert store.get("r/2") is None and not store.has("r/2")
assert {report.key for report in told} == {"r/2"}
assert store.get("r/3").metadata == 3 and store.has("r/3")
"""


def test_a_damaged_entry_that_cannot_be_deleted_counts_as_missing(tmp_path):
    folder = filled(tmp_path / "cache")
    for path in folder.glob("results/??/??/*.val"):
        data = path.read_bytes()
        if b"record/r/2\0" in data:
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    run(DAMAGED, folder, prefix=read_only(folder))
    with Store(folder, shipped=()) as store:  # whoever can, deletes it and computes again
        assert store.compute("r/2", lambda: Record({}, 2)).metadata == 2
        assert store.has("r/2")
