"""A result's figure is the dashboard's own."""

from __future__ import annotations

import pytest

import interpret_core as ic
from interpret_core.errors import ParameterError
from interpret_core.figures import concepts as concept_figures
from interpret_core.figures import relevance as relevance_figures
from interpret_core.figures.agreement import error_lines, errors_of
from tests.ui.drawn import drawn
from ui.components.chart.chart import finished
from ui.concepts import tables
from ui.session.view import LayerView


@pytest.fixture
def profile(notebook):
    return ic.profile("demo/alexnet", "demo")


def test_the_bars_of_a_profile_are_those_of_the_page(profile):
    views = {name: LayerView("", one, "demo/alexnet", "demo") for name, one in profile.layers.items()}
    pages = finished(concept_figures.detector_bars(tables.panel(views)), "Detectors by layer").figure
    assert profile.plot() == profile.plot("detectors") == drawn(pages)
    rows = [
        (row.concept, row.category, row.detectors, row.iou) for row in tables.rows(views) if row.detectors
    ]
    badge = views["conv1"].facts.badge
    pages = finished(concept_figures.concept_bars(rows, badge=badge), "Concepts by detectors").figure
    assert profile.plot("concepts") == drawn(pages)
    assert "demo" in profile.plot("colours").layout.title.text
    assert len(profile.plot("quality").data) == 3


def test_relevance_has_the_cells_of_the_page(notebook):
    found = ic.relevance("demo/alexnet", "demo")
    (trace,) = found.plot().data
    totals = {name: relevance_figures.totals_of(one) for name, one in found.classes.items()}
    for column, name in enumerate(found.classes):
        for row, value in enumerate(relevance_figures.values(totals[name], "mass")):
            assert float(trace.text[row][column].split()[0].replace(",", "")) == pytest.approx(value, rel=0.1)
    assert found.plot("share").data[0].z != trace.z


def test_agreement_evaluation_and_ablation_are_drawn(notebook):
    agreed = ic.agreement("demo/alexnet", "demo")
    (answer,) = agreed.found.answers
    lines = drawn(error_lines([errors_of(answer.agreement, "x")])).data
    assert [trace.y for trace in agreed.plot().data] == [trace.y for trace in lines]
    evaluated = ic.evaluate("demo/alexnet", "demo")
    (bars,) = evaluated.plot().data
    frame = evaluated.to_frame().set_index("class")
    assert dict(zip(bars.y, bars.x, strict=True))["cat"] == 100 * frame.loc["cat", "accuracy"]
    lost = ic.ablate("demo/alexnet", "demo", classes="bed", fractions="0.01,0.03", rank="top")
    top = next(trace for trace in lost.plot().data if trace.name == "bed, top")
    rows = lost.to_frame()
    mine = rows[(rows["evaluated_class"] == "bed") & (rows["rank"] == "top")]
    assert list(top.y)[1:] == [100 * one for one in mine["accuracy"]]
    assert list(top.x) == [0, 1, 3]
    assert {trace.name for trace in lost.plot("classes").data} >= {"intact"}
    assert lost.plot("curves") == lost.plot()


def test_labels_of_whole_images_are_drawn(notebook):
    found = ic.image_labels("demo/alexnet", "demo", layers=["conv5"], permutations=0)
    (bars,) = found.plot().data
    assert all(0.5 <= one <= 1 for one in bars.x)


def test_a_figure_that_is_none_is_told(profile):
    with pytest.raises(ParameterError, match=r"Unknown figure of profile 'detector': did you mean detectors"):
        profile.plot("detector")
