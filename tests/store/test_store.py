"""The store, one process, nothing wrong."""

import pickle
import threading
import tracemalloc

import diskcache
import numpy as np
import pytest

from interpret_core.errors import Cancelled, StoreError
from interpret_core.store.records import Record
from interpret_core.store.store import Store

SMALL = Record({"a": np.arange(5)}, {"name": "small"})
LARGE = Record({"a": np.arange(100_000)}, {"name": "large"})


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "cache") as store:
        yield store


@pytest.mark.parametrize("record", [SMALL, LARGE, Record({})], ids=["row", "file", "empty"])
def test_what_goes_in_comes_out(store, record):
    assert store.get("key") is None
    assert not store.has("key")
    store.put("key", record)
    assert store.has("key")
    again = store.get("key")
    assert again.to_bytes() == record.to_bytes()
    assert all(not array.flags.writeable for array in again.arrays.values())
    assert Store(store.folder).get("key").digest() == record.digest()


def test_a_large_record_is_written_without_a_copy(store):
    record = Record({"a": np.arange(4_000_000), "b": np.ones(1_000_000, np.float32)})  # 36 MB
    store.put("other", SMALL)
    tracemalloc.start()
    store.put("key", record)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4_000_000
    assert store.get("key").to_bytes() == record.to_bytes()


def test_replacing_leaves_one_entry_and_one_file(store):
    for _ in range(3):
        store.put("key", LARGE)
    assert store.keys() == ["key"]
    assert len(list(store.folder.glob("results/??/??/*.val"))) == 1


def test_delete(store):
    store.put("key", LARGE)
    assert store.delete("key")
    assert not store.delete("key")
    assert store.get("key") is None
    assert not list(store.folder.glob("results/??/??/*.val"))


@pytest.mark.thorough
def test_many_keys_are_looked_for_at_once(store):
    assert store.present([]) == set()
    for number in range(0, 1200, 2):
        store.put(f"key/{number}", SMALL)
    wanted = [f"key/{number}" for number in range(1200)]
    assert store.present(wanted) == {f"key/{number}" for number in range(0, 1200, 2)}
    assert store.present(["key/0", "key/0", "elsewhere"]) == {"key/0"}


def test_keys_by_prefix_sorted_and_apart_from_states(store):
    for key in ("b/2", "a/1", "b/1", "bé"):
        store.put(key, SMALL)
    store.put_json("b/state", 1)
    assert store.keys() == ["a/1", "b/1", "b/2", "bé"]
    assert store.keys("b/") == ["b/1", "b/2"]
    assert store.keys("c") == []
    assert store.json_keys() == ["b/state"]


def test_a_record_and_a_state_may_share_a_key(store):
    store.put("key", SMALL)
    store.put_json("key", [1])
    assert store.get("key").metadata == {"name": "small"}
    assert store.get_json("key") == [1]
    assert store.delete_json("key")
    assert not store.delete_json("key")
    assert store.get_json("key") is None
    assert store.has("key")


@pytest.mark.parametrize("key", ["", None, 3, b"bytes"])
def test_other_keys_are_refused(store, key):
    with pytest.raises(ValueError, match="not a text"):
        store.put(key, SMALL)


def test_update_json_sees_the_old_value_and_may_leave_it(store):
    assert store.update_json("n", lambda old: (old or 0) + 1) == 1
    assert store.update_json("n", lambda old: (old or 0) + 1) == 2
    assert store.update_json("n", lambda old: None) == 2
    with pytest.raises(KeyError, match="inside"):
        store.update_json("n", lambda old: (_ for _ in ()).throw(KeyError("inside")))
    assert store.get_json("n") == 2
    store.put_json("n", 5)  # the failed update left no transaction behind


def test_updates_from_threads_lose_nothing(store):
    def work():
        for _ in range(25):
            store.update_json("n", lambda old: (old or 0) + 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get_json("n") == 100


def test_compute_calls_once(store):
    calls = []

    def function():
        calls.append(1)
        return LARGE

    first, second = (store.compute("key", function) for _ in range(2))
    assert first.to_bytes() == second.to_bytes() == LARGE.to_bytes()
    assert len(calls) == 1


def test_compute_keeps_nothing_of_a_failure_and_frees_the_key(store):
    def fails():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.compute("key", fails)
    assert store.get("key") is None
    assert store.compute("key", lambda: SMALL).metadata == {"name": "small"}


def test_waiting_for_a_lock_can_be_cancelled(store):
    taken, done = threading.Event(), threading.Event()

    def hold():
        with store.lock("key"):
            taken.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait(10)
    with pytest.raises(Cancelled, match="key"):
        store.compute("key", lambda: SMALL, cancelled=lambda: True)
    done.set()
    holder.join()
    assert store.compute("key", lambda: SMALL, cancelled=lambda: True).metadata == {"name": "small"}


def test_locking_twice_is_an_error_and_no_deadlock(store):
    with store.lock("key"), pytest.raises(RuntimeError, match="Deadlock"), store.lock("key"):
        pass


def test_size_limit_refuses_and_evicts_no_result(tmp_path):
    store = Store(tmp_path, size_limit=2_000_000)
    store.put("one", LARGE)
    store.put("two", LARGE)
    with pytest.raises(
        StoreError, match=r"limit of 2 MB: 781 kB more do not fit beside .* .INTERPRET_CACHE_SIZE."
    ):
        store.put("three", LARGE)
    assert store.keys() == ["one", "two"]
    assert store.get("one") is not None
    store.put_json("state", "still written")


def test_nothing_is_evicted_whatever_the_index_was_told(store):
    """An older or foreign process may have left other settings in the index; ours win."""
    with diskcache.Cache(
        str(store.folder / "results"), size_limit=1, eviction_policy="least-recently-used"
    ) as foreign:
        assert foreign.eviction_policy == "least-recently-used"
    again = Store(store.folder)
    for number in range(20):
        again.put(f"{number:02}", LARGE)
    assert len(again.keys()) == 20


def test_size_grows_by_what_is_stored(store):
    assert store.size() == 0
    store.put("first", SMALL)
    before = store.size()
    store.put("key", LARGE)
    assert 800_000 <= store.size() - before < 820_000


def test_a_store_travels_to_another_process_by_its_folder(store):
    store.put("key", SMALL)
    assert pickle.loads(pickle.dumps(store)).get("key").metadata == {"name": "small"}


def test_check_of_a_sound_store(store):
    store.put("row", SMALL)
    store.put("file", LARGE)
    store.put_json("state", None)
    check = store.check()
    assert check.ok
    assert check.entries == 3
    assert check.size == store.size()
