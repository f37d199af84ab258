"""Profiles of photographs in which nobody has annotated anything: what needs no annotation is there."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from interpret_core import networks
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles, layer_keys
from interpret_core.analyses.profile.report import UNANNOTATED
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.summary import LayerSummary, summarise
from interpret_core.analyses.profile.table import assessment_facts
from interpret_core.cli.app import main
from interpret_core.datasets import open_dataset
from interpret_core.measures.assessment.words import Assessment
from interpret_core.store.store import Store
from tests.analyses.test_image_labels import picture

COLOURS = "tests.analyses.networks:blurred_colours"


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with a red, a green or a blue square; not one word about any."""
    root = tmp_path_factory.mktemp("plain") / "photographs"
    root.mkdir()
    for number in range(45):
        picture(("red", "green", "blue")[number % 3], number).save(root / f"{number:02d}.png")
    return root


def profiled(store: Store, root: Path) -> LayerSummary:
    request = ProfileRequest(COLOURS, str(root), quantile=0.02, permutations=10)
    run_profile(request, store)
    keys = layer_keys(request, store)
    assert not keys.missing(store)
    (found,) = find_profiles(keys, store).values()
    return summarise(found.profile, found.chance, request.settings(), found.assessment)


def test_photographs_tenths_colours_and_shades(store: Store, photographs: Path) -> None:
    summary = profiled(store, photographs)
    dataset, network = open_dataset(photographs), networks.load(COLOURS)
    with network.recording(["conv1"]) as run:
        recorded = run(network.batch([dataset.read_image(i) for i in range(45)])).responses["conv1"]
    largest = recorded.amax((2, 3)).numpy()
    record = summary.profile.arrays
    for unit in range(3):
        order = np.argsort(-largest[:, unit], kind="stable")
        assert record["top_image"][unit].tolist() == order[:30].tolist()
        assert record["top_response"][unit].tolist() == largest[order[:30], unit].tolist()
        images, responses = summary.profile.band(unit, 9)
        assert set(images.tolist()) <= set(order[-5:].tolist())
        assert responses.max() <= largest[order[-5], unit]
        assert summary.profile.mean_colour[unit].argmax() == unit
        assert summary.profile.nearest_shade[unit] >= 0
    assert record["intersection"].shape == (3, 0)


def test_nothing_is_said_that_only_annotation_tells(store: Store, photographs: Path) -> None:
    summary = profiled(store, photographs)
    assert np.isnan([summary.p_value, summary.q_value, summary.z]).all()
    assert not summary.significant.any()
    assert not summary.detector.any()
    assert (summary.best_concept == -1).all()
    assert summary.unique_detectors() == 0
    assert summary.assessed is not None
    said = {summary.said(unit) for unit in range(3)}
    assert not said & {
        Assessment.OBJECT,
        Assessment.COLOUR_AND_OBJECT,
        Assessment.BY_CHANCE,
        Assessment.UNSPECIFIC,
    }
    assert summary.said(0) is Assessment.COLOUR
    facts = assessment_facts(summary, 0)
    assert facts["colour_ap"] > 0.5
    assert facts["clear"] is True
    of_annotation = ("annotation_ap", "both_ap", "difference_low", "difference_high")
    assert {facts[name] for name in of_annotation} == {None}


def test_a_word_that_names_nothing_is_neither_clear_nor_faint(store: Store, photographs: Path) -> None:
    for picture_of in sorted(photographs.iterdir())[6:]:
        picture_of.unlink()
    summary = profiled(store, photographs)
    told = [assessment_facts(summary, unit) for unit in range(3)]
    assert {one["assessment"] for one in told} == {"too few images", "saturated"}
    assert {one["clear"] for one in told} == {None}


def test_the_command_says_what_there_is(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "p.csv"
    asked = ["--network", COLOURS, "--dataset", str(photographs), "--permutations", "10"]
    assert main(["profile", *asked, "--out", str(out)]) == 0
    screen = " ".join(capsys.readouterr().out.split())
    assert UNANNOTATED in screen
    assert "Detectors" not in screen
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [(row["unit"], row["concept"], row["iou"], row["p_value"]) for row in rows] == [
        (str(unit), "", "", "") for unit in range(3)
    ]
    assert all(row["shade"] for row in rows)


@pytest.mark.parametrize("command", ["evaluate", "relevance", "agreement", "image-labels"])
def test_what_needs_labels_says_so_in_a_line(
    photographs: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--network", COLOURS, "--dataset", str(photographs)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert ("has no annotation, expected objects" if command == "agreement" else "classes.csv") in line
    assert "Internal error" not in line
