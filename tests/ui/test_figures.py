"""Figures are data: what is drawn is what was counted."""

from __future__ import annotations

import json

import numpy as np
import pytest

from interpret_core.figures import agreement as agreement_figures
from interpret_core.figures import concepts as figures
from interpret_core.figures import curves, template
from interpret_core.figures.colours import ACCENT, CATEGORY_COLOURS
from interpret_core.figures.figure import Figure
from interpret_core.figures.text import figure_text, unfigured
from tests.ui import records
from tests.ui.drawn import drawn
from ui.components.chart import chart
from ui.components.saves import saves
from ui.concepts import tables
from ui.units import figures as unit_figures


@pytest.fixture(scope="module")
def views():
    return {
        name: records.view(layer=name, index=index, seed=index)
        for index, name in enumerate(["conv4", "conv5"])
    }


def bars_of(figure):
    return {trace.name: trace for trace in figure.data if trace.type == "bar"}


def test_bars_are_the_counts(views) -> None:
    panel = tables.panel(views)
    bars = bars_of(drawn(figures.detector_bars(panel)))
    for place, layer in enumerate(views):
        for category, (count, _) in views[layer].summary.detectors_by_category().items():
            assert bars[category].y[place] == count
            assert list(bars[category].customdata[place])[:3] == [layer, category, count]
    assert {bars[name].marker.color == CATEGORY_COLOURS[name] for name in bars} == {True}


def test_shares_and_unique_concepts(views) -> None:
    panel = tables.panel(views)
    share = bars_of(drawn(figures.detector_bars(panel, share=True)))
    unique = bars_of(drawn(figures.detector_bars(panel, unique=True)))
    count, distinct = views["conv4"].summary.detectors_by_category()["object"]
    assert share["object"].y[0] == pytest.approx(100 * count / 24)
    assert unique["object"].y[0] == distinct
    assert tables.tallest([panel], share=False, unique=False) >= max(v.detectors() for v in views.values())


def test_few_images_are_hollow_with_an_interval(views) -> None:
    panel = tables.panel(views)._replace(images=9)
    figure = drawn(figures.detector_bars(panel))
    assert all(trace.marker.color == "rgba(0,0,0,0)" for trace in bars_of(figure).values())
    assert [trace for trace in figure.data if trace.type == "scatter" and trace.error_y.array is not None]


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)]
)
def test_wilson_against_published_values(k: int, n: int, low: float, high: float) -> None:
    assert figures.wilson(k, n) == pytest.approx((low, high), abs=1e-4)


def test_sensitivity_marks_the_cutoff(views) -> None:
    lines = tables.curves(views)
    figure = drawn(curves.sensitivity_curve(tables.CUTOFFS, lines, 0.04))
    total = next(trace for trace in figure.data if trace.name == "all layers")
    at = int(np.argmin(abs(tables.CUTOFFS - 0.04)))
    assert total.y[at] == sum(view.detectors() for view in views.values())
    assert np.all(np.diff(total.y) <= 0)
    assert figure.layout.shapes[0].x0 == 0.04


def test_histogram_colours_what_lies_above_the_threshold(views) -> None:
    record = views["conv5"].record
    threshold = float(record["threshold"][4])
    responses = unit_figures.Responses(record["histogram"][4], record["histogram_edges"][4], threshold, 0.005)
    figure = drawn(unit_figures.histogram(responses, "unit 4", badge="Toy · random weights"))
    bars = figure.data[0]
    assert np.sum(bars.y) == record["histogram"][4].sum()
    above = np.asarray(bars.x) > threshold
    assert (np.asarray(bars.marker.color) == ACCENT).tolist() == above.tolist()
    texts = [note.text for note in figure.layout.annotations]
    assert any("0.5 % above" in text for text in texts)
    assert figure.layout.title.text == "Toy · random weights", "a saved picture says what its evidence is"


def test_quality_has_a_line_per_network_and_t(views) -> None:
    data = {"A": {n: v.summary.mean_top_iou() for n, v in views.items()}}
    assert [trace.name for trace in drawn(curves.quality_lines(data)).data] == ["t = 1", "t = 2", "t = 3"]
    assert len(drawn(curves.quality_lines({**data, "B": data["A"]})).data) == 6


def test_concept_bars_are_sorted_and_limited() -> None:
    rows = [(f"c{i}", "object", 40 - i, 0.1) for i in range(35)]
    figure = drawn(figures.concept_bars(rows))
    assert len(figure.data[0].y) == 30
    assert figure.layout.yaxis.categoryarray[-1] == "c0", "the most frequent stands on top"


def test_names_that_are_numbers_stay_names() -> None:
    names = ["3", "1e2", "2020-01-01"]
    bars = drawn(figures.concept_bars([(name, "object", 2, 0.1) for name in names]))
    assert bars.layout.yaxis.type == "category"
    facts = {"relevance": 1.0, "rank": 1, "units": 4, "in_mask_share": None, "images": 12, "recognised": 3}
    rows = [{"class": name, "negative": -1.0, "positive": 2.0, **facts} for name in names]
    assert drawn(unit_figures.class_bars(rows)).layout.yaxis.type == "category"


def test_a_long_title_of_an_axis_is_broken_for_a_phone_and_whole_in_words_and_tables() -> None:
    whole = "estimated change of the mean probability of a semi-detached <b>house</b>, points"
    figure = Figure()
    figure.add_scatter(x=[1.0], y=[2.0], name="a")
    figure.update_xaxes(title=figure_text(whole))
    for _ in range(2):  # a figure that is kept is drawn again
        title = template.titled(figure, "Single units")
        lines = figure.layout["xaxis"]["title"]["text"].split("<br>")
        assert len(lines) > 1
        assert max(map(len, map(unfigured, lines))) <= template.AXIS + 1
    assert whole in chart.described(figure, title)
    assert list(chart.marks(figure, title)[0])[2] == whole


def test_a_figure_s_table_says_whose_it_is_and_knows_no_nan() -> None:
    one = agreement_figures.Errors("A & B", ["conv1", "conv2"], [0.1, float("nan")], [0.2, 0.2])
    figure = agreement_figures.error_lines([one], badge="A & B on scenes · demo")
    title = template.titled(figure, "Error by layer")
    assert title == "Error by layer · A & B on scenes · demo"
    assert template.titled(figure, "Error by layer") == title, "a figure that is kept is drawn again"
    rows = chart.marks(figure, title)
    assert json.loads(saves.json_text(rows)) == rows
    assert [row["error, % of units"] for row in rows if row["series"] == "error"] == [10.0, None]
    assert {row["figure"] for row in rows} == {title}
    assert "error: conv1: 10" in chart.described(figure, title)
