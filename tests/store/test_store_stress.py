"""Races and crashes, with real processes."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from diskcache import Cache

from interpret_core.store.records import Record
from interpret_core.store.store import Store

RACE = """
import sys, time, os
import numpy as np
from interpret_core.store import Record, Store
folder, log, start = sys.argv[1], sys.argv[2], float(sys.argv[3])
store = Store(folder)

def function():
    with open(log, "a") as file:
        file.write("computed\\n")
    time.sleep(0.3)
    return Record({"a": np.arange(50_000)}, {"by": "one of us"})

time.sleep(max(0, start - time.time()))
for key in ("one", "two"):
    print(store.compute(key, function).digest())
"""


@pytest.mark.thorough
def test_processes_that_race_compute_once(tmp_path):
    log, start = tmp_path / "log", time.time() + 1.5
    command = [sys.executable, "-c", RACE, str(tmp_path / "cache"), str(log), str(start)]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {line for racer in racers for line in racer.communicate(timeout=60)[0].split()}
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert len(answers) == 1
    assert log.read_text() == "computed\n" * 2  # one per key


def test_threads_that_race_compute_once(tmp_path):
    store, calls, answers = Store(tmp_path), [], []
    barrier = threading.Barrier(6)

    def function():
        calls.append(1)
        time.sleep(0.1)
        return Record({"a": np.arange(50_000)})

    def work():
        barrier.wait()
        answers.append(store.compute("key", function).digest())
        store.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert len(set(answers)) == 1
    assert len(answers) == 6


CRASH = """
import os, signal, sys
import numpy as np
from interpret_core.store import Record, Store, disk
store = Store(sys.argv[1])
create = disk._create

class Dying:
    def __init__(self, file): self.file = file
    def __enter__(self): return self
    def __exit__(self, *_): self.file.close()
    def write(self, data):
        if len(data) > 1000:
            self.file.write(data[: len(data) // 2]); self.file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        self.file.write(data)

disk._create = lambda path: Dying(create(path))
store.compute("key", lambda: Record({"a": np.arange(100_000)}))
"""


def test_a_crash_in_the_middle_of_a_write(tmp_path):
    with Store(tmp_path) as store:
        store.put("before", Record({"a": np.arange(100_000)}))
        crashed = subprocess.run([sys.executable, "-c", CRASH, str(tmp_path)], check=False)
        assert crashed.returncode == -signal.SIGKILL
        (half,) = (path for path in tmp_path.glob("results/??/??/*.val") if path.stat().st_size < 500_000)
        assert store.get("key") is None
        assert store.compute("key", lambda: Record({}, "again")).metadata == "again"  # nor is the key locked
        assert store.get("before") is not None
        os.utime(half, (time.time() - 7200,) * 2)
        assert len(store.check().leftovers) == 1
        assert not half.exists()
        assert store.check().ok


WRITE = """
import sys
import numpy as np
from interpret_core.store import Record, Store
store = Store(sys.argv[1])
number = 0
while True:
    store.put(f"{number % 7}", Record({"a": np.full(60_000, number)}, number))
    store.put_json("last", number)
    number += 1
    print(number, flush=True)
"""


def test_kill_at_any_moment_leaves_whole_entries_only(tmp_path):
    with Store(tmp_path) as store:
        for pause in (0.0, 0.003, 0.01, 0.03):
            writer = subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path)], stdout=subprocess.PIPE)
            assert writer.stdout is not None
            for _ in range(3):
                writer.stdout.readline()
            time.sleep(pause)
            writer.kill()
            writer.communicate(timeout=30)
            for key in store.keys():  # noqa: SIM118 - a store is no dict
                record = store.get(key)
                assert (record["a"] == record.metadata).all()
            assert isinstance(store.get_json("last"), int)
        assert not store.damaged
        assert store.check().ok


def test_a_store_works_on_both_sides_of_a_fork(tmp_path):
    with Store(tmp_path) as store:
        store.put("parent", Record({}, 1))
        child = os.fork()
        if child == 0:
            try:
                store.put("child", Record({}, store.get("parent").metadata + 1))
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert store.get("child").metadata == 2
        store.put("parent again", Record({}, 3))
        assert store.check().ok


def test_a_store_is_opened_while_another_process_writes(tmp_path, monkeypatch):
    """diskcache's constructor waits for a lock at every step but its last, where a write may begin."""
    Store(tmp_path).put("one", Record({"a": np.arange(5)}))
    index = sqlite3.connect(tmp_path / "results" / "cache.db", isolation_level=None, check_same_thread=False)
    last, writes = Cache.drop_tag_index, []

    def interrupted(cache):
        if not writes:
            index.execute("BEGIN EXCLUSIVE")
            writes.append(threading.Timer(0.2, index.execute, ["COMMIT"]))
            writes[0].start()
        return last(cache)

    monkeypatch.setattr(Cache, "drop_tag_index", interrupted)
    with Store(tmp_path) as store:
        store.put_json("state", 1)
        assert store.get_json("state") == 1
    writes[0].join()
    index.close()
