"""The app opens on the demo: with stand-ins for its pictures, weights and results, made here."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from interpret_core import datasets, demo, networks
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.errors import StoreError
from interpret_core.runtime.execution import Execution
from interpret_core.store.bundle.cargo import Cargo, ship
from interpret_core.store.cabinet import Cabinet
from interpret_core.store.store import Store
from tests.demo_weights import make_weights
from tests.ui.test_pages import setting
from ui.components.misnomer import misnomer
from ui.components.search import index
from ui.session import precedence, results
from ui.shell.sidebar import Ask
from ui.shell.theme import EVIDENCE

APP = str(Path(__file__).resolve().parents[2] / "app.py")
ALEXNET = "demo/alexnet"


@pytest.fixture(scope="module")
def folder(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of AlexNet and its shipped results on 24 planted pictures."""
    root = tmp_path_factory.mktemp("demo")
    make_weights(root / "weights", ("alexnet",))
    with pytest.MonkeyPatch.context() as patch:
        _shown(patch, installation, root, root / "cache")
        with Store(root / "made", shipped=()) as store:
            run_profile(ProfileRequest(ALEXNET, demo.NAME), store, Execution(device="cpu"))
            digests = {ALEXNET: networks.digest(ALEXNET)}
            ship(store, root / "results", Cargo(digests, {demo.NAME: datasets.open_dataset("demo").digest}))
    return root


def _shown(patch: pytest.MonkeyPatch, installation: Path, root: Path, cache: Path) -> None:
    patch.setattr(demo, "DATASET", installation / "planted")
    patch.setattr(demo, "WEIGHTS", root / "weights")
    patch.setattr(demo, "RESULTS", root / "results")
    patch.setenv("INTERPRET_CACHE", str(cache))
    patch.setenv("INTERPRET_CONFIG", "")
    patch.setenv("INTERPRET_OFFLINE", "1")
    for name in ("INTERPRET_DATASETS", "INTERPRET_DEMO"):
        patch.delenv(name, raising=False)
    patch.chdir(root)


@pytest.fixture
def cache(folder: Path, installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh installation with the demo and nothing else."""
    _shown(monkeypatch, installation, folder, tmp_path / "cache")
    return tmp_path / "cache"


def opened(page: str = "", **parameters: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    if page:
        app.switch_page(page).run()
    assert not app.exception
    assert not app.error
    return app


def words(app: AppTest) -> str:
    parts = [*app.markdown, *app.info, *app.warning, *app.caption, *app.get("html"), *app.subheader]
    return "\n".join(str(part.value if hasattr(part, "value") else part.proto.body) for part in parts)


@pytest.mark.usefixtures("cache")
def test_it_opens_on_the_demo_with_a_welcome() -> None:
    app = opened()
    assert app.query_params["network"] in (ALEXNET, [ALEXNET])
    assert app.query_params["dataset"] in (demo.NAME, [demo.NAME])
    text = words(app)
    assert "You are looking at the demo" in text
    assert "24 rendered scenes" in text
    assert "learned 10 classes" in text
    assert "not for conclusions about photographs" in text
    found = misnomer(results.layers(Ask(ALEXNET, demo.NAME)) or pytest.fail("no result"))
    assert found is not None
    assert f"Labelled “{found.label}”, yet it responds to a shade of {found.shade}" in text
    for step in ("See a label mislead", "Go deeper", "Compare three networks"):
        assert step in text
    assert f"/thumb/{found.unit}.jpg" in text
    assert "Use your own photographs and networks" in [expander.label for expander in app.expander]
    assert "fetch broden" in "".join(str(code.value) for code in app.code)
    assert "torchvision" not in "".join(line for line in text.splitlines() if " on **demo**" in line)


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("writable", [True, False])
def test_results_that_come_with_the_program_are_searched_before_any_is_stored(
    writable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StoreError("The disk is full.")

    if not writable:
        for name in ("add", "keep"):
            monkeypatch.setattr(Cabinet, name, refuse)
    found = index.layers(demo.NAME, Ask("", "").min_images, patience=60)
    assert [one.layer for one in found] == [f"conv{number}" for number in range(1, 6)]
    assert {one.network for one in found} == {ALEXNET}


@pytest.mark.usefixtures("cache")
def test_the_unit_browser_begins_with_the_first_layer() -> None:
    text = words(opened("pages/units.py"))
    assert "of 64 conv1 units" in text
    assert "chance alone would give" in text


def test_only_what_is_looked_at_goes_into_the_cache(cache: Path) -> None:
    assert results.ready(Ask(ALEXNET, demo.NAME))
    with Store(cache, shipped=()) as store:
        assert store.keys("profile/") == []
    opened("pages/units.py", layer="conv1")
    with Store(cache, shipped=()) as store, Store(cache) as known:
        stored = store.keys("profile/")
        assert stored
        (manifest,) = (one.manifest for one in known.shipped)
        assert set(stored) <= set(manifest["records"])


@pytest.mark.usefixtures("cache")
def test_the_badge_says_what_the_evidence_is_worth() -> None:
    app = opened()
    assert results.card(ALEXNET).evidence == "demo"
    evidence = setting(app, "evidence")
    assert (evidence["word"], evidence["tone"]) == ("demo", "blue")
    assert EVIDENCE["demo"][2] in evidence["notes"]
    assert "for learning the tool and teaching, not for conclusions about photographs" in EVIDENCE["demo"][2]


@pytest.mark.thorough
def test_ones_own_data_comes_first_once_it_has_a_result(
    cache: Path, installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERPRET_CONFIG", str(installation / "unitscope.toml"))
    known = results.dataset_names()
    assert known[-1] == demo.NAME
    assert precedence.first_dataset(known) == demo.NAME, "nothing was computed here"
    with Store(cache) as store:
        run_profile(ProfileRequest("small", "planted"), store, Execution(device="cpu"))
    assert precedence.first_dataset(known) == "planted"
    assert precedence.first_dataset(known[:-1]) == known[0]


@pytest.mark.usefixtures("cache")
def test_without_fitting_results_it_offers_to_compute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_weights(tmp_path / "others", ("alexnet",), seed=4)
    monkeypatch.setattr(demo, "WEIGHTS", tmp_path / "others")
    app = opened("pages/units.py", network=ALEXNET, dataset=demo.NAME)
    assert "has not been profiled yet" in words(app)
    assert caplog.text.count("Shipped results of demo/alexnet are not used") == 1


@pytest.mark.usefixtures("cache")
def test_a_hidden_demo_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    text = words(opened())
    assert "No data set yet" in text
    assert "looking at the demo" not in text
