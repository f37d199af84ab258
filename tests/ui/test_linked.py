"""One concept in every network: what is found, what is drawn, what the page says where there is nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from interpret_core.figures import concepts as figures
from interpret_core.figures import curves
from tests.ui import records
from tests.ui.drawn import drawn
from tests.ui.test_figures import bars_of
from tests.ui.test_pages import open_page, words
from ui.concepts import matches, tables
from ui.session.view import LayerView


@pytest.fixture(scope="module")
def views() -> dict[str, LayerView]:
    return {
        name: records.view(layer=name, index=index, seed=index)
        for index, name in enumerate(["conv4", "conv5"])
    }


def by_hand(views: dict[str, LayerView], concept: str) -> list[tuple[float, str, int]]:
    """Every overlapping unit, best first: counted again from the record's integers."""
    found = []
    for name, view in views.items():
        number = view.find(concept)
        category = view.categories.index(view.concepts[number].category)
        for unit in range(view.layer.units):
            both = int(view.record["intersection"][unit, number])
            union = int(view.record["active"][unit, category] + view.record["concept_pixels"][number]) - both
            if both:
                found.append((both / union, name, unit))
    return sorted(found, key=lambda one: -one[0])


@pytest.mark.parametrize("concept", ["person", "door (part)", "green"])
def test_best_units_over_all_layers(views: dict[str, LayerView], concept: str) -> None:
    found = matches.find(views, concept)
    expected = by_hand(views, concept)[: matches.MOST]
    assert [(m.layer, m.unit) for m in found.best] == [(layer, unit) for _, layer, unit in expected]
    assert [m.iou for m in found.best] == pytest.approx([iou for iou, _, _ in expected])
    assert all(m.iou <= m.ceiling + 1e-12 for m in found.best)
    for depth in found.depths:
        best = max(one for one in by_hand(views, concept) if one[1] == depth.layer)
        assert (depth.iou, depth.unit) == (pytest.approx(best[0]), best[2])


def test_detectors_of_all_concepts_add_up(views: dict[str, LayerView]) -> None:
    names = [concept.name for concept in views["conv4"].concepts]
    total = sum(sum(matches.find(views, name).detectors.values()) for name in names)
    assert total == sum(view.detectors() for view in views.values()) > 0
    assert tables.totals(views) == {
        name: sum(matches.counts(views, name).values())
        for name in names
        if views["conv4"].summary.included[views["conv4"].find(name)]
    }


def test_words_tell_a_detector_of_it_from_one_of_something_else(views: dict[str, LayerView]) -> None:
    match = matches.find(views, "person").best[0]
    assert matches.words(match._replace(own=True, detector=True, significant=True)) == "detector, significant"
    other = match._replace(own=False, detector=True, significant=False, label="sky")
    assert matches.words(other) == "detector of sky"
    assert matches.words(other._replace(detector=False)) == "no detector"


def test_nothing_is_found_for_unknown_rare_and_silent_concepts(views: dict[str, LayerView]) -> None:
    assert not matches.find(views, "unicorn").known
    rare = next(c.name for c in views["conv4"].concepts if c.name not in tables.totals(views))
    found = matches.find(views, rare)
    assert (found.known, found.included, found.best) == (True, False, [])
    assert 0 < found.images < 10
    silent = {name: _without(view, "person") for name, view in views.items()}
    found = matches.find(silent, "person")
    assert found.included
    assert found.best == []
    assert {depth.unit for depth in found.depths} == {-1}


def _without(view: LayerView, concept: str) -> LayerView:
    profile = view.summary.profile
    counts = np.array(profile.arrays["intersection"])
    counts[:, view.find(concept)] = 0
    emptied = type(profile)({**profile.arrays, "intersection": counts}, profile.metadata)
    return replace(view, summary=replace(view.summary, profile=emptied))


