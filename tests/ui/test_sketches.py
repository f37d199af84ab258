"""Sketches of layers say what the layers say, are made once, and keep no layer in memory."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interpret_core.errors import StoreError
from interpret_core.store.records import Record
from interpret_core.store.store import Store
from tests.ui import records
from ui.session import memory, results, stored
from ui.session.profiles import stored_layers, stored_sketches
from ui.session.profiles.sketch import Sketch, record_of
from ui.session.profiles.stored_sketches import kept_sketch, sketch_key
from ui.session.view import LayerView
from ui.shell.sidebar import Ask

ASK = Ask("small", "planted")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[LayerView]:
    """Layers that are read whole, in order."""
    seen: list[LayerView] = []
    real = stored_layers._made

    def noted(*arguments: Any) -> LayerView:
        seen.append(real(*arguments))
        return seen[-1]

    monkeypatch.setattr(stored_layers, "_made", noted)
    return seen


@pytest.fixture
def own(full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, with what `full` has."""
    cache = tmp_path / "cache"
    shutil.copytree(full, cache)
    with Store(cache) as store:
        for key in store.keys("sketch/"):
            store.delete(key)
    monkeypatch.setenv("INTERPRET_CACHE", str(cache))
    return cache


def sketches(ask: Ask = ASK) -> dict[str, Sketch]:
    return dict(results.sketches(ask))


@pytest.mark.parametrize("assessed", [False, True])
def test_it_says_of_every_unit_what_the_layer_says(assessed: bool) -> None:
    view = records.view(with_chance=False, with_assessment=assessed)
    sketch = Sketch("", Record.from_bytes(memoryview(record_of(view).to_bytes())))
    assert sketch.units == view.layer.units
    np.testing.assert_array_equal(sketch.iou, view.iou)
    np.testing.assert_array_equal(sketch.best, view.best)
    by_shade = 0
    for unit in range(view.layer.units):
        assert sketch.label(unit) == view.label(unit)
        assert sketch.category(unit) == view.category(unit)
        assert sketch.word(unit) == view.word(unit)
        assert sketch.assessment(unit) == view.assessment(unit)
        told, shade, best = view.told(unit), sketch.shade(unit), view.best_shade(unit)
        assert sketch.told(unit) == (view.drawn[told].name if told >= 0 else "")
        by_shade += view.shade_of(told) is not None
        assert shade is None or best is not None
        assert (shade and (shade[0].name, shade[0].rgb, shade[1])) == view.nearest_shade(unit)
        assert shade is None or shade[0].drawn == view.drawn[len(view.concepts) + (best or 0)].name
    assert bool(by_shade) is assessed


@pytest.mark.usefixtures("own")
def test_it_is_made_once_whatever_the_cut_off(made: list[LayerView]) -> None:
    first = sketches()
    assert list(first) == ["conv1", "conv2"]
    assert [view.layer.name for view in made] == ["conv1", "conv2"]
    memory.forget()  # another start of the server
    again = sketches(ASK._replace(cutoff=0.2))
    assert len(made) == 2
    assert [one.key for one in again.values()] == [one.key for one in first.values()]
    for name, sketch in again.items():
        view = results.layer(ASK, name)
        assert view is not None
        assert sketch.record.digest() == record_of(view).digest() == first[name].record.digest()


@pytest.mark.usefixtures("own")
def test_no_layer_comes_into_the_memory_that_pages_share(monkeypatch: pytest.MonkeyPatch) -> None:
    def shared(*_: object) -> None:
        raise AssertionError("a page's layer would have to go for it")

    monkeypatch.setattr(stored_layers, "_view", shared)
    monkeypatch.setattr(stored_layers, "KEPT", stored_layers.Readers(shared, shared, shared))  # type: ignore[arg-type]
    assert len(sketches()) == 2
    layers = results.layers(ASK)
    assert layers is not None
    assert layers.counts["conv1"].units == 24


def test_another_rule_or_more_that_is_known_makes_another_one(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = sketches()
    assert sketches(ASK._replace(min_images=4))["conv1"].key != every["conv1"].key
    assert every["conv1"].assessment(5) is not None
    with Store(own) as store:
        kept = {key: store.get(key) for key in store.keys("assessment/")}
        for key in kept:
            store.delete(key)
        less = sketches()
        assert less["conv1"].key != every["conv1"].key
        assert less["conv1"].assessment(5) is None
        for key, record in kept.items():
            assert record is not None
            store.put(key, record)
    assert sketches()["conv1"] is every["conv1"]
    monkeypatch.setattr(stored_sketches, "_rules", "other code")
    assert sketches()["conv1"].key != every["conv1"].key


def test_the_key_holds_all_that_changes_it() -> None:
    kinds = [
        ("a", "", "", 10),
        ("a", "b", "", 10),
        ("a", "", "b", 10),
        ("a", "b", "b", 10),
        ("a", "", "", 11),
    ]
    assert len({sketch_key(*kind) for kind in kinds}) == len(kinds)


@pytest.mark.usefixtures("own")
def test_damage_in_a_later_stage_leaves_the_rest(made: list[LayerView]) -> None:
    real = Store.get

    def damaged(store: Store, key: str) -> Record | None:
        return None if key.startswith("assessment/") else real(store, key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "get", damaged)
        less = sketches()
    assert less["conv1"].assessment(5) is None
    assert sketches()["conv1"].assessment(5) is not None, "what was made without is not taken for the whole"
    assert len(made) == 4


@pytest.mark.usefixtures("own")
def test_where_nothing_can_be_written_it_stays_in_memory(
    made: list[LayerView], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(Store, "put", full_disk)
    first = sketches()
    assert sketches()["conv1"] is first["conv1"]
    assert len(made) == 2
    assert stored.store().keys("sketch/") == []


@pytest.mark.thorough
@pytest.mark.usefixtures("own")
def test_one_layer_is_looked_at_at_a_time() -> None:
    most, view = [0], records.view()
    working: list[int] = []

    def slow() -> LayerView:
        working.append(1)
        most[0] = max(most[0], len(working))
        time.sleep(0.05)
        working.pop()
        return view

    with ThreadPoolExecutor(4) as many:
        keys = [sketch_key(f"profile/{number}", "", "", 10) for number in range(4)]
        found = list(many.map(lambda key: kept_sketch(key, slow), keys))
    assert [one.key for one in found] == keys
    assert most == [1]
