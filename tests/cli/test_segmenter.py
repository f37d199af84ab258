"""`import folder --segmenter`: from photographs to units, relevance, ablation and agreement, all marked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.test_import import rows, wrong
from tests.importers.sources import save
from tests.importers.test_segmenters import picture

COLOURS = ("--segmenter", "tests.importers.segmenting:colours")
NAMED = ("--network", "tests.cli.networks:named")


@pytest.fixture
def labelled(command: Command, environment: Path) -> Path:
    for place in range(6):
        name = ("red", "green", "blue")[place % 3]
        save(environment / "in" / name / f"{place}.png", picture(place, (16, 16)))
    done = command(
        "import", "folder", environment / "in", *COLOURS, "--into", environment / "mine", "--grid", 16
    )
    assert done.status == 0, done.err
    assert "Imported: 6 pictures, 3 labels, 3 classes" in done.out
    assert "All labels are predictions of tests.importers.segmenting:colours, marked (predicted)" in done.out
    return environment / "mine"


def test_units_get_predicted_labels(command: Command, labelled: Path) -> None:
    out = labelled.parent / "units.csv"
    done = command(
        "profile", *NAMED, "--dataset", labelled, "--out", out,
        "--permutations", 0, "--min-images", 1, "--quantile", 168 / 1536,  # the share of each colour
    )  # fmt: skip
    assert done.status == 0, done.err
    assert "3 of them marked (predicted): a model's answers, which nobody has drawn" in done.out
    best = {row["unit"]: row for row in rows(out) if row["scope"] == "overall" and row["rank"] == "1"}
    assert {unit: row["concept"] for unit, row in best.items()} == {
        "0": "red (predicted)", "1": "green (predicted)", "2": "blue (predicted)",
    }  # fmt: skip
    assert all(float(row["iou"]) == 1 for row in best.values())
    done = command("datasets", "check", labelled)
    assert "3 of 3 labels marked (predicted): a model's answers" in done.out


def test_classes_have_predicted_masks(command: Command, labelled: Path) -> None:
    """The colour's pixels are all that the answer depends on, so nothing lies outside of the mask."""
    out = labelled.parent / "relevance.csv"
    said = "masks of classes are a model's answers, which nobody has drawn"
    done = command("relevance", *NAMED, "--dataset", labelled, "--classes", "red", "--out", out)
    assert done.status == 0, done.err
    assert said in done.out
    (row,) = [one for one in rows(out) if one["unit"] == "0" and one["layer"] == "conv1"]
    assert float(row["in_mask_share"]) == pytest.approx(1, abs=1e-6)
    done = command("ablate", *NAMED, "--dataset", labelled, "--classes", "red", "--fractions", 0.34)
    assert done.status == 0, done.err
    assert said in done.out
    done = command(
        "agreement", *NAMED, "--dataset", labelled, "--quantile", 0.05, "--top", 0.34, "--permutations", 10,
        "--out", labelled.parent / "agreement.json",
    )  # fmt: skip
    assert done.status == 0, done.err
    assert said in done.out
    told = json.loads((labelled.parent / "agreement.json").read_text())
    assert "red (predicted)" in json.dumps(told)


def test_a_segmenter_that_is_none(command: Command, environment: Path) -> None:
    save(environment / "in/1.png", picture(0))
    into = ("--into", environment / "mine")
    done = command("import", "folder", environment / "in", "--segmenter", "colours", *into)
    wrong(done, "Segmenter 'colours' is not a factory string, expected package.module:factory")
    done = command("import", "folder", environment / "in", "--segmenter", "nowhere.at_all:made", *into)
    wrong(done, "Module 'nowhere.at_all' cannot be imported")
    assert not (environment / "mine").exists()
