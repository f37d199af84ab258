"""Concepts of one name on the pages: told apart everywhere, and a link that names several says which."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.planted_names import NETWORK, Named
from tests.ui.test_pages import open_page, words
from ui.server import exports
from ui.session import relevances, results
from ui.session.view import LayerView
from ui.shell.sidebar import Ask

HERE = {"network": "named", "dataset": "named", "min_images": "1", "cutoff": "0"}
ASK = Ask("named", "named", 1, 0.0)
CATS = ("cat (object 1)", "cat (object 9)", "cat (part)")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two labels called "cat", one of them in two categories; profile and relevance of a network."""
    root = tmp_path_factory.mktemp("named")
    Named(part=True).write(root / "set")
    (root / "unitscope.toml").write_text(
        f'[datasets]\nnamed = "set"\n[networks]\nnamed = "{NETWORK}"\nother = "{NETWORK}"\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        _environment(patch, root)
        with Store(root / "cache") as store:
            for network in ("named", "other"):
                run_profile(ProfileRequest(network, "named", min_images=1), store, Execution(device="cpu"))
            run_relevance(RelevanceRequest("named", "named"), store, Execution(device="cpu"))
    return root


def _environment(patch: pytest.MonkeyPatch, root: Path) -> None:
    patch.setenv("INTERPRET_CONFIG", str(root / "unitscope.toml"))
    patch.setenv("INTERPRET_CACHE", str(root / "cache"))
    patch.setenv("INTERPRET_OFFLINE", "1")
    patch.setenv("INTERPRET_DEMO", "0")
    patch.delenv("INTERPRET_DATASETS", raising=False)


@pytest.fixture(autouse=True)
def here(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _environment(monkeypatch, made)


def view() -> LayerView:
    found = results.layer(ASK, "conv2")
    assert found is not None
    return found


def options(app: AppTest, label: str) -> list[str]:
    return [str(one) for one in next(box for box in app.selectbox if box.label == label).options]


def drawn(app: AppTest) -> str:
    """Everything that a page draws, figures, tables and components included."""
    parts = [words(app), *(str(node.value) for node in app.get("html"))]
    parts += [node.proto.bytes.decode() for node in app.get("bidi_component")]
    parts += [node.proto.spec for node in app.get("plotly_chart")]
    return "\n".join(parts)


AMBIGUOUS = "which is the name of 3 here: cat \\(object 1\\), cat \\(object 9\\), cat \\(part\\)"


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("page", "place", "label"),
    [
        ("pages/units.py", {"layer": "conv2"}, "Concept"),
        ("pages/concepts.py", {}, "Concept"),
        ("pages/concepts.py", {"compare": "other"}, "Concept"),
        ("pages/ablation.py", {"by": "iou"}, "Concept"),
    ],
)
def test_boxes_and_links(page: str, place: dict[str, str], label: str) -> None:
    offered = options(open_page(page, **HERE, **place), label)
    for name in CATS:
        assert any(one == name or one.startswith(f"{name} ·") for one in offered)
        app = open_page(page, **HERE, **place, concept=name)
        assert not app.exception
        assert not app.warning
        assert next(box.value for box in app.selectbox if box.label == label) == name
    app = open_page(page, **HERE, **place, concept="cat")
    assert not app.exception
    assert AMBIGUOUS.replace("\\", "") in words(app).replace("\\", "")
    assert app.query_params.get("concept", [""]) in ([""], "")
    app = open_page(page, **HERE, **place, concept="dog (object)")
    assert not app.warning
    assert next(box.value for box in app.selectbox if box.label == label) == "dog", "more than enough"


@pytest.mark.thorough
def test_the_annotation_of_a_link(capsys: Any) -> None:
    app = open_page("pages/units.py", **HERE, layer="conv2", unit="3", annotate="cat")
    assert AMBIGUOUS.replace("\\", "") in words(app).replace("\\", "")
    for name in CATS:
        app = open_page("pages/units.py", **HERE, layer="conv2", unit="3", annotate=name)
        assert not app.warning
        gallery = next(
            json.loads(node.proto.bytes)
            for node in app.get("bidi_component")
            if node.proto.id.endswith("-gallery")
        )
        assert gallery["concept"] == name


def test_nothing_on_the_pages_is_called_by_the_shared_name() -> None:
    shared = ("“cat”", ">cat<", ",cat,")  # where a unit's page says "cat" it is the class
    for page, around in (("pages/units.py", shared), ("pages/concepts.py", (*shared, '"cat"'))):
        text = drawn(open_page(page, **HERE, layer="conv1", unit="0"))
        assert "cat (object" in text.replace("\\", "")
        assert not [one for one in around if one in text]


def test_tables_and_records_to_save() -> None:
    found = view()
    assert [concept.name for concept in found.concepts] == [CATS[0], "dog", "bus", CATS[1], CATS[2]]
    names = {concept.name for concept in found.concepts} | {""}
    assert {row["concept"] for row in exports.layer_json(found)["units"]} <= names
    for unit in range(found.layer.units):
        told = exports.unit_json(found, unit, results.source(found))
        top = [one["concept"] for one in told["top_concepts"]]
        assert len(set(top)) == len(top)
        assert {*top, *(one["concept"] for one in told["best_per_category"].values())} <= names
        assert {one["concept"] for one in told["firing"]} <= names


def test_each_name_shows_its_own_masks() -> None:
    """An annotation is that of its number in its category."""
    found = view()
    opened = results.dataset("named")
    for concept, name in enumerate((CATS[0], "dog", "bus", *CATS[1:])):
        assert found.find(name) == concept
        wanted = found.concepts[concept]
        shown = results.annotation_runs(found, range(len(opened)), concept)
        number = 0
        for image, runs in enumerate(shown):
            planes = opened.read_annotation(image, opened.concepts((wanted.category,)))
            places = [one.number for one in opened.concepts((wanted.category,)).concepts]
            pixels = int((planes == 1 + places.index(wanted.number)).sum())
            assert sum((runs or [])[1::2]) == pixels
            number += pixels > 0
        assert number == int(found.record["concept_images"][concept]) > 0


def test_a_class_s_outline_and_its_row() -> None:
    found = relevances.find(relevances.Wanted("named", "named"))
    one = relevances.known_class(found, "cat")
    outlines = relevances.outlines(found, one, one.images.tolist())
    assert [sum((runs or [])[1::2]) for runs in outlines] == [36] * len(outlines)
    app = open_page("pages/relevance.py", **HERE, **{"class": "cat", "layer": "conv2", "of": "named"})
    app.session_state["classes"] = True  # unfolds the table
    app.run()
    assert not app.exception
    text = drawn(app).replace("\\", "")
    assert "cat (object 1) + cat (object 9)" in text
    agreement = drawn(open_page("pages/agreement.py", **HERE, layer="conv2", **{"class": "cat"}))
    assert "cat (object 1) + cat (object 9)" in agreement.replace("\\", "")
