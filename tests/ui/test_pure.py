"""The parts without Streamlit: pictures, filters, words, exports."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image

from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.profile import table
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.cli.files import FileTable, write_rows
from interpret_core.measures.assessment.words import TELLING
from interpret_core.measures.dissection.masks import decode, runs_of
from interpret_core.options import field_of
from interpret_core.privacy import Discretion
from interpret_core.provenance import MADE_WITH, made_with
from interpret_core.tables import spreadsheet_safe
from tests.ui import records
from ui.ablation.controls import VALUE
from ui.ablation.sliders import SPLITS
from ui.components import facts
from ui.components.relevance_settings import relevance_settings
from ui.concepts import tables
from ui.server import exports, pictures
from ui.shell import how as texts
from ui.shell.theme import p_text
from ui.units import markup, selection
from ui.units.selection import SORTS, Filters


@pytest.fixture(scope="module")
def view():
    return records.view()


@given(some.lists(some.booleans(), min_size=1, max_size=60))
def test_run_lengths_give_the_mask_back(bits: list[bool]) -> None:
    runs = runs_of(np.array(bits))
    assert decode(runs, (1, len(bits)))[0].tolist() == bits
    back = np.zeros(len(bits), bool)
    for start, length in runs.tolist():
        assert length > 0
        back[start : start + length] = True
    assert back.tolist() == bits


@given(
    some.integers(0, 168),
    some.tuples(some.integers(20, 300), some.integers(20, 300)),
    some.floats(0.2, 0.6),
)
def test_patch_is_a_square_inside_the_photograph(peak: int, size: tuple[int, int], share: float) -> None:
    left, upper, right, lower = pictures.patch_box(peak, (13, 13), size, share)
    assert 0 <= left < right <= size[1]
    assert 0 <= upper < lower <= size[0]
    assert right - left == lower - upper


def test_patch_surrounds_the_peak() -> None:
    assert pictures.patch_box(0, (4, 4), (100, 100), 0.2) == (2, 2, 22, 22)
    assert pictures.patch_box(15, (4, 4), (100, 100), 0.4) == (60, 60, 100, 100)


def test_jpeg_keeps_the_sides_ratio() -> None:
    content = pictures.jpeg(np.zeros((100, 200, 3), np.uint8), longest=50)
    assert Image.open(io.BytesIO(content)).size == (50, 25)


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_keeps_every_unit(view, sort: str) -> None:
    order = selection.choose(view, Filters(sort=sort))
    assert sorted(order.tolist()) == list(range(view.layer.units))


def test_filters_agree_with_a_plain_loop(view) -> None:
    chosen = selection.choose(view, Filters(categories=("object",), low=0.03, detectors=True))
    plain = [
        u
        for u in range(view.layer.units)
        if view.category(u) == "object" and view.iou[u] >= 0.03 and view.detector[u]
    ]
    assert sorted(chosen.tolist()) == plain
    assert selection.choose(view, Filters(state="dead")).tolist() == [1]
    assert selection.choose(view, Filters(state="tied")).tolist() == [2]
    wood = view.find("wood")
    found = selection.choose(view, Filters(concept="wood")).tolist()
    assert sorted(found) == [u for u in range(24) if wood in view.summary.top_concept[u]]
    assert selection.concept_options(view)["wood"] == len(found)


def test_neighbours_follow_the_order_shown() -> None:
    order = np.array([5, 2, 9])
    assert selection.neighbours(order, 2) == (5, 9)
    assert selection.neighbours(order, 5) == (None, 2)
    assert selection.neighbours(order, 7) == (9, 5), "a unit that is filtered out leads back into the grid"
    assert selection.neighbours(np.array([], np.int64), 7) == (None, None)


def test_other_cutoff_moves_only_the_detectors(view) -> None:
    other = view.at(0.0)
    assert other.detectors() == int((view.iou > 0).sum())
    assert (other.best == view.best).all()
    assert view.at(view.cutoff) is view
    assert tables.curves({"conv5": view})["conv5"][0] == other.detectors()


def test_concept_rows_count_what_the_summary_counts(view) -> None:
    views = {"conv4": records.view(layer="conv4", index=3, seed=2), "conv5": view}
    rows = tables.rows(views)
    assert sum(row.detectors for row in rows) == sum(v.detectors() for v in views.values())
    for row in rows:
        best = max(float(v.summary.profile.iou[:, v.find(row.concept)].max()) for v in views.values())
        assert row.iou == best
    assert "wheel" not in [row.concept for row in rows if row.images < 10]


def test_sentence_and_small_print(view) -> None:
    sentence = facts.facts_sentence(view)
    assert f"**{view.detectors()}** of 24 conv5 units" in sentence
    assert "IoU > 0.04" in sentence
    assert "chance alone would give" in sentence
    assert "1 of 13 concepts left out (fewer than 10 images)" in facts.fine_print(view)
    assert "unlabelled" not in facts.fine_print(view)
    assert "chance not computed" in facts.facts_sentence(records.view(with_chance=False))


def test_small_print_names_pixels_that_count_nowhere(view) -> None:
    profile = view.summary.profile
    labelled = int(profile.arrays["concept_pixels"].sum())
    unlisted = [
        ["object", 1, "c$t", ["Object"], labelled],
        ["part", 2, "dog", ["object", "scene"], 2 * labelled],
    ]
    unlisted += [["part", number, f"n{number}", [], 1] for number in range(3, 9)]
    dataset = profile.metadata["dataset"] | {"unlisted": unlisted}
    told = dataclasses.replace(profile, metadata={**profile.metadata, "dataset": dataset})
    other = dataclasses.replace(view, summary=dataclasses.replace(view.summary, profile=told))
    line = facts.fine_print(other)
    assert f"{3 * labelled + 6:,} pixels (75.0 % of those labelled) count as unlabelled" in line
    assert r"2 dog in part (label.csv: object, scene), 1 c\$t in object (label.csv: Object)" in line
    assert "n8" not in line
    assert "and 5 more" in line


def test_p_at_its_floor_is_a_bound() -> None:
    assert p_text(0.0005, 0.0005) == "≤ 0.0005"
    assert p_text(0.2, 0.0005) == "0.200"
    assert p_text(math.nan) == "—"


def test_the_smallest_p_counts_every_unit_that_is_not_dead(view) -> None:
    assert (view.state == 2).any(), "a tied unit is tested like a live one"
    assert view.p_floor == 1 / (1 + view.permutations * 23)


def test_every_how_computed_text_exists() -> None:
    for key in (
        "iou",
        "ceiling",
        "chance",
        "masks",
        "bands",
        "silent",
        "histogram",
        "colour",
        "unique",
        "quality",
        "sensitivity",
    ):
        assert len(texts.HOW[key]) > 80


def test_markup_escapes_names(view) -> None:
    profile = view.summary.profile
    rows = [[n, f"<img src=x onerror=alert({n})>", c] for n, _, c in profile.metadata["concepts"]]
    evil = dataclasses.replace(profile, metadata={**profile.metadata, "concepts": rows})
    hostile = dataclasses.replace(view, summary=dataclasses.replace(view.summary, profile=evil))
    html = markup.heading(hostile, 0) + markup.concept_table(hostile, 0) + markup.stats(hostile, 0, 0)
    assert "<img" not in html


def test_exports_agree_with_the_view(view) -> None:
    rows = list(csv.DictReader(io.StringIO(exports.layer_csv(view))))
    assert len(rows) == 24
    assert {row["evidence"] for row in rows} == {"random weights"}
    assert float(rows[4]["iou"]) == float(view.iou[4])
    assert rows[1]["state"] == "dead"
    assert rows[1]["p_value"] == ""
    told = json.loads(json.dumps(exports.unit_json(view, 4, records.source()), allow_nan=False))
    assert told["unit"] == 4
    assert told["top_concepts"][0]["iou"] == float(view.iou[4])
    whole = exports.layer_json(view)
    json.dumps(whole, allow_nan=False)
    assert {told[MADE_WITH], whole[MADE_WITH], *(row[MADE_WITH] for row in rows)} == {made_with()}


@pytest.mark.thorough
def test_downloads_say_what_units_respond_to_as_the_command_line_does() -> None:
    seen = records.view(with_chance=False, with_assessment=True)
    ours = {row["unit"]: row for row in table.rows(seen.summary) if row["rank"] == 1}
    listed = exports.layer_json(seen)["units"]
    for row, written in zip(listed, csv.DictReader(io.StringIO(exports.layer_csv(seen))), strict=True):
        told = exports.unit_json(seen, row["unit"], records.source())
        for name in table.ASSESSMENT:
            value = ours[row["unit"]][name]
            assert row[name] == told[name] == value, name
            assert written[name] == ("" if value is None else str(value)), name
    assert {row["assessment"] for row in listed} >= {"colour", "object", "dead"}
    assert {row["clear"] for row in listed} == {True, False, None}
    telling = {one.name.lower().replace("_", " ") for one in TELLING}
    assert {row["assessment"] for row in listed if row["clear"] is not None} == telling - {"undecided"}
    assert not telling & {row["assessment"] for row in listed if row["clear"] is None}
    assert listed[0]["colour_ap"] == 0.3
    json.dumps(listed, allow_nan=False)
    bare = exports.unit_row(records.view(), 0)
    assert bare["shade"] == listed[0]["shade"]
    assert bare["assessment"] is bare["clear"] is bare["lift_low"] is None


@pytest.mark.parametrize(
    ("name", "written"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("-2", "'-2"), ("\tx", "'\tx"), ("", ""), ("wheel", "wheel")],
)
def test_spreadsheets_do_not_run_names(view, name: str, written: str, tmp_path) -> None:
    profile = view.summary.profile
    rows = [[n, name, c] for n, _, c in profile.metadata["concepts"]]
    other = dataclasses.replace(profile, metadata={**profile.metadata, "concepts": rows})
    summary = dataclasses.replace(view.summary, profile=other)
    page = exports.layer_csv(dataclasses.replace(view, summary=summary))
    write_rows(tmp_path / "out.csv", FileTable(table.COLUMNS, table.rows(summary)), Discretion())
    for text in (page, (tmp_path / "out.csv").read_text()):
        found = {row["concept"] for row in csv.DictReader(io.StringIO(text))} - {""}
        assert found
        assert all(one.startswith(f"{written} (") for one in found), "all of one name, and told apart"
    assert spreadsheet_safe({"iou": -0.5, "state": None}) == {"iou": -0.5, "state": None}


def test_every_choice_of_a_request_has_its_words() -> None:
    for name, words in (
        ("method", relevance_settings.METHOD),
        ("baseline", relevance_settings.BASELINE),
        ("output", relevance_settings.OUTPUT),
        ("split", relevance_settings.SPLIT),
    ):
        assert list(words) == field_of(RelevanceRequest, name).choices
    assert list(VALUE) == field_of(AblationRequest, "value").choices
    assert set(SPLITS) <= set(field_of(AblationRequest, "split").choices)
