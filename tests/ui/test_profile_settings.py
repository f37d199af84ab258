"""A profile that is there in part, or under other settings, is not called missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import layer_keys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.store.store import Store
from tests.ui.test_pages import open_page, words

HERE = {"network": "small", "dataset": "planted"}


def profiled(cache: Path, **changes: object) -> None:
    run_profile(ProfileRequest("small", "planted", **{"permutations": 0, **changes}), Store(cache))  # type: ignore[arg-type]


def said() -> str:
    app = open_page("pages/units.py", **HERE)
    assert not app.exception
    return words(app)


def linked() -> list[str]:
    app = open_page("pages/home.py", **HERE)
    assert not app.exception
    return [str(one.proto.label) for one in app.get("page_link")]


@pytest.mark.thorough
def test_what_is_there_and_what_is_not(empty: Path) -> None:
    profiled(empty, layers=("conv1",))
    text = said()
    assert "Of small on planted, conv1 is profiled, conv2 is not yet." in text
    assert "What is there stays, and only conv2 is computed" in text
    assert "has not been profiled yet" not in text
    store = Store(empty)
    keys = layer_keys(ProfileRequest("small", "planted"), store)
    before = store.written(keys.profile["conv1"])
    profiled(empty)
    assert store.written(keys.profile["conv1"]) == before, "computed again"


@pytest.mark.thorough
def test_another_quantile_and_batch_size_are_named(empty: Path) -> None:
    profiled(empty, quantile=0.01)
    profiled(empty, layers=("conv2",), batch_size=8)
    text = said()
    assert "small on planted has not been profiled yet." in text
    assert "conv1, conv2 with quantile 0.01 (pages show 0.005)" in text
    assert "conv2 with batch size 8 (pages show 32)" in text
    assert "is a profile of" not in words(open_page("pages/units.py", network="other", dataset="planted"))


@pytest.mark.thorough
def test_home_says_what_is_there(empty: Path) -> None:
    profiled(empty, quantile=0.01)
    assert "computed under other settings only: see the cost →" in linked()
    profiled(empty, layers=("conv1",))
    assert "1 of 2 layers not computed: see the cost →" in linked()
    profiled(empty)
    assert "Ready: open →" in linked()


@pytest.mark.thorough
@pytest.mark.parametrize("permutations", [0, 7])
def test_with_another_number_of_permutations_chance_alone_is_missing(empty: Path, permutations: int) -> None:
    profiled(empty, permutations=permutations)
    text = said()
    assert "has not been profiled" not in text
    assert "takes 100 permutations on 24 images" in text
    assert "Nothing else is computed." in text
