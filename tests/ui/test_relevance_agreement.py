"""Agreement and shared units to rows, cells and figures: counted again by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interpret_core.analyses.agreement import compute as agreements
from interpret_core.analyses.agreement.request import AgreementSettings
from interpret_core.analyses.agreement.result import Agreement
from interpret_core.figures import agreement as agreement_figures
from interpret_core.figures.heat import HOLLOW
from interpret_core.measures.shared_units import SharedUnits
from tests.ui import records
from tests.ui.drawn import drawn
from ui.agreement import parts
from ui.agreement import rows as agreement_rows
from ui.components.heat import heat
from ui.components.table.markup import table_markup
from ui.session.totals import SPACE
from ui.session.view import LayerView
from ui.shared_units import rows as shared_rows
from ui.units import figures as unit_figures

LAYERS = (("conv4", 24, (8, 8)), ("conv5", 24, (4, 4)))


@pytest.fixture(scope="module")
def views() -> dict[str, LayerView]:
    return {name: records.view(layer=name, index=at, seed=at) for at, name in enumerate(["conv4", "conv5"])}


@pytest.fixture(scope="module")
def relevances() -> dict[str, records.ClassRelevance]:
    return {
        "person": records.relevance("person", layers=LAYERS),
        "tree": records.relevance("tree", 4, seed=1, layers=LAYERS),
        "sky": records.relevance("sky", seed=2, layers=LAYERS),
    }


@pytest.fixture(scope="module")
def found(views: dict[str, LayerView], relevances: dict[str, records.ClassRelevance]) -> Agreement:
    profiles = {name: view.summary.profile for name, view in views.items()}
    digest = {"name": "toy", "title": "Toy", "digest": "ab" * 20, "evidence": "trained", "note": ""}
    for profile in profiles.values():
        assert profile.metadata["network"]["digest"] == digest["digest"]
    return agreements.agreement(profiles, relevances, AgreementSettings(0.2, 200))


def test_a_line_of_the_table_is_the_core_s(found: Agreement) -> None:
    row = agreement_rows.row(found, "trained", "Toy")
    whole = found.network
    assert row.error == f"{100 * whole.error:.2f} ± {100 * whole.error_sd:.2f}"
    assert row.chance == f"{100 * whole.chance:.2f}"
    assert row.cells == "6 of 6"
    dragged = AgreementSettings(0.2, 0)
    moving = Agreement(**{**found.__dict__, "settings": dragged})
    assert agreement_rows.row(moving, "trained", "Toy").p_value == "…"
    assert ", p " not in agreement_rows.facts_sentence(moving, "Toy", 0.2)
    assert ", p " in agreement_rows.facts_sentence(found, "Toy", 0.2)


def test_table_keeps_text_from_data_as_text(found: Agreement) -> None:
    row = agreement_rows.row(found, "trained", "<img src=x>")
    made = table_markup(agreement_rows.COLUMNS, [row], "Table I")
    assert "<img" not in made
    assert made.count("<th") == made.count("<td") == len(agreement_rows.Row._fields)


def test_no_values_deviate_more_than_the_bound_says() -> None:
    mean, end = 9.58, 10.0
    extreme = np.concatenate([np.zeros(42), np.full(958, end)])
    assert extreme.mean() == pytest.approx(mean)
    assert extreme.std() == pytest.approx(agreement_rows.widest(mean, end))
    assert agreement_rows.widest(mean, end) < agreement_rows.PAPER["ResNet18"][1]


def test_bound_of_the_errors(found: Agreement) -> None:
    count = found.network.layers[0].count
    assert agreement_rows.bound(found) == 2 * count / 24
    assert np.nanmax(found.network.errors) <= agreement_rows.bound(found)
    assert f"{100 * agreement_rows.bound(found):.1f}{SPACE}% at most" in parts.paper_words(found)


def test_cells_are_centred_on_chance(found: Agreement) -> None:
    high = agreement_rows.farthest([found])
    made = agreement_rows.cells_heat(found, "Toy", high)
    for row, layer in zip(made.cells, found.network.layers, strict=True):
        for at, cell in enumerate(row):
            assert cell.value == pytest.approx(100 * (layer.error[at] - layer.chance))
            assert abs(cell.value) <= high + 1e-9
            assert cell.text == f"{100 * layer.error[at]:.1f}"
            assert cell.marks == (HOLLOW if found.classes[at] == "tree" else 0)
    assert made.low == -made.high == -high
    assert heat.drawn(made, None)["lowText"].startswith("−")


def test_a_cell_without_overlap_is_left_out_with_its_reason(
    views: dict[str, LayerView], relevances: dict[str, records.ClassRelevance]
) -> None:
    profiles = {}
    for name, view in views.items():
        profile = view.summary.profile
        counts = np.array(profile.arrays["intersection"])
        counts[:, view.find("person")] = 0
        profiles[name] = type(profile)({**profile.arrays, "intersection": counts}, profile.metadata)
    found = agreements.agreement(profiles, relevances, AgreementSettings(0.2, 0))
    made = agreement_rows.cells_heat(found, "Toy", agreement_rows.farthest([found]))
    assert math.isnan(made.cells[0][0].value)
    assert "fewer than k units" in made.cells[0][0].note
    assert agreement_rows.cuts(found, "conv4", "person") == agreement_figures.Cuts(None, None)


def test_points_carry_both_marks(found: Agreement, views: dict[str, LayerView]) -> None:
    points = agreement_rows.points(found, "conv5", "tree", views)
    layer, at = found.layer("conv5"), found.classes.index("tree")
    assert sum(point.by_iou for point in points) == sum(point.by_relevance for point in points) == layer.count
    cuts = agreement_rows.cuts(found, "conv5", "tree")
    assert all(point.iou >= cuts.iou for point in points if point.by_iou)
    assert all(point.relevance >= cuts.relevance for point in points if point.by_relevance)
    assert sum(point.by_iou and point.by_relevance for point in points) == int(layer.both[at])


def test_error_lines_share_an_axis_of_depth(found: Agreement) -> None:
    one = agreement_figures.errors_of(found, "A")
    figure = drawn(agreement_figures.error_lines([one, one._replace(title="B")]))
    assert [list(trace.x) for trace in figure.data] == [[0, 1]] * 4
    assert list(figure.data[0].y) == pytest.approx([100 * layer.mean_error for layer in found.network.layers])
    assert figure.data[0].line.dash != figure.data[2].line.dash
    assert list(drawn(agreement_figures.error_lines([one])).data[0].x) == ["conv4", "conv5"]
    control = agreement_figures.errors_of(found, "A", found)
    every = {trace.name: list(trace.y) for trace in drawn(agreement_figures.error_lines([control])).data}
    assert every["untrained control"] == every["error"]


@pytest.fixture(scope="module")
def shared(relevances: dict[str, records.ClassRelevance]) -> SharedUnits:
    return agreements.shared_units(relevances, ["conv4", "conv5"], 0.3)


def by_hand(relevances: dict[str, records.ClassRelevance]) -> dict[str, set[tuple[str, int]]]:
    """Each class's set: the seven most relevant units of either layer."""
    return {
        name: {
            (layer, int(unit))
            for layer in ("conv4", "conv5")
            for unit in np.argsort(-record.layer(layer).relevance, kind="stable")[:7]
        }
        for name, record in relevances.items()
    }


