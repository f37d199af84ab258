"""Labels of whole images on a unit's page, and pages of photographs in which nothing is annotated."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from interpret_core import jobs
from interpret_core.analyses.image_labels.compute import run_image_labels
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles, layer_keys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.summary import summarise
from interpret_core.datasets import open_dataset
from interpret_core.store.store import Store
from tests.analyses.test_image_labels import write
from tests.planted_classes import write_classes
from tests.planted_dataset import make_planted
from tests.shared import copy_of
from tests.ui.test_pages import open_page, words
from ui.components.unit_grid.unit_grid import tiles
from ui.session import memory
from ui.session.view import LayerView
from ui.units import image_labels

NETWORK = "small"
CONFIG = """
[datasets]
both = "both"
photographs = "photographs"
bare = "bare"
[networks]
small = "tests.ui.networks:small"
"""


def _environment(patch: pytest.MonkeyPatch, root: Path, cache: Path) -> None:
    patch.setenv("INTERPRET_CONFIG", str(root / "unitscope.toml"))
    patch.setenv("INTERPRET_CACHE", str(cache))
    patch.setenv("INTERPRET_OFFLINE", "1")
    patch.setenv("INTERPRET_DEMO", "0")


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation: annotated photographs with classes, photographs with labels, and with nothing."""

    def make(root: Path) -> None:
        root.mkdir()
        (root / "unitscope.toml").write_text(CONFIG)
        make_planted(root / "both", images=24, size=64, annotation=32)
        names = [record.image for record in open_dataset(root / "both").records]
        write_classes(root / "both", [(name, f"<b>c{at % 2}</b>") for at, name in enumerate(names)])
        write(root / "photographs")
        write(root / "bare", 12)
        for file in (root / "bare").rglob("*.png"):
            file.rename(root / "bare" / file.name)
        (root / "bare" / "classes.csv").unlink()
        with pytest.MonkeyPatch.context() as patch:
            _environment(patch, root, root / "cache")
            store = Store(root / "cache")
            for dataset in ("both", "photographs", "bare"):
                run_profile(ProfileRequest(NETWORK, dataset, permutations=100), store)
            run_image_labels(ImageLabelsRequest(NETWORK, "both"), store)

    return copy_of("labelled", tmp_path_factory.mktemp("labelled") / "installation", make, tmp_path_factory)


