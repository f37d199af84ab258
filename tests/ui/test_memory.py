"""What the server keeps: for all sessions by arguments, and for one run of a page."""

from __future__ import annotations

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from interpret_core.memory import MemoryBudget
from ui.session import memory, results
from ui.session.profiles import stored_layers
from ui.session.view import LayerView
from ui.shell.sidebar import Ask


def test_what_counts_are_arguments_without_an_underscore() -> None:
    asked = []

    @memory.kept(2)
    def double(number: int, _hint: object) -> int:
        asked.append(number)
        return 2 * number

    assert [double(1, "a"), double(1, "b"), double(2, "a")] == [2, 2, 4]
    assert asked == [1, 2]
    double(1, None)
    double(3, None)
    assert double(1, None) == 2
    assert asked == [1, 2, 3], "what was asked for last stays"
    assert double(2, None) == 4
    assert asked == [1, 2, 3, 2], "of two, the third pushed it out"


def test_an_answer_is_forgotten_after_its_time() -> None:
    asked = []

    @memory.kept(2, seconds=0.05)
    def look(name: str) -> str:
        asked.append(name)
        return name

    assert look("a") == look("a")
    time.sleep(0.1)
    look("a")
    assert asked == ["a", "a"]


def test_of_several_at_once_one_computes() -> None:
    asked, start = [], threading.Barrier(4)

    @memory.kept(2)
    def slow(name: str) -> str:
        asked.append(name)
        time.sleep(0.1)
        return name

    def call(_: int) -> str:
        start.wait()
        return slow("a")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(call, range(4))) == ["a"] * 4
    assert asked == ["a"]


def test_a_failure_is_not_kept() -> None:
    fails = [True]

    @memory.kept(2)
    def look(name: str) -> str:
        if fails.pop() if fails else False:
            raise ValueError(name)
        return name

    with pytest.raises(ValueError, match="a"):
        look("a")
    assert look("a") == "a"


def test_a_run_sees_one_state() -> None:
    now = [1]

    @memory.once
    def state() -> int:
        return now[0]

    assert state() == 1
    now[0] = 2
    assert state() == 2, "outside a run it is asked each time"
    with memory.run():
        assert state() == 2
        now[0] = 3
        assert state() == 2
        with memory.run():  # a part drawn with the whole page
            assert state() == 2
        memory.again()
        assert state() == 3, "the run itself has changed something"
    assert state() == 3


@pytest.mark.usefixtures("full")
def test_layers_that_a_page_holds_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of deep networks beside each other more layers are shown than `kept` keeps."""
    read, made = [], stored_layers.summarise

    def summarise(*arguments: Any) -> Any:
        read.append(arguments)
        return made(*arguments)

    def shown(cutoff: float) -> dict[str, LayerView]:
        for cache in memory._caches:
            if isinstance(cache, memory.KeptAnswers):
                cache.clear()  # pushed out by other layers
        read.clear()
        return dict(results.layers(Ask("small", "planted", cutoff=cutoff)) or {})

    monkeypatch.setattr(stored_layers, "summarise", summarise)
    first = shown(0.04)
    assert len(read) == len(first) == 2
    again = shown(0.1)
    assert read == []
    assert {view.cutoff for view in again.values()} == {0.1}
    assert all(view.record is first[name].record for name, view in again.items())
    del first, again
    for cache in memory._caches:
        if isinstance(cache, memory.KeptAnswers):
            cache.clear()
    gc.collect()
    assert len(shown(0.04)) == len(read) == 2, "nobody held them"


def clear(function: Any) -> None:
    """Forget what one function returned."""
    function.cache.clear()


@pytest.fixture
def small_budget(monkeypatch: pytest.MonkeyPatch) -> MemoryBudget:
    """A process with room for two arrays of 800 bytes."""
    found = MemoryBudget(2_000)
    monkeypatch.setattr(memory, "budget", lambda: found)
    return found


def test_what_is_kept_has_room_within_the_budget_and_is_counted_by_kind(small_budget: MemoryBudget) -> None:
    asked = []

    @memory.kept(10, kind="maps")
    def made(name: str) -> NDArray[np.float64]:
        asked.append(name)
        return np.full(100, float(ord(name)))

    @memory.kept(10, kind="")
    def stays(name: str) -> NDArray[np.float64]:
        asked.append(name)
        return np.full(100, float(ord(name)))

    for name in "ab":
        made(name)
    assert small_budget.held() == {"maps": 1600}
    stays("x")
    made("a")
    made("c")
    assert small_budget.held() == {"maps": 1600}, "the third pushed one out"
    assert asked == ["a", "b", "x", "c"]
    made("a")
    assert asked == ["a", "b", "x", "c"], "it was asked for more recently"
    assert made("b")[0] == ord("b")
    assert asked == ["a", "b", "x", "c", "b"]
    stays("x")
    assert asked.count("x") == 1


def test_what_a_run_of_a_page_asked_for_stays_until_its_end(small_budget: MemoryBudget) -> None:
    asked = []

    @memory.kept(10, kind="maps")
    def made(name: str) -> NDArray[np.float64]:
        asked.append(name)
        return np.full(100, 1.0)

    with memory.run():
        for name in "abc":
            made(name)
        assert small_budget.total == 2400, "all of it is in use"
        assert [made(name)[0] for name in "abc"] == [1, 1, 1]
        assert asked == ["a", "b", "c"]
    assert small_budget.total == 1600
    with memory.using():
        made("b")
        with memory.run():
            made("c")
    assert asked == ["a", "b", "c"], "the longest unused was let go of at the run's end"


def test_what_is_forgotten_counts_no_more(small_budget: MemoryBudget) -> None:
    @memory.kept(1, kind="maps")
    def made(name: str) -> NDArray[np.float64]:
        return np.full(100, 1.0)

    made("a")
    made("b")
    assert small_budget.total == 800, "one of a number of one"
    clear(made)
    assert small_budget.total == 0
    assert memory.at_hand(made, "b") is None
    made("b")
    assert memory.at_hand(made, "b")[0] == 1


def test_threads_that_ask_and_push_each_other_out_agree(small_budget: MemoryBudget) -> None:
    @memory.kept(10, kind="maps")
    def first(number: int) -> NDArray[np.float64]:
        return np.full(100, float(number))

    @memory.kept(10, kind="others")
    def second(number: int) -> NDArray[np.float64]:
        return np.full(100, float(number))

    def ask(seed: int) -> bool:
        random = np.random.default_rng(seed)
        for number in random.integers(0, 6, 200).tolist():
            with memory.run():
                if first(number)[0] != number or second(number)[3] != number:
                    return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(4)))
    assert small_budget.total <= small_budget.limit
    clear(first)
    clear(second)
    assert small_budget.total == 0
