"""What the server keeps: for all sessions by arguments, and for one run of a page."""

from __future__ import annotations

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

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
