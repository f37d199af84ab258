"""`ablate` on a network whose losses are arithmetic: its table, its file, and one line for every mistake."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from interpret_core.analyses.ablation.grid import run_ablation
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.ablation.table import COLUMNS
from interpret_core.provenance import MADE_WITH
from interpret_core.store.store import Store
from tests.cli.colours import CLASSES, NETWORK, RESPONSE, probability, write_colours
from tests.cli.conftest import Command
from tests.slow import thorough_beyond

VAL = {"red": 4, "green": 3, "blue": 2}
INTACT = probability(RESPONSE, 0, 0, of=1)
SILENT = probability(0, 0, 0, of=1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_colours(tmp_path / "colours")


def given(root: Path, *more: object) -> tuple[object, ...]:
    return ("ablate", "--network", NETWORK, "--dataset", root, *more)


def written(command: Command, root: Path, *more: object) -> list[dict[str, str]]:
    """The rows of --out."""
    out = root.parent / "f.csv"
    ran = command(*given(root, *more, "--out", out))
    assert ran.status == 0, ran.err
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert tuple(rows[0]) == (*COLUMNS, MADE_WITH)
    assert f"{len(rows):,} rows written" in ran.out
    return rows


def only(rows: list[dict[str, str]], **wanted: object) -> dict[str, str]:
    """The one row with these entries."""
    found = [row for row in rows if all(row[name] == str(value) for name, value in wanted.items())]
    assert len(found) == 1, (wanted, len(found))
    return found[0]


def numbers(row: dict[str, str], *names: str) -> list[float]:
    return [float(row[name]) for name in names]


def test_a_class_loses_exactly_what_its_unit_gives(command: Command, root: Path) -> None:
    rows = written(command, root, "--class", "red,green", "--fractions", "0,0.03", "--rank", "top,bottom")
    assert len(rows) == 2 * 2 * 2 * (3 + 2)
    red = only(rows, ablated_class="red", rank="top", fraction=0.03, **{"evaluated_class": "red"})
    assert (red["units"], red["images"], red["right"], red["evaluated"]) == ("1", "4", "0", "held out")
    assert numbers(red, "accuracy", "accuracy_change", "balanced_accuracy") == [0, -1, 0.5]
    assert numbers(red, "probability", "probability_change") == pytest.approx([SILENT, SILENT - INTACT])
    assert (red["top5"], red["seed"], red["silencing"], red["by"]) == ("", "", "zero", "relevance")
    others = only(rows, ablated_class="red", rank="top", fraction=0.03, **{"evaluated_class": "*others"})
    assert (others["images"], others["right"]) == ("5", "5")
    assert numbers(others, "accuracy", "probability_change") == [1, 0]
    every = only(rows, ablated_class="red", rank="top", fraction=0.03, **{"evaluated_class": "*all"})
    assert (every["images"], every["right"]) == ("9", "5")
    assert numbers(every, "accuracy", "probability") == pytest.approx([2 / 3, (SILENT + 2 * INTACT) / 3])
    for name in CLASSES:
        whole = only(rows, ablated_class="red", rank="top", fraction=0.0, **{"evaluated_class": name})
        assert (whole["units"], whole["images"]) == ("0", str(VAL[name]))
        assert numbers(whole, "accuracy", "accuracy_change", "probability_change") == [1, 0, 0]
        assert float(whole["probability"]) == pytest.approx(INTACT)


def test_the_bottom_is_the_lower_of_the_units_without_relevance(command: Command, root: Path) -> None:
    rows = written(command, root, "--class", "red,green", "--fractions", "0.03", "--rank", "bottom")
    lost = {
        (row["ablated_class"], row["evaluated_class"])
        for row in rows
        if row["evaluated_class"] in CLASSES and float(row["accuracy"]) == 0
    }
    assert lost == {("red", "green"), ("green", "red")}
    others = only(rows, ablated_class="red", **{"evaluated_class": "*others"})
    assert (others["images"], others["right"]) == ("5", "2")
    assert float(others["accuracy"]) == 0.5  # every class counts alike, not every image


def test_random_controls_by_seed_and_their_spread_on_screen(command: Command, root: Path) -> None:
    rows = written(command, root, "--fractions", "0,0.03", "--rank", "random")
    drawn = [int(np.random.default_rng([seed, 1]).permutation(3)[0]) for seed in range(5)]
    assert len(set(drawn)) > 1
    for seed, unit in enumerate(drawn):
        for number, name in enumerate(CLASSES):
            row = only(rows, rank="random", fraction=0.03, seed=seed, **{"evaluated_class": name})
            assert float(row["accuracy"]) == float(number != unit)
            assert row["ablated_class"] == ""
    assert len(rows) == (1 + 5) * (3 + 1)  # nothing drawn at 0 %: once, and no *others without a target
    right = np.array([unit != 0 for unit in drawn], float)
    out = command(*given(root, "--class", "red", "--fractions", "0.03", "--rank", "random")).out
    assert f"{right.mean():.3f} ± {right.std(ddof=1):.3f} / " in out
    assert "3 % (k = 1)" in out


def test_the_screen_says_what_was_done(command: Command, root: Path) -> None:
    ran = command(*given(root, "--class", "red"))
    assert ran.status == 0, ran.err
    assert "split val: 9 images of 3 classes" in ran.out
    assert "silenced to zero in 1 of 3 layers: conv2; first and last spared" in " ".join(ran.out.split())
    assert "units ranked by layer-ig of the probability" in ran.out
    assert "fewer than 10 images: blue (2); green (3); red (4)" in ran.out
    line = next(line for line in ran.out.splitlines() if line.startswith("red ") and " top " in line)
    assert line.split()[2:5] == ["1.000", "/", "1.000"]
    assert line.split()[-3:] == ["0.000", "/", "1.000"]


def test_hand_picked_units_alone_and_in_addition(command: Command, root: Path) -> None:
    rows = written(command, root, "--by", "hand", "--units", "conv2:1,conv1:2")
    assert [row["evaluated_class"] for row in rows] == ["blue", "green", "red", "*all"]
    assert [float(row["accuracy"]) for row in rows] == [0, 0, 1, pytest.approx(1 / 3)]
    about = ("by", "rank", "fraction", "units", "evaluated")
    assert {tuple(row[name] for name in about) for row in rows} == {("hand", "", "", "2", "")}
    rows = written(
        command, root, "--class", "red", "--units", "conv2:1", "--fractions", "0,0.03", "--rank", "top"
    )
    alone = only(rows, fraction=0.0, **{"evaluated_class": "green"})
    assert (alone["units"], float(alone["accuracy_change"])) == ("1", -1)
    both = only(rows, fraction=0.03, **{"evaluated_class": "*all"})
    assert both["units"] == "2"
    assert float(both["accuracy"]) == pytest.approx(1 / 3)


def test_a_total_over_chosen_layers(command: Command, root: Path) -> None:
    rows = written(
        command, root, "--class", "red", "--total", "2", "--layers", "conv1,conv2", "--rank", "top"
    )
    assert {row["units"] for row in rows} == {"0", "2"}
    row = only(rows, units=2, **{"evaluated_class": "red"})
    assert (row["fraction"], row["accuracy"]) == ("", "0.0")


def test_silenced_to_the_mean_over_the_ranking_images(command: Command, root: Path) -> None:
    """Of ten ranking images two are red."""
    mean = ("--class", "red", "--fractions", "0.03", "--rank", "top", "--value", "mean")
    row = only(written(command, root, *mean), silencing="mean", **{"evaluated_class": "red"})
    assert float(row["probability"]) == pytest.approx(probability(0.2 * RESPONSE, 0, 0, of=1))


@pytest.mark.thorough
def test_ranked_by_iou(command: Command, root: Path) -> None:
    rows = written(command, root, "--by", "iou", "--concept", "green", "--fractions", "0.03", "--rank", "top")
    green = only(rows, by="iou", ablated_class="green", **{"evaluated_class": "green"})
    assert (green["accuracy"], green["evaluated"]) == ("0.0", "seen by the ranking")
    assert only(rows, **{"evaluated_class": "*others"})["accuracy"] == "1.0"
    every = written(command, root, "--by", "iou", "--fractions", "0.03", "--rank", "top")
    assert {row["ablated_class"] for row in every if row["evaluated_class"] == row["ablated_class"]} == set(
        CLASSES
    )


@pytest.mark.thorough
def test_images_that_rank_are_evaluated_by_leaving_them_out(command: Command, root: Path) -> None:
    options = ("--class", "red", "--split", "all", "--ranked-on", "all", "--fractions", "0.03")
    rows = written(command, root, *options, "--rank", "top")
    red = only(rows, **{"evaluated_class": "red"})
    assert (red["images"], red["accuracy"], red["evaluated"]) == ("6", "0.0", "leave one out")
    assert only(rows, **{"evaluated_class": "grey"})["evaluated"] == "held out"
    assert only(rows, **{"evaluated_class": "*all"})["evaluated"] == "leave one out"
    assert "leave one out: images of red rank and are evaluated" in command(*given(root, *options)).out


@pytest.mark.thorough
def test_the_grid_answers_where_it_is_there(command: Command, root: Path, tmp_path: Path) -> None:
    options = ("--class", "red", "--fractions", "0,0.03", "--rank", "top,random")
    before = written(command, root, *options)
    assert "0 of them from the grid" in command(*given(root, *options)).out
    with Store(tmp_path / "cache") as store:
        run_ablation(AblationRequest(NETWORK, str(root), ("red",)), store)
    assert "9 settings evaluated" in (out := command(*given(root, *options)).out)
    assert "9 of them from the grid" in out
    assert written(command, root, *options) == before


@pytest.mark.thorough
def test_everything_silenced_is_said(command: Command, root: Path) -> None:
    ran = command(*given(root, "--class", "red", "--fractions", "1", "--layers", "all", "--rank", "top"))
    assert ran.status == 0, ran.err
    assert "100 % silences every unit of the network: conv1, conv2, conv3" in ran.out.replace("  ", " ")
    rows = written(command, root, "--class", "red", "--total", "10", "--layers", "all", "--rank", "top")
    assert only(rows, units=10, **{"evaluated_class": "red"})["probability"] == "0.25"  # all outputs alike
    assert "2 units silences every" not in command(*given(root, "--total", "2", "--rank", "top")).out


def test_the_json_names_units_and_images(command: Command, root: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.json"
    ran = command(*given(root, "--class", "blue", "--fractions", "0.03", "--rank", "top", "--out", out))
    assert ran.status == 0, ran.err
    found = json.loads(out.read_text())
    about = found["metadata"]
    assert about["settings"][0]["silenced"] == {"conv2": [2]}
    assert about["classes"] == [["blue", 2], ["green", 3], ["red", 4]]
    assert about["spared"] == ["conv1", "conv3"]
    assert about["parameters"]["split"] == "val"
    assert len(found["records"]) == 5


@pytest.mark.thorough
def test_classes_that_cannot_rank_are_left_out_by_name(command: Command, tmp_path: Path) -> None:
    root = write_colours(tmp_path / "few", {"red": (2, 4), "green": (0, 4), "blue": (0, 1), "grey": (4, 0)})
    ran = command(*given(root, "--fractions", "0.03", "--rank", "top", "--verbose"))
    assert ran.status == 0, ran.err
    for why in (
        "green (no image in split train)",
        "blue (its single ranking image is evaluated too)",
        "grey (no image in split val)",
    ):
        assert why in ran.out
    ran = command(*given(root, "--class", "blue"))
    assert ran.status == 2
    assert "'blue' has a single ranking image" in ran.line


@thorough_beyond(5)
@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--units", "conv2:3"), ("Unit 3 of layer conv2", "0 to 2")),
        (("--units", "conv9:3"), ("conv9",)),
        (("--units", "conv9"), ("'conv9'", "layer:unit")),
        (("--units", "conv2:-1"), ("'conv2:-1'", "layer:unit")),
        (("--layers", "conv2,conv9"), ("conv9",)),
        (("--layers", "conv9", "--fractions", "0"), ("conv9",)),
        (("--layers", ","), ("No layer is named",)),
        (("--class", "rad"), ("rad", "did you mean red")),
        (("--class", "grey"), ("grey", "no image in split 'val'")),
        (("--class", "grey", "--rank", "random"), ("grey", "no image in split 'val'")),
        (("--fractions", "1.01"), ("'1.01'", "0 to 1")),
        (("--fractions", "1,-1"), ("'-1'", "0 to 1")),
        (("--fractions", "nan"), ("'nan'", "0 to 1")),
        (("--fractions", ""), ("No fraction is named",)),
        (("--total", "4"), ("4 units", "only 3")),
        (("--total", "-1"), ("--total is -1", "at least 0")),
        (("--total", "1", "--fractions", "0.01"), ("--total 1", "--fractions 0.01", "leave one out")),
        (("--rank", "up"), ("up", "top")),
        (("--by", "size"), ("size", "relevance")),
        (("--by", "hand"), ("none is given",)),
        (("--by", "hand", "--units", "conv2:1", "--fractions", "0.01"), ("--fractions", "leave them out")),
        (("--by", "hand", "--units", "conv2:1", "--class", "red"), ("--class red", "leave one of them out")),
        (("--concept", "red"), ("--concept red", "--by iou")),
        (("--by", "iou", "--concept", "rad"), ("rad", "did you mean red")),
        (("--by", "iou", "--concept", "red", "--class", "red"), ("--class red", "--concept red")),
        (("--value", "one"), ("one", "zero")),
        (("--split", "test"), ("test", "val")),
        (("--ranked-on", "test"), ("test", "train")),
        (("--images", "0"), ("images is 0", "at least 1")),
        (("--method", "lime"), ("lime", "layer-ig")),
        (("--out", "f.txt"), ("f.txt", ".csv")),
    ],
)
def test_a_mistake_is_one_line(
    command: Command, root: Path, more: tuple[str, ...], words: tuple[str, ...]
) -> None:
    ran = command(*given(root, *more))
    assert ran.status == 2, ran.out
    assert all(word in ran.line for word in words), ran.line


@pytest.mark.thorough
def test_a_fraction_is_one_however_it_is_spelled(command: Command, root: Path) -> None:
    once = written(command, root, "--class", "red", "--fractions", "0,0.03", "--rank", "top,random")
    spelled = "0,-0.0,0.03,3e-2,0.030000000000000002,1e-20"
    assert written(command, root, "--class", "red", "--fractions", spelled, "--rank", "top,random") == once
