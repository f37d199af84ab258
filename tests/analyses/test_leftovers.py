"""Parts of runs that were cut off: deleted when nobody goes on with them, never too early."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator

import pytest

from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import layer_keys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.errors import Cancelled
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.shards import KEPT_SECONDS
from interpret_core.store.store import Store
from tests.analyses.runs import digests, request_for
from tests.planted_dataset import Planted


def cut_off(request: ProfileRequest, store: Store) -> str:
    """Stop a run when it has counted; the key of what it left."""
    stages: list[str] = []
    with pytest.raises(Cancelled):
        run_profile(
            request,
            store,
            Execution(tell=lambda stage, *_: stages.append(stage), cancelled=lambda: "IoU" in stages),
        )
    run = layer_keys(request, store).run
    assert store.keys(run)
    return run


def age(store: Store, run: str, seconds: float) -> None:
    """Make all that a run has kept so much older."""
    with contextlib.closing(sqlite3.connect(store.folder / "results" / "cache.db")) as index, index:
        index.execute("UPDATE Cache SET store_time = store_time - ? WHERE key LIKE ?", (seconds, f"%/{run}%"))


@contextlib.contextmanager
def held(store: Store, key: str) -> Iterator[None]:
    """Another thread holds the key, as another process would."""
    ready, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store.lock(key):
            ready.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.thorough
def test_parts_nobody_goes_on_with_are_deleted_after_a_fortnight(planted: Planted, store: Store) -> None:
    old, young = (cut_off(request_for(planted, seed=seed), store) for seed in (1, 2))
    age(store, old, KEPT_SECONDS + 3600)
    age(store, young, KEPT_SECONDS - 3600)
    run_profile(request_for(planted, layers=("conv2",), permutations=0), store)
    assert not store.written(old)
    assert store.keys(young)
    assert store.get_json(young)
    assert len(store.keys("profile/")) == 1


@pytest.mark.thorough
def test_parts_of_a_run_that_is_at_work_stay(planted: Planted, store: Store) -> None:
    old = cut_off(request_for(planted, seed=1), store)
    age(store, old, 2 * KEPT_SECONDS)
    with held(store, old):
        run_profile(request_for(planted, layers=("conv2",), permutations=0), store)
    assert store.keys(old)


def test_one_fresh_part_keeps_the_others(planted: Planted, store: Store) -> None:
    """A run may take longer than a fortnight."""
    run = cut_off(request_for(planted, seed=1), store)
    age(store, run, 2 * KEPT_SECONDS)
    age(store, store.keys(run)[0], -2 * KEPT_SECONDS)
    run_profile(request_for(planted, layers=("conv2",), permutations=0), store)
    assert len(store.keys(run)) > 1


@pytest.mark.thorough
def test_a_run_goes_on_from_its_own_old_parts(planted: Planted, store: Store) -> None:
    request, fresh = request_for(planted), Store(store.folder.parent / "fresh")
    age(store, cut_off(request, store), 2 * KEPT_SECONDS)
    assert run_profile(request, store).computed < run_profile(request, fresh).computed
    assert digests(request, store) == digests(request, fresh)