def test_overlaps_are_those_of_the_sets(
    shared: SharedUnits, relevances: dict[str, records.ClassRelevance]
) -> None:
    sets, names = by_hand(relevances), list(relevances)
    made = shared_rows.overlap_heat(shared.whole, names, "Toy")
    for one, row in enumerate(made.cells):
        for other, cell in enumerate(row):
            if one == other:
                assert math.isnan(cell.value)
                continue
            first, second = sets[names[one]], sets[names[other]]
            assert cell.value == pytest.approx(len(first & second) / len(first | second))
            assert f"{len(first & second)} units in both" in cell.note
    pairs = shared_rows.pair_rows(shared.whole, names, {"network": "toy"}, "all layers")
    assert len(pairs) == 3
    assert pairs[0]["jaccard"] == max(pair["jaccard"] for pair in pairs)


def test_hubs_of_a_pair_are_in_both_sets_with_their_signs(
    shared: SharedUnits, relevances: dict[str, records.ClassRelevance], views: dict[str, LayerView]
) -> None:
    sets = by_hand(relevances)
    rows = shared_rows.hub_rows(shared, ["conv4", "conv5"], relevances, views, ("person", "sky"))
    assert {(row.layer, row.unit) for row in rows} == sets["person"] & sets["sky"]
    for row in rows:
        assert {"person", "sky"} <= {*row.helps, *row.hurts}
        for name in row.helps:
            part = relevances[name].layer(row.layer)
            assert part.positive[row.unit] + part.negative[row.unit] >= 0
        for name in row.hurts:
            part = relevances[name].layer(row.layer)
            assert part.positive[row.unit] + part.negative[row.unit] < 0
        assert row.label == views[row.layer].label(row.unit)
    assert any(row.hurts for row in rows)
    assert any(row.helps for row in rows)
    only = shared_rows.hub_rows(shared, ["conv4", "conv5"], relevances, {}, ("person", "sky"), "conv5")
    assert {(row.layer, row.unit) for row in only} == {
        one for one in sets["person"] & sets["sky"] if one[0] == "conv5"
    }
    assert all(row.iou is None for row in only)


def test_counts_stand_beside_chance(shared: SharedUnits) -> None:
    figure = drawn(shared_rows.count_bars(shared.observed.sum(0), shared.expected.sum(0)))
    assert list(figure.data[0].y) == shared.observed.sum(0)[1:].tolist()
    assert figure.data[1].y[0] == pytest.approx(shared.expected.sum(0)[1])
    told = shared_rows.Told("Toy", 0.3, "conv5")
    text = shared_rows.facts_sentence(shared, ["conv4", "conv5"], told)
    assert f"**{shared.by_layer[1].mean_jaccard:.3f}**" in text
    assert f"{shared.by_layer[1].mean_chance:.3f} by chance" in text


def test_names_from_data_stay_text(
    views: dict[str, LayerView], relevances: dict[str, records.ClassRelevance]
) -> None:
    hostile = '<img src="https://outside.invalid/x">'
    row = {"class": hostile, "relevance": 1.0, "positive": 1.0, "negative": 0.0, "in_mask_share": None}
    more = {"rank": 1, "units": 2, "images": 3, "recognised": 0, "flagged": 0}
    bars = drawn(unit_figures.class_bars([{**row, **more}]))
    assert all("<img" not in name for trace in bars.data for name in trace.y)
    point = agreement_figures.UnitPoint(0, hostile, "object", 0.1, 0.1, True, True)
    every = drawn(
        agreement_figures.scatter([point], agreement_figures.Cuts(None, None), {"x": hostile, "y": "R"})
    )
    assert "<img" not in str(every.data[0].customdata)
    assert "<img" not in every.layout.xaxis.title.text
    told = shared_rows.Told("Toy", 0.3, hostile)
    made = agreements.shared_units(relevances, ["conv4"], 0.3)
    assert "\\<img" in shared_rows.facts_sentence(made, [hostile], told)
