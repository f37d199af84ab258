"""A class's record to tables and figures: counted again by hand."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image

from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.figures import agreement as agreement_figures
from interpret_core.figures import relevance as relevance_heat
from interpret_core.figures import scales
from interpret_core.figures.heat import HOLLOW, NOTCH
from tests.ui import records
from tests.ui.drawn import drawn
from ui.components.heat import heat
from ui.server import relevance_maps
from ui.session import totals, unit_rows
from ui.units import figures as unit_figures


@pytest.fixture(scope="module")
def record() -> ClassRelevance:
    return records.relevance()


@pytest.fixture(scope="module")
def both() -> dict[str, relevance_heat.LayerTotals]:
    made = {
        "person": records.relevance("person"),
        "tree": records.relevance("tree", 4, seed=1, right=0, flagged=0),
    }
    return {name: relevance_heat.totals_of(one) for name, one in made.items()}


def test_mass_and_sum_by_hand(record: ClassRelevance) -> None:
    found = relevance_heat.totals_of(record)
    each = record.arrays["relevance"].astype(np.float64).mean(0)
    first, second = each[:20].sum(), each[20:].sum()
    assert found.raw == pytest.approx([first, second])
    assert found.mass == pytest.approx([first * 64 / 112**2, second * 16 / 112**2])
    assert found.flagged.tolist() == [1, 0]
    assert relevance_heat.values(found, "share").sum() == pytest.approx(1)
    assert relevance_heat.values(found, "share")[0] == pytest.approx(4 * first / (4 * first + second))
    assert relevance_heat.values(found, "unit") == pytest.approx([found.mass[0] / 20, found.mass[1] / 24])


def test_class_without_relevance_has_no_shares(record: ClassRelevance) -> None:
    silent = ClassRelevance(
        {**record.arrays, "relevance": np.zeros_like(record.arrays["relevance"])}, record.metadata
    )
    assert relevance_heat.values(relevance_heat.totals_of(silent), "share").tolist() == [0, 0]


@pytest.mark.parametrize("view", relevance_heat.VIEWS)
def test_cells_say_what_their_numbers_rest_on(both: dict[str, relevance_heat.LayerTotals], view: str) -> None:
    classes = ["person", "tree", "sky"]
    scale = relevance_heat.scale_of(list(both.values()), view)
    made = relevance_heat.heat("Toy on made-up · trained", classes, both, scale)
    assert made.column_marks == ["", "✕", ""]
    top, bottom = made.cells
    assert max(cell.value for row in made.cells for cell in row[:2]) == pytest.approx(scale.high)
    assert top[0].marks == NOTCH
    assert "1 of 12 above the tolerance" in top[0].note
    assert bottom[0].marks == 0
    assert top[1].marks == bottom[1].marks == HOLLOW
    assert "4 images, 0 recognised" in top[1].note
    assert math.isnan(top[2].value)
    drawn = heat.drawn(made, (1, 0))
    assert drawn["values"][0][2] is None, "NaN is no JSON"
    assert drawn["selected"] == [1, 0]


def test_a_logarithmic_scale_ends_three_powers_of_ten_below(
    both: dict[str, relevance_heat.LayerTotals],
) -> None:
    person = both["person"]
    near = relevance_heat.scale_of([person], "mass", log=True)
    assert near.floor == person.mass.min()
    far = person._replace(mass=np.array([100.0, 0.0001]))
    assert relevance_heat.scale_of([far], "mass", log=True).floor == pytest.approx(0.1)
    silent = person._replace(mass=np.zeros(2))
    assert relevance_heat.scale_of([silent], "mass", log=True).floor == 0
    made = relevance_heat.heat("Toy", ["person"], {"person": person}, near)
    assert heat.drawn(made, None)["lowText"].startswith("≤ ")
    assert "logarithm" in made.scale
    apart = relevance_heat.totals_of(records.relevance())._replace(mass=np.array([153.0, 0.12]))
    log = relevance_heat.scale_of([apart], "mass", log=True)
    texts = [row[0].text for row in relevance_heat.heat("Toy", ["person"], {"person": apart}, log).cells]
    assert texts == ["153", "0.120"], "a number that has a colour is not called 0"


def test_colours_go_by_logarithm_where_one_layer_has_nearly_all(
    both: dict[str, relevance_heat.LayerTotals],
) -> None:
    person = both["person"]._replace(units=(1, 1, 1), mass=np.array([30.0, 1.0, 0.5]))
    assert not relevance_heat.wide([person], "mass")
    assert relevance_heat.wide([person._replace(mass=np.array([30.1, 1.0, 0.5]))], "mass")
    assert not relevance_heat.wide([person._replace(mass=np.zeros(3))], "mass")


def test_columns_that_are_not_computed_go_where_they_are_most(
    both: dict[str, relevance_heat.LayerTotals],
) -> None:
    assert relevance_heat.shown(["person", "sky", "tree", "sea"], both) == ("person", "sky", "tree", "sea")
    assert relevance_heat.shown(["person", "sky", "tree", "sea", "bed"], both) == ("person", "tree")


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0"), (0.0034, "0.3"), (0.05, "5"), (0.126, "13"), (1.0, "100")]
)
def test_a_small_share_is_not_nothing(share: float, text: str) -> None:
    assert totals.share_text(share) == f"{text}{totals.SPACE}%"


@pytest.mark.parametrize(
    ("value", "high", "text"),
    [
        (0.1234, 0.5, "0.123"),
        (1.234, 9.0, "1.23"),
        (123.4, 300.0, "123"),
        (0.00123, 0.004, "0.00123"),
        (-0.5, 2.0, "−0.50"),
        (3e-7, 5e-6, "3.0e-07"),
        (math.nan, 1.0, "—"),
    ],
)
def test_numbers_have_digits_that_tell_them_apart(value: float, high: float, text: str) -> None:
    assert relevance_heat.scaled_text(value, high) == text


def test_units_in_every_order(record: ClassRelevance) -> None:
    part = record.layer("conv5")
    for order in unit_rows.ORDERS:
        found = unit_rows.ranking(part, order)
        assert sorted(found) == list(range(24))
    best = unit_rows.ranking(part, "relevance")
    assert part.relevance[best[0]] == part.relevance.max()
    assert unit_rows.ranking(part, "negative")[0] == part.negative.argmin()
    assert unit_rows.ranking(part, "positive")[0] == part.positive.argmax()
    assert unit_rows.ranking(part, "share")[-1] == 1, "a unit without gradient has no share"
    assert best[-1] == 1


def test_units_for_and_against_a_class(record: ClassRelevance) -> None:
    part = record.layer("conv5")
    sides = {side: set(np.flatnonzero(unit_rows.on_side(part, side)).tolist()) for side in unit_rows.SIDES}
    for unit in range(24):
        plus, minus = float(part.positive[unit]), -float(part.negative[unit])
        assert (unit in sides["for"]) == (plus > minus)
        assert (unit in sides["against"]) == (minus > plus)
    assert sides[""] == set(range(24))
    assert sides["for"]
    assert sides["against"]
    assert 1 not in sides["for"] | sides["against"], "a unit that contributes nothing is on no side"


def test_ranked_units_carry_their_profile(record: ClassRelevance) -> None:
    view = records.view()
    part = record.layer("conv5")
    with_profile = unit_rows.ranked(part, view, [5, 1])
    assert with_profile[0].label == view.label(5)
    assert with_profile[0].iou == view.iou[5]
    assert with_profile[1].word == "dead"
    assert math.isnan(with_profile[1].share)
    without = unit_rows.ranked(part, None, [5])[0]
    assert (without.label, without.iou) == ("", None)
    assert without.relevance == pytest.approx(without.positive - without.negative)


def test_exports_are_flat_and_hold_no_nan(record: ClassRelevance) -> None:
    rows = unit_rows.unit_rows(record, "conv5", records.view())
    assert len(rows) == 24
    assert rows[0]["relevance"] == max(row["relevance"] for row in rows)
    assert rows[-1]["in_mask_share"] is None
    assert {row["evidence"] for row in rows} == {"trained"}
    found = {"person": relevance_heat.totals_of(record)}
    layers = totals.layer_rows(["person", "sky"], found, {"network": "toy"})
    assert [row["layer"] for row in layers] == ["conv4", "conv5"]
    assert layers[0]["flagged_images"] == 1


def test_flagged_images_are_listed_with_their_worst_layer(record: ClassRelevance) -> None:
    (flag,) = totals.flags(record)
    assert flag.layers == ("conv4",)
    assert flag.worst == pytest.approx(0.4)
    assert flag.image == "00000.png"
    assert totals.complete([record]) == (23, 24)


def test_a_unit_over_classes_keeps_sign_and_rank(record: ClassRelevance) -> None:
    other = records.relevance("tree", 4, seed=1)
    rows = unit_rows.by_class({"person": record, "tree": other}, "conv5", 3)
    assert [row["class"] for row in rows] == sorted(
        ("person", "tree"),
        key=lambda name: -{"person": record, "tree": other}[name].layer("conv5").relevance[3],
    )
    for row in rows:
        part = {"person": record, "tree": other}[row["class"]].layer("conv5")
        assert row["rank"] == 1 + int((part.relevance > part.relevance[3]).sum())
        assert row["negative"] <= 0 <= row["positive"]
    assert unit_rows.by_class({"person": record}, "conv9", 3) == []
    figure = drawn(unit_figures.class_bars(rows))
    negative, positive = figure.data
    assert list(positive.x) == [row["positive"] for row in rows[::-1]]
    assert list(negative.x) == [row["negative"] for row in rows[::-1]]
    hollow = [row["images"] < 10 for row in rows[::-1]]
    assert (
        [colour == "rgba(0,0,0,0)" for colour in positive.marker.color]
        == hollow
        == [name == "tree" for name in positive.y]
    )


def test_maps_are_see_through_where_nothing_is() -> None:
    grid = np.zeros((4, 4))
    grid[1, 2], grid[3, 0] = 2.0, -1.0
    signed = _pixels(relevance_maps.signed_picture(grid, (36, 36)))
    assert signed[13, 22, 3] == round(255 * relevance_maps.STRONGEST)
    assert signed[5, 5, 3] == 0
    assert signed[13, 22, 0] > signed[13, 22, 2], "for the class: orange"
    assert signed[31, 4, 2] > signed[31, 4, 0], "against it: blue"
    assert signed[31, 4, 3] == round(255 * relevance_maps.STRONGEST * math.sqrt(0.5))
    sizes = _pixels(relevance_maps.size_picture(np.abs(grid), (36, 36)))
    assert sizes[13, 22, 3] > sizes[31, 4, 3] > 0
    nothing = _pixels(relevance_maps.size_picture(np.zeros((2, 2)), (8, 8)))
    assert nothing[..., 3].max() == 0


def test_upsampling_is_bilinear_with_half_pixel_centres() -> None:
    import torch

    grid = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    mine = relevance_maps.upsampled(grid, (35, 42))
    theirs = torch.nn.functional.interpolate(torch.from_numpy(grid)[None, None], (35, 42), mode="bilinear")
    assert mine == pytest.approx(theirs[0, 0].numpy(), abs=1e-5)


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png))).astype(int)


@pytest.mark.parametrize("kind", scales.KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_scales_change_brightness_steadily(kind: str, scheme: str) -> None:
    table = scales.lookup(scales.KINDS[kind][scheme]).astype(float) @ [0.2126, 0.7152, 0.0722]
    parts = [table] if kind == "sequential" else [table[:128], table[128:]]
    for part in parts:
        steps = np.diff(part)
        assert (steps >= -1).all() or (steps <= 1).all()
    ends = (table[0], table[-1]) if kind == "sequential" else (table[0], table[128])
    assert abs(ends[1] - ends[0]) > 90


def test_scatter_marks_the_four_kinds_of_units() -> None:
    points = [
        agreement_figures.UnitPoint(unit, "x", "object", unit / 10, unit / 5, unit in (3, 2), unit in (3, 1))
        for unit in range(4)
    ]
    figure = drawn(
        agreement_figures.scatter(points, agreement_figures.Cuts(0.2, None), {"x": "IoU", "y": "R"})
    )
    names = {trace.name: [data[0] for data in trace.customdata] for trace in figure.data}
    assert names == {"both (1)": [3], "IoU only (1)": [2], "relevance only (1)": [1], "neither (1)": [0]}
    assert len({trace.marker.symbol for trace in figure.data}) == 4, "not by colour alone"
    assert len(figure.layout.shapes) == 1


def test_without_an_object_nothing_is_inside_it(record: ClassRelevance) -> None:
    whole = ClassRelevance(record.arrays, {**record.metadata, "masked": False, "objects": []})
    for one, masked in ((record, True), (whole, False)):
        rows = unit_rows.by_class({"person": one}, "conv5", 3)
        assert [row["in_mask_share"] is not None for row in rows] == [masked]
        assert ("inside the object" in str(drawn(unit_figures.class_bars(rows)))) is masked
        found = {"person": relevance_heat.totals_of(one)}
        scale = relevance_heat.scale_of([*found.values()], "mass")
        assert ("inside the object" in relevance_heat.heat("n", ["person"], found, scale).scale) is masked