@pytest.fixture
def cache(labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of its cache, for a test that has something computed."""
    shutil.copytree(labelled / "cache", tmp_path / "cache")
    _environment(monkeypatch, labelled, tmp_path / "cache")
    return tmp_path / "cache"


def page(name: str, dataset: str, **more: str) -> AppTest:
    app = open_page(f"pages/{name}.py", network=NETWORK, dataset=dataset, **more)
    assert not app.exception
    return app


def markup(app: AppTest) -> str:
    return "\n".join(str(node.proto.body) for node in app.get("html"))


@pytest.mark.thorough
@pytest.mark.usefixtures("cache")
def test_both_kinds_of_label_stand_side_by_side() -> None:
    app = page("units", "both", unit="0")
    said = words(app)
    html = markup(app)
    assert html.index(image_labels.WHERE) < html.index(image_labels.WHEN)
    assert "Concepts of unit 0" in html
    assert "Labels of whole images of unit 0" in html
    assert "&lt;b&gt;c0&lt;/b&gt;" in html
    assert "<b>c0</b>" not in html
    assert re.search(r"than chance, p (= |≤ )\d", said)
    assert "= ≤" not in said
    assert "from 100 permutations of the labels among 24 images" in said


@pytest.mark.thorough
def test_labels_are_offered_where_images_bear_some(cache: Path) -> None:
    app = page("units", "photographs", unit="0")
    assert "The images bear labels as a whole (class, parity)" in words(app)
    button = next(one for one in app.button if one.label == "Label units by whole images")
    button.click()
    app.run()
    identity = jobs.job_id("image-labels", ImageLabelsRequest(NETWORK, "photographs").to_json())
    job = jobs.wait(Store(cache), identity, 60)
    assert job.state == "done", job.message
    html = markup(page("units", "photographs", unit="0"))
    assert "Labels of whole images of unit 0" in html
    assert image_labels.WHEN in html
    assert image_labels.WHERE not in html


@pytest.mark.usefixtures("cache")
def test_the_tables_of_labels_are_read_once_for_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tens of thousands of rows take seconds; what a page needs of them is kept."""
    offer = "The images bear labels as a whole (class, parity)"
    assert offer in words(page("units", "photographs", unit="0"))

    def read(*_: object, **__: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("interpret_core.analyses.image_labels.plan.image_labels", read)
    memory.forget()
    assert offer in words(page("units", "photographs", unit="0"))
    assert "Labels of whole images of unit 0" in markup(page("units", "both", unit="0"))


@pytest.mark.usefixtures("cache")
def test_photographs_without_a_word_have_a_page() -> None:
    app = page("units", "bare", unit="0")
    said = words(app)
    assert "Nothing is annotated in these photographs, so no unit has a concept." in said
    assert "Nothing is annotated: there is no label to test." in said
    assert "detectors of" not in said
    assert "below the cut-off" not in said
    assert "permutations on" not in said
    assert "The 12 strongest of 12 images" in said
    assert not [one for one in app.button if one.label == "Label units by whole images"]
    html = markup(app)
    assert "nothing annotated" in html
    assert "mean colour in the mask" in html
    assert "nearest shade" in html
    for absent in ("p, best concept", "p by chance", "no better than chance", "overlap too small"):
        assert absent not in html


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("concepts", "so no unit has a concept"),
        ("agreement", "and the overlap of a unit with a class’s object"),
    ],
)
def test_where_nothing_is_annotated_a_page_about_concepts_says_where_to_go(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, why: str
) -> None:
    """Without a profile, which would tell it nothing."""
    _environment(monkeypatch, labelled, tmp_path / "empty")
    app = page(name, "bare")
    said = words(app)
    assert f"nothing is annotated in these photographs, {why}" in said
    assert "[Units](" in said
    assert "[Relevance](" in said
    assert "detectors" not in said
    assert "profiled" not in said
    assert not app.get("plotly_chart")
    assert not app.button


def test_tiles_bear_the_nearest_shade_where_nothing_is_annotated(cache: Path) -> None:
    request = ProfileRequest(NETWORK, "bare", ("conv2",), permutations=100)
    store = Store(cache)
    (found,) = find_profiles(layer_keys(request, store), store).values()
    summary = summarise(found.profile, found.chance, request.settings(), found.assessment)
    view = LayerView("key", summary, NETWORK, "bare")
    for unit, (number, name, _iou, weak, tone, word, said) in enumerate(tiles(view, range(32))):
        shade = view.nearest_shade(unit)
        assert (number, weak, word) == (unit, 0, view.word(unit))
        assert name == (shade[0] if shade else "")
        assert tone == (f"rgb({','.join(map(str, shade[1]))})" if shade else "rgb(0,0,0)")
        assert "neither" not in str(said)


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("home", "Nothing is annotated in these photographs, so no unit has a concept"),
        ("concepts", "nothing is annotated in these photographs"),
        ("relevance", "has no object annotation and no classes.csv"),
        ("agreement", "**bare**: nothing is annotated in these photographs"),
        ("shared", "has no object annotation and no classes.csv"),
        ("ablation", "has no object annotation and no classes.csv"),
        ("jobs", "Nothing is being computed"),
    ],
)
def test_other_pages_say_what_is_missing(name: str, said: str) -> None:
    app = page(name, "bare")
    shown = words(app) + markup(app)
    assert said in shown
    assert not re.search(r"Traceback|\bnan\b|best IoU, then|detectors of 0", shown)