@pytest.mark.parametrize("unique", [False, True])
def test_chosen_share_stands_out_and_the_stack_keeps_its_height(
    views: dict[str, LayerView], unique: bool
) -> None:
    name = max(tables.totals(views), key=tables.totals(views).__getitem__)
    plain_bars = bars_of(drawn(figures.detector_bars(tables.panel(views), unique=unique)))
    marked = bars_of(drawn(figures.detector_bars(tables.panel(views, name), unique=unique)))
    for place, layer in enumerate(views):
        height = sum(bar.y[place] for bar in plain_bars.values())
        assert sum(bar.y[place] for bar in marked.values()) == height
        count = matches.counts(views, name)[layer]
        assert marked[name].y[place] == (min(1, count) if unique else count)
    assert marked[name].marker.pattern.shape, "told by a pattern too, not by colour alone"
    assert {bar.opacity for key, bar in marked.items() if key != name} == {figures.DIM}
    assert {bar.opacity for bar in plain_bars.values()} == {1}


def test_chosen_concept_is_among_the_bars_however_rare() -> None:
    rows = [(f"c{i}", "object", 40 - i, 0.1) for i in range(35)]
    bar = drawn(figures.concept_bars(rows, chosen="c33")).data[0]
    assert len(bar.y) == 31
    assert bar.y[0] == "<b>▸ c33</b>"
    assert bar.marker.color[0] == "#3b6fd4"
    assert len(set(bar.marker.color)) == 2


def test_best_lines_share_an_axis_of_depth() -> None:
    short = curves.BestLine("A", ["conv1", "conv2"], [3, -1], [0.2, 0.0])
    long = curves.BestLine("B", ["a", "b", "c"], [0, 1, 2], [0.1, 0.3, 0.2])
    figure = drawn(curves.best_lines([short, long], 0.04))
    assert [list(trace.x) for trace in figure.data] == [[0, 1], [0, 0.5, 1]]
    assert [list(trace.y) for trace in figure.data] == [[0.2, 0.0], [0.1, 0.3, 0.2]]
    assert figure.data[0].customdata[1][2] == "no overlap"
    assert figure.data[0].line.dash != figure.data[1].line.dash
    assert list(drawn(curves.best_lines([short], 0.04)).data[0].x) == ["conv1", "conv2"]


def choose(**parameters: str) -> AppTest:
    """The Concepts page of `small` with these parameters."""
    return open_page("pages/concepts.py", network="small", dataset="planted", **parameters)


@pytest.mark.usefixtures("full")
def test_chosen_concept_has_a_section_with_links() -> None:
    app = choose(concept="white", compare="other")
    assert not app.exception
    assert not app.warning
    assert [head.value for head in app.subheader if "in each network" in head.value] == [
        "*white* in each network"
    ]
    assert "whatever their own label" in words(app)
    drawn = [json.loads(node.proto.bytes).get("cards", []) for node in app.get("bidi_component")]
    cards = [card for each in drawn for card in each]
    assert 6 < len(cards) <= 12
    assert all("annotate=white" in href for href, *_ in cards)
    assert {("network=other" in href) for href, *_ in cards} == {True, False}
    assert all("/api/thumb/" in image for _, image, *_ in cards)


@pytest.mark.usefixtures("full")
def test_unknown_concept_and_bar_in_the_link_get_a_friendly_line() -> None:
    app = choose(concept="unicorn", at="small,conv9,object")
    assert not app.exception
    said = "\n".join(str(warning.value) for warning in app.warning)
    assert "unicorn" in said
    assert "that the link points to is not here" in said
    assert "in small" not in "".join(head.value for head in app.subheader)


@pytest.mark.usefixtures("full")
def test_concept_in_too_few_images_says_so() -> None:
    app = choose(concept="white", min_images="25")
    assert not app.exception
    assert "fewer than 25" in words(app)
    assert "Images per concept" in words(app)


@pytest.mark.usefixtures("full")
def test_bar_in_the_link_offers_the_way_to_its_units() -> None:
    app = choose(at="small,conv2,color", cutoff="0")
    assert "**conv2 · color** in small" in words(app)
    links = [node.proto.query_string for node in app.get("page_link") if "See these" in node.proto.label]
    assert len(links) == 1
    assert "cutoff=0" in links[0]
    assert "layer=conv2&category=color&detectors=1" in links[0]
