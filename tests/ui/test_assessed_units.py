"""What a unit responds to, as the unit browser says it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from interpret_core.analyses.profile.request import Settings
from interpret_core.analyses.profile.result import AssessmentResult
from interpret_core.analyses.profile.summary import summarise
from interpret_core.analyses.profile.table import rows
from interpret_core.figures.curves import assessed_shares, assessment_lines
from interpret_core.measures.assessment.words import Assessment
from tests.slow import thorough_beyond
from tests.ui import records
from tests.ui.drawn import drawn
from tests.ui.records import view
from ui.components import assessment, palette
from ui.components.gallery import strokes
from ui.components.unit_grid.unit_grid import tiles
from ui.concepts import tables
from ui.session.view import LayerView
from ui.shell.theme import percent_text
from ui.units import markup, photographs
from ui.units.selection import Filters, choose


@pytest.fixture
def seen() -> LayerView:
    return view(with_chance=False, with_assessment=True)


def changed(metadata: dict[str, Any] | None = None, **arrays: Any) -> LayerView:
    """A view over an assessment in which all units have other numbers, or that was taken otherwise."""
    plain = view(with_chance=False)
    made = records.assessment(plain.summary.profile)
    every = {
        name: np.tile(value, (plain.layer.units, *[1] * np.ndim(value))) for name, value in arrays.items()
    }
    every = {name: value.reshape(made.arrays[name].shape) for name, value in every.items()}
    found = AssessmentResult({**made.arrays, **every}, {**made.metadata, **(metadata or {})})
    summary = summarise(plain.summary.profile, None, Settings(10, 0.04), found)
    return replace(plain, summary=summary)


def of(seen: LayerView, word: Assessment) -> int:
    """The first unit that is so."""
    return next(unit for unit in range(seen.layer.units) if seen.assessment(unit) is word)


def test_every_word_has_a_sentence_and_a_sign() -> None:
    assert set(assessment.NAMES) == set(Assessment)
    assert set(Assessment) - set(assessment.WORDS) == {Assessment.DEAD, Assessment.SATURATED}


def test_without_an_assessment_nothing_is_said() -> None:
    plain = view()
    assert plain.assessment(0) is None
    assert (
        assessment.line(plain, 0)
        == assessment.evidence(plain, 0)
        == assessment.sign(plain.assessment(0))
        == ""
    )


def test_a_colour_is_called_by_its_shade_and_drawn_as_one(seen: LayerView) -> None:
    unit = of(seen, Assessment.COLOUR)
    shade = seen.nearest_shade(unit)
    assert shade is not None
    heading = markup.heading(seen, unit)
    assert shade[0] in heading.partition("</h2>")[0]
    assert f"label: {seen.label(unit)}" in heading
    assert photographs.default(seen, unit) == f"shade: {shade[0]}"
    assert "a colour rather than an object" in assessment.line(seen, unit)


def test_an_object_is_called_by_its_label(seen: LayerView) -> None:
    unit = of(seen, Assessment.OBJECT)
    assert seen.label(unit) in markup.heading(seen, unit).partition("</h2>")[0]
    assert photographs.default(seen, unit) == seen.label(unit)


def test_a_unit_without_a_label_is_called_by_what_it_responds_to(seen: LayerView) -> None:
    made = seen.summary
    nothing = {"top_concept": np.full_like(made.top_concept, -1), "top_iou": np.zeros_like(made.top_iou)}
    small = {"detector": np.zeros_like(made.detector), "significant": np.zeros_like(made.significant)}
    bare = replace(seen, summary=replace(made, **nothing, **small))

    def head(word: Assessment) -> tuple[str, str, str]:
        unit = of(bare, word)
        assert bare.label(unit) == ""
        shade = bare.nearest_shade(unit)
        name, _, chips = markup.heading(bare, unit).partition("</h2>")
        return name, chips, shade[0] if shade else ""

    for word in (Assessment.COLOUR, Assessment.COLOUR_AND_OBJECT):
        name, chips, shade = head(word)
        assert name.endswith(f"</span>{shade}")
        assert "no label" in chips
        assert "chance" not in chips, "which is of a label"
    assert head(Assessment.UNEXPLAINED)[0].endswith(">mostly unexplained")
    assert head(Assessment.OBJECT)[0].endswith(">some object")
    assert head(Assessment.DEAD)[0].endswith(">dead unit")
    unassessed = replace(bare, summary=replace(bare.summary, assessed=None, assessment=None))
    assert "no concept</h2>" in markup.heading(unassessed, 0)
    assert "dead unit</h2>" in markup.heading(unassessed, 1)


def test_the_evidence_has_the_three_scores_and_their_intervals(seen: LayerView) -> None:
    unit = of(seen, Assessment.COLOUR)
    told = assessment.evidence(seen, unit)
    for text in ("colour alone", "annotation alone", "both", "0.300", "0.020", "base rate", "0.28 (0.278 to"):
        assert text in told, text
    assert "40 images of 38 scenes" in told


def test_what_only_the_label_is_offered_for_is_among_the_shades_too(seen: LayerView) -> None:
    unit = of(seen, Assessment.OBJECT)
    offered = photographs.concepts(seen, unit)
    assert offered[-1] == "nothing"
    assert offered[-2].startswith("shade: ")
    index = photographs.index_of(seen, offered[-2])
    both = int(seen.record["shade_intersection"][unit, seen.shade_of(index)])
    found = seen.overlap(unit, index)
    assert found.both == both
    assert found.iou == pytest.approx(both / found.union)


def test_tiles_say_it_and_the_filter_finds_it(seen: LayerView) -> None:
    every = range(seen.layer.units)
    made = {tile[0]: tile[-1] for tile in tiles(seen, list(every))}
    colours = [unit for unit in every if seen.assessment(unit) is Assessment.COLOUR]
    assert colours
    assert {made[unit] for unit in colours} == {"◐ colour"}
    assert sorted(choose(seen, Filters(responds="colour")).tolist()) == colours
    first = int(choose(seen, Filters(sort="colour"))[0])
    assert seen.assessment(first) in (Assessment.COLOUR, Assessment.DEAD, Assessment.SATURATED)


def test_units_can_be_sorted_by_their_shade(seen: LayerView) -> None:
    order = choose(seen, Filters(sort="shade")).tolist()
    shades = [seen.best_shade(unit) for unit in order]
    known = [shade for shade in shades if shade is not None]
    assert known == sorted(known)
    assert shades == known + [None] * (len(shades) - len(known))


def test_a_layer_is_counted_and_drawn_over_depth(seen: LayerView) -> None:
    assessed, detector = seen.summary.assessed, seen.detector
    assert assessed is not None
    said = [seen.assessment(unit) for unit in range(seen.layer.units)]
    colours = sum(word is Assessment.COLOUR for word, it in zip(said, detector, strict=True) if it)
    assert (
        0
        < colours
        < sum(word is Assessment.COLOUR for word, it in zip(assessed, detector, strict=True) if it)
    )
    assert seen.summary.detectors_assessed(Assessment.COLOUR) == colours
    assert f"{colours} " in tables.detectors_words(seen)
    shares = assessed_shares(seen.summary)
    live = int(seen.summary.profile.live.sum())
    assert shares[0] == said.count(Assessment.COLOUR) / live
    figure = drawn(assessment_lines({"toy": {"conv5": shares}}))
    assert [trace.name for trace in figure.data] == ["colours", "objects"]
    np.testing.assert_allclose(figure.data[0].y, [100 * shares[0]])


def test_a_faint_unit_is_called_unexplained_and_its_label_stands_aside(seen: LayerView) -> None:
    unit = of(seen, Assessment.UNEXPLAINED)
    assessed = seen.summary.assessed
    assert assessed is not None
    assert assessed[unit] is Assessment.COLOUR
    name, _, chips = markup.heading(seen, unit).partition("</h2>")
    assert "mostly unexplained" in name
    assert f"label: {seen.label(unit)}" in chips
    told = assessment.line(seen, unit)
    assert "comes from colour" in told
    held = seen.record["intersection"][unit, seen.best[unit]] / seen.record["active_total"][unit]
    assert f"“{seen.label(unit)}” holds {percent_text(held)} of its mask" in told


def test_labels_that_resampled_images_do_not_tell_apart_are_named(seen: LayerView) -> None:
    unit = of(seen, Assessment.OBJECT)
    found = seen.summary.assessment
    assert found is not None
    second = seen.concepts[int(found.arrays["label"][unit, 1])].name
    assert f"nearly tied: {second}" in markup.heading(seen, unit)
    assert f"“{second}”: IoU differs by −0.02 to 0.02" in assessment.evidence(seen, unit)


def test_the_colours_of_a_mask_make_up_its_bar(seen: LayerView) -> None:
    unit = of(seen, Assessment.COLOUR)
    colours = palette.mask_colours(seen, unit)
    assert 1 <= len(colours) <= 3
    assert sum(colour.share for colour in colours) == pytest.approx(1)
    for colour in colours:
        assert f"{colour.name} {percent_text(colour.share)}" in palette.palette(seen, unit)


@pytest.mark.parametrize(
    "colour", [(255, 212, 0), (25, 211, 255), (255, 255, 255), (0, 0, 0), (255, 79, 216)]
)
def test_an_outline_stands_out_from_whatever_colour_lies_below(colour: strokes.Rgb) -> None:
    mask, truth = strokes.chosen((colour,))
    assert mask != truth
    assert strokes.contrast(mask, (colour,)) >= strokes.CLEAR
    assert strokes.contrast(truth, (colour,)) >= strokes.CLEAR


def test_where_nothing_speaks_against_it_the_outlines_are_the_usual_ones() -> None:
    assert strokes.chosen(()) == strokes.chosen(((60, 60, 60),)) == (strokes.MASK[0], strokes.TRUTH[0])


def test_counts_say_what_other_photographs_would_give(seen: LayerView) -> None:
    counts = tables.counted({"conv5": seen})
    assert counts is not None
    assert counts.detectors == seen.detectors()
    # The made-up resamples never change: nothing is uncertain.
    assert f"{counts.detectors} to {counts.detectors} detectors" in counts.words()
    fewer = counts._replace(detectors=counts.detectors - 3, detectors_again=counts.detectors_again - 3)
    told = tables.difference_words(counts, fewer, ("one", "other"))
    assert "**+3** detectors (+3 to +3)" in told
    assert "**+0** concepts (+0 to +0: no certain difference)" in told
    assert tables.counted({"conv5": view()}) is None


@pytest.mark.parametrize(
    ("scores", "difference", "said"),
    [
        ((0.3, 0.29, 0.3), (-0.02, 0.04), "about equally well"),
        ((0.3, 0.1, 0.3), (-0.01, 0.4), "not certain on these images"),
        ((0.1, 0.2, 0.2), (-0.15, -0.01), "The annotation tells more of where it fires, but not by enough"),
    ],
)
def test_equal_scores_are_told_from_an_uncertain_sign(
    scores: tuple[float, ...], difference: tuple[float, float], said: str
) -> None:
    seen = changed(precision=scores, difference=difference, together=(0.0, 0.0))
    assert seen.assessment(0) is Assessment.UNDECIDED
    assert said in assessment.line(seen, 0)


def test_too_few_scenes_are_named_and_nothing_is_certain() -> None:
    nothing = (np.nan, np.nan)
    unknown = dict.fromkeys(("difference", "together", "lift_interval", "iou_interval", "tie"), nothing)
    seen = changed({"scenes": 3, "independent": False}, **unknown)
    assert seen.assessment(0) is Assessment.TOO_FEW_IMAGES
    for told in (assessment.line(seen, 0), assessment.evidence(seen, 0)):
        assert "40 images of 3 scenes" in told
        assert "too few independent ones to hold some out" in told
    assert "average precision" not in assessment.evidence(seen, 0)
    assert "too few independent images" in markup.heading(seen, 0)
    assert tables.counted({"conv5": seen}) is None
    row = next(rows(seen.summary))
    assert row["assessment"] == "too few images"
    assert {row[name] for name in ("colour_ap", "difference_low", "lift_low")} == {None}


def test_a_sample_is_called_one() -> None:
    seen = changed({"images": 35, "scenes": 33})
    assert "35 of 40 images of 33 scenes" in assessment.evidence(seen, 0)
    assert "(95 %, 35 of 40 images)" in markup.stats(seen, 0, int(seen.best[0]))
    counts = tables.counted({"conv5": seen})
    assert counts is not None
    assert "from 200 resamples of 35 of 40 images" in counts.words()
    few = changed({"images": 35}, firing=4)
    told = assessment.line(few, next(u for u in range(9) if few.assessment(u) is Assessment.TOO_FEW_IMAGES))
    assert "Fewer than 5 independent images of the 35 sampled" in told


def test_an_overlap_that_resamples_do_not_know_has_no_interval_and_no_tie() -> None:
    seen = changed(iou_interval=(np.nan, np.nan), tie=(np.nan, np.nan))
    unit = of(seen, Assessment.OBJECT)
    assert "<dt>IoU</dt>" not in assessment.evidence(seen, unit)
    assert "nearly tied" not in assessment.evidence(seen, unit) + markup.heading(seen, unit)
    assert "95 %" not in markup.stats(seen, unit, int(seen.best[unit]))


@thorough_beyond(2)
@pytest.mark.parametrize(
    ("value", "ends", "said", "cells"),
    [
        (np.inf, (np.inf, np.inf), ">only inside it: active", ("inf", "inf", "inf")),
        (np.inf, (12.0, np.inf), ">only inside it (12 or more): active", ("inf", 12.0, "inf")),
        (30.0, (12.0, np.inf), ">30 (12 or more): active", (30.0, 12.0, "inf")),
        (np.nan, (np.nan, np.nan), ">not known: active", (None, None, None)),
    ],
)
def test_a_lift_without_limit_is_said(
    value: float, ends: tuple[float, float], said: str, cells: tuple[object, ...]
) -> None:
    seen = changed(lift=value, lift_interval=ends)
    assert said in assessment.evidence(seen, 0)
    assert "inf" not in assessment.evidence(seen, 0)
    row = next(rows(seen.summary))
    assert tuple(row[name] for name in ("lift", "lift_low", "lift_high")) == cells


def test_a_unit_without_a_label_has_no_lift(seen: LayerView) -> None:
    assert "lift of" in assessment.evidence(seen, 0)
    assert not seen.label(3)
    assert "lift of" not in assessment.evidence(seen, 3)
