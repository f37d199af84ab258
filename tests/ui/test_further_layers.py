"""The unit browser on layers that are no convolutions: chosen by kind, profiled on demand, under any name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.options import ALL, Names
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.ui.conftest import _environment
from tests.ui.test_pages import open_page, shown, words
from ui.session import results
from ui.session.networks import examinations
from ui.shell.sidebar import Ask

BLOCKS = ("stage.0", "stage.1")
HERE = {"network": "blocks", "dataset": "planted"}


def profiled(cache: Path, layers: Names) -> None:
    with Store(cache) as store:
        request = ProfileRequest("blocks", "planted", layers, permutations=100)
        run_profile(request, store, Execution(device="cpu"))


@pytest.fixture(scope="module")
def convolutions(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the profile of the convolutions alone."""
    cache = tmp_path_factory.mktemp("blocks") / "cache"
    with pytest.MonkeyPatch.context() as patch:
        _environment(patch, installation, cache)
        profiled(cache, ALL)  # type: ignore[arg-type]
    return cache


@pytest.fixture
def cache(installation: Path, convolutions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own = tmp_path / "cache"
    shutil.copytree(convolutions, own)
    return _environment(monkeypatch, installation, own)


@pytest.mark.thorough
@pytest.mark.usefixtures("cache")
def test_kinds_are_offered_and_what_is_missing_can_be_computed() -> None:
    app = open_page("pages/units.py", **HERE)
    assert shown(app, "Kind of layer") == "usual"
    assert shown(app, "Layer") == "stage.1.second"
    app.selectbox(key="pick_kind").set_value("sum").run()
    assert not app.exception
    assert app.query_params["layer"] in ("stage.1", ["stage.1"])
    assert "The block outputs of blocks have not been profiled yet** (stage.0, stage.1)" in words(app)
    assert [one.label for one in app.button if "detect" in one.label] == [
        "Find what the units of these 2 layers detect"
    ]
    app.selectbox(key="pick_layer").set_value("stage.0").run()
    assert "have not been profiled yet" in words(app)


@pytest.mark.thorough
def test_a_block_that_is_profiled_is_not_called_missing(cache: Path) -> None:
    profiled(cache, BLOCKS[:1])
    with Store(cache) as store:
        run_profile(ProfileRequest("blocks", "planted", BLOCKS[1:], quantile=0.01, permutations=0), store)
    app = open_page("pages/units.py", layer="stage.1", **HERE)
    assert not app.exception
    text = words(app)
    assert "Of the block outputs of blocks, stage.0 is profiled, stage.1 is not yet." in text
    assert "There is a profile of stage.1 with quantile 0.01 (pages show 0.005)" in text
    assert "What is there stays, and only stage.1 is computed" in text
    assert "Find what the units of stage.1 detect" in [one.label for one in app.button]


def test_a_profiled_block_is_browsed_like_any_layer(cache: Path) -> None:
    profiled(cache, BLOCKS)
    app = open_page("pages/units.py", layer="stage", unit="3", **HERE)  # the published name of the last block
    assert not app.exception
    assert not app.warning
    text = words(app)
    assert "of 8 stage.1 units" in text
    assert "responses are the sums in stage.1, after the activation that directly follows" in text
    assert (shown(app, "Kind of layer"), shown(app, "Layer")) == ("sum", "stage.1")
    view = results.layer(Ask("blocks", "planted"), "stage.1")
    assert view is not None
    assert view.layer.sort == "sum"
    app.selectbox(key="pick_kind").set_value("usual").run()
    assert app.query_params["layer"] in ("stage.1.second", ["stage.1.second"])
    assert "unit" not in app.query_params


def test_other_pages_show_the_convolutions_alone(cache: Path) -> None:
    profiled(cache, BLOCKS)
    app = open_page("pages/concepts.py", **HERE)
    assert not app.exception
    assert "of 40 units in 5 layers" in words(app)


@pytest.mark.thorough
def test_units_of_a_block_stand_in_the_address_of_what_is_silenced(cache: Path) -> None:
    profiled(cache, BLOCKS)
    app = open_page("pages/units.py", layer="stage.1", unit="3", silence="stage.1:3,stem.0:1", **HERE)
    assert not app.warning
    assert app.toggle(key="pick_silence").value
    assert app.query_params["silence"] in ("stage.1:3,stem.0:1", ["stage.1:3,stem.0:1"])


@pytest.mark.thorough
@pytest.mark.usefixtures("full")
def test_a_network_of_convolutions_alone_has_no_kinds() -> None:
    app = open_page("pages/units.py", network="small", dataset="planted")
    assert not [box for box in app.selectbox if box.label == "Kind of layer"]


def test_the_report_on_the_network_opens_and_is_kept(cache: Path) -> None:
    app = open_page("pages/units.py", **HERE)
    app.button(key="examine").click().run()
    assert not app.exception
    assert "5 convolutions, 2 further layers, 0 parts not offered" in words(app)
    drawn = "".join(str(part.value) for part in app.get("html"))
    assert "stage.1, stage" in drawn
    with Store(cache) as store:
        (key,) = store.json_keys("examination/")
        found = store.get_json(key)
    assert [row["layer"] for row in found["layers"]][-2:] == list(BLOCKS)
    assert examinations.kept("blocks") == found
