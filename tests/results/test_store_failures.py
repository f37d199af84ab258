"""No permission, no space: one clear line each, and what was stored stays."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from interpret_core.errors import StoreError
from interpret_core.results import Store

NOBODY = 65534


def run(code: str, *arguments: object, prefix: tuple[str, ...] = ()) -> str:
    done = subprocess.run(
        [*prefix, sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_where_the_folder_should_be(tmp_path, below):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"is \(or lies in\) a file\. Set INTERPRET_CACHE") as error:
        Store(tmp_path / "file" / below)
    assert str(tmp_path / "file") in str(error.value)
    assert "\n" not in str(error.value)


OPEN_AS_NOBODY = """
import os, sys
from interpret_core.errors import StoreError
from interpret_core.results import Store
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    Store(sys.argv[1])
except StoreError as error:
    print(error)
"""


@pytest.mark.parametrize("state", ["fresh", "used"])
def test_a_folder_without_permission(state):
    # pytest's own temporary folders are closed to other users as a whole, which would hide the case.
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        if state == "used":
            with Store(folder) as store:
                store.put_json("kept", 1)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        message = run(OPEN_AS_NOBODY, folder)
        assert message.startswith(f"The cache folder {folder} cannot be written by this user")
        assert "set INTERPRET_CACHE" in message
        assert message.count("\n") == 1
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        if state == "used" and os.getuid() != 0:
            assert Store(folder).get_json("kept") == 1
    finally:
        shutil.rmtree(folder)


def namespace(mount: str) -> tuple[str, ...]:
    """A prefix that runs a command with `mount` done in a mount namespace of its own; else skips."""
    prefix = ("unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh")
    try:
        subprocess.run([*prefix, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", b"") or error
        pytest.skip(f"no mount namespace here ({reason}); the limit on file sizes below covers part of it")
    return prefix


def test_a_read_only_file_system(tmp_path):
    with Store(tmp_path) as store:
        store.put_json("kept", 1)
    code = OPEN_AS_NOBODY.replace("os.getuid() == 0", "False")
    message = run(code, tmp_path, prefix=namespace(f"mount -t tmpfs -o ro none '{tmp_path}'"))
    assert message.startswith(
        f"The cache folder {tmp_path} cannot be written by this user (Read-only file system)"
    )


FILL = """
import sys, shutil
from pathlib import Path
import numpy as np
from interpret_core.errors import StoreError
from interpret_core.results import Record, Store

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
    output = run(FILL, tmp_path, prefix=namespace(f"mount -t tmpfs -o size=6m none '{tmp_path}'"))
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
