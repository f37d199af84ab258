"""One budget for all that a process holds: who lets go, who stays, and what is counted."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
import pytest
import torch

from interpret_core import memory
from interpret_core.memory import MemoryBudget, budget, pieces_of
from interpret_core.networks.graph.prefixes import Prefix
from interpret_core.runtime.silencer import _KeptPrefixes
from interpret_core.store.records import Record


class Keeper:
    """Keeps things by name, as a cache would."""

    def __init__(self, limit: int) -> None:
        self.budget, self.kept = MemoryBudget(limit), {}

    def keep(self, name: str, *pieces: int, kind: str = "things", used: bool = False) -> None:
        def drop() -> None:
            del self.kept[name]

        sizes = dict.fromkeys(pieces, 10)
        self.kept[name] = None
        self.kept[name] = self.budget.hold(kind, sizes, drop, used=used)


def test_the_least_recently_used_lets_go() -> None:
    keeper = Keeper(30)
    for number, name in enumerate("abc"):
        keeper.keep(name, number)
    assert keeper.budget.touch(keeper.kept["a"])
    gone = keeper.kept["b"]
    keeper.keep("d", 3)
    assert sorted(keeper.kept) == ["a", "c", "d"]
    assert keeper.budget.total == 30
    assert not keeper.budget.touch(gone)
    assert not keeper.budget.use(gone)
    with keeper.budget.using(gone) as there:
        assert not there


def test_what_is_in_use_stays_until_it_no_longer_is() -> None:
    keeper = Keeper(20)
    keeper.keep("a", 1)
    keeper.keep("b", 2)
    with keeper.budget.using(keeper.kept["a"]), keeper.budget.using(keeper.kept["b"]):
        keeper.keep("c", 3)
        assert sorted(keeper.kept) == ["a", "b", "c"]
        assert keeper.budget.total == 30
    assert keeper.budget.total == 20
    assert len(keeper.kept) == 2


def test_shared_memory_counts_once_and_goes_with_its_last_holder() -> None:
    keeper = Keeper(25)
    keeper.keep("network", 1, kind="networks")
    keeper.keep("bench", 1, 2, kind="ablations")
    assert keeper.budget.held() == {"networks": 10, "ablations": 10}
    keeper.keep("other", 3)
    assert "other" in keeper.kept
    assert "network" in keeper.kept, "letting go of what another holds as well frees nothing"
    assert "bench" not in keeper.kept
    assert keeper.budget.total == 20


def test_growing_takes_room_from_others_and_is_refused_where_there_is_none() -> None:
    keeper = Keeper(30)
    keeper.keep("a", 1)
    keeper.keep("b")
    assert keeper.budget.grow(keeper.kept["b"], {2: 10, 3: 10})
    assert keeper.budget.grow(keeper.kept["b"], {4: 10})
    assert sorted(keeper.kept) == ["b"]
    assert not keeper.budget.grow(keeper.kept["b"], {5: 10})
    assert keeper.budget.total == 30


def test_what_a_finalizer_lets_go_of_is_forgotten() -> None:
    keeper = Keeper(100)
    keeper.keep("a", 1)
    keeper.budget.release_later(keeper.kept["a"])
    assert keeper.budget.total == 0
    assert keeper.budget.held() == {}


def test_threads_leave_a_sound_account() -> None:
    keeper, failed = MemoryBudget(500), []

    def work(seed: int) -> None:
        random = np.random.default_rng(seed)
        try:
            for number in range(400):
                pieces = {int(piece): 10 for piece in random.integers(0, 200, 5)}
                held = keeper.hold("x", pieces, lambda: None)
                with keeper.using(held):
                    keeper.grow(held, {int(random.integers(200)): 10})
                if number % 3:
                    keeper.release(held)
                else:
                    keeper.release_later(held)
        except Exception as error:  # told below, in the main thread
            failed.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert keeper.total == 0
    assert not keeper._sharers


def test_pieces_of_arrays_are_their_buffers() -> None:
    whole = np.zeros((1000, 10))
    assert sum(pieces_of(whole).values()) == sum(pieces_of(whole[::2]).values()) == whole.nbytes
    assert pieces_of(whole) == pieces_of(whole[3])
    read = Record.from_bytes(Record({"a": np.arange(1000), "b": np.arange(1000)}).to_bytes())
    assert 16_000 < sum(pieces_of(read).values()) < 20_000, "both lie in the bytes that were read"
    assert sum(pieces_of([1, 2, 3] * 1000).values()) > 3000 * 32


def test_pieces_of_networks_are_their_parameters_and_buffers_once() -> None:
    layer = torch.nn.Linear(100, 100)
    twice = torch.nn.Sequential(layer, layer, torch.nn.BatchNorm1d(100))
    assert sum(pieces_of(twice).values()) == 4 * (100 * 100 + 100) + 4 * 400 + 8
    view = layer.weight.detach()[:5]
    assert pieces_of([view]).items() >= pieces_of(view).items()
    assert set(pieces_of(view)) <= set(pieces_of(twice))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> MemoryBudget:
    """A process with room for 100 bytes."""
    found = MemoryBudget(100)
    monkeypatch.setattr("interpret_core.runtime.silencer.budget", lambda: found)
    return found


def prefix(size: int) -> Prefix:
    return Prefix("conv", frozenset({"conv"}), 1, size, {})


def test_prefixes_of_all_ablations_share_the_budget(small: MemoryBudget) -> None:
    ours, theirs = _KeptPrefixes(1000), _KeptPrefixes(1000)
    for number in range(3):
        ours.put(("conv1", bytes([number])), prefix(30))
    assert small.held() == {"prefixes": 90}
    with theirs.using("conv1"):
        theirs.put(("conv1", b"x"), prefix(30))
    assert ours.get(("conv1", b"\0")) is None, "a layer's go together: all are read in turn"
    assert theirs.get(("conv1", b"x")) is not None
    assert small.held() == {"prefixes": 30}
    ours.put(("conv1", b"y"), prefix(30))
    assert ours.get(("conv1", b"y")) is not None
    del theirs
    gc.collect()
    assert small.held() == {"prefixes": 30}


def test_prefixes_in_use_are_not_taken_away(small: MemoryBudget) -> None:
    ours, theirs = _KeptPrefixes(1000), _KeptPrefixes(1000)
    ours.put(("conv1", b"x"), prefix(80))
    with ours.using("conv1"):
        theirs.put(("conv1", b"x"), prefix(30))
        assert theirs.get(("conv1", b"x")) is None
        assert ours.get(("conv1", b"x")) is not None
    assert small.total == 80


def test_the_process_has_the_budget_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    before: Any = memory.budget
    monkeypatch.setenv("INTERPRET_MEMORY", "128M")
    before.cache_clear()
    try:
        assert budget().limit == 128 << 20
        assert budget() is budget()
    finally:
        before.cache_clear()
