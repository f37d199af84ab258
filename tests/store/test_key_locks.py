"""Locks of keys: one holder whatever happens to the file, and no file that outlives its use."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from interpret_core.store import key_locks
from interpret_core.store.store import Store


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "cache", shipped=()) as store:
        yield store


def lock_files(store: Store) -> list[str]:
    return sorted(path.name for path in (store.folder / "locks").glob("*.lock") if len(path.stem) == 32)


def test_a_lock_s_file_goes_with_the_lock(store):
    with store.lock("a"), store.lock("b"):
        assert len(lock_files(store)) == 2
    assert lock_files(store) == []


def test_a_deleted_folder_costs_nobody_else_s_lock(store):
    with store.lock("a"):
        shutil.rmtree(store.folder / "locks")
        other = Store(store.folder, shipped=())
        held = other.lock("a")
        thread = threading.Thread(target=held.__enter__)
        thread.start()
        thread.join()
        there = lock_files(store)
    assert lock_files(store) == there != [], "the file that has the name now is another holder's"


KILLED = """
import sys, time
from interpret_core.store.store import Store
with Store(sys.argv[1], shipped=()).lock("a"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_swept_and_what_is_held_stays(store):
    argv = [sys.executable, "-c", KILLED, str(store.folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert key_locks.sweep(store.folder) == 0, "somebody holds it"
        process.send_signal(signal.SIGKILL)
    assert len(lock_files(store)) == 1
    (store.folder / "locks" / "index.lock").touch()
    (store.folder / "locks" / "note.txt").touch()
    store.check()
    assert sorted(path.name for path in (store.folder / "locks").iterdir()) == ["index.lock", "note.txt"]


RACE = """
import os, sys, time
from pathlib import Path
from interpret_core.store import key_locks
from interpret_core.store.store import Store

folder, inside = Path(sys.argv[1]), Path(sys.argv[1]) / "inside"
store = Store(folder, shipped=())
for _ in range(200):
    key_locks.sweep(folder)
    with store.lock("a"):
        descriptor = os.open(inside, os.O_CREAT | os.O_EXCL)  # fails where another process is inside, too
        time.sleep(0.0005)
        os.close(descriptor)
        inside.unlink()
"""


@pytest.mark.thorough
def test_there_is_one_holder_while_files_come_and_go(tmp_path):
    argv = [sys.executable, "-c", RACE, str(tmp_path)]
    racing = [subprocess.Popen(argv) for _ in range(4)]
    assert [one.wait(timeout=120) for one in racing] == [0] * 4


def test_a_forked_child_takes_no_lock_file_of_its_parent_away(store):
    held = store.lock("a")
    held.__enter__()
    if (child := os.fork()) == 0:
        held.__exit__(None, None, None)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(lock_files(store)) == 1
    held.__exit__(None, None, None)
    assert lock_files(store) == []
