"""`relevance` on the command line: its table, its file, and one line for every mistake."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from interpret_core.analyses.relevance.table import COLUMNS
from interpret_core.provenance import MADE_WITH
from tests.analyses.related import NETWORK, write_objects
from tests.cli.conftest import Command


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_objects(tmp_path / "objects")


def given(root: Path, *more: object, network: str = NETWORK) -> tuple[object, ...]:
    return ("relevance", "--network", network, "--dataset", root, *more)


def test_the_screen_says_what_the_numbers_rest_on(command: Command, root: Path) -> None:
    ran = command(*given(root, "--images", 2))
    assert ran.status == 0, ran.err
    assert "layer-ig of the probability from a black baseline" in ran.out
    assert "2 classes, images by classes.csv" in ran.out
    assert "completeness: 8 of 8 pairs of image and layer within 5%" in ran.out
    assert "fewer than 10 images: ball (2); box (2)" in ran.out
    assert "2 classes computed in" in ran.out
    assert "All found in the cache" in command(*given(root, "--images", 2)).out


def test_the_file_has_a_row_per_unit_and_class(command: Command, root: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.csv"
    assert command(*given(root, "--out", out)).status == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert tuple(rows[0]) == (*COLUMNS, MADE_WITH)
    assert [(row["class"], row["layer"], row["unit"]) for row in rows] == [
        (name, layer, str(unit))
        for name in ("ball", "box")
        for layer in ("first", "second")
        for unit in range(6)
    ]
    for row in rows:
        relevance, positive, negative = (float(row[name]) for name in ("relevance", "positive", "negative"))
        assert relevance == pytest.approx(positive - negative, rel=1e-5)
        assert negative <= 0 <= positive
        assert row["images"] == "3"
    assert sum(float(row["relevance"]) for row in rows) > 0


def test_the_json_names_classes_images_and_parameters(command: Command, root: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    ran = command(*given(root, "--classes", "box", "--method", "conductance", "--of", "logit", "--out", out))
    assert ran.status == 0, ran.err
    found = json.loads(out.read_text())
    about = found["metadata"]
    assert about["parameters"]["method"] == "conductance"
    assert about["parameters"]["output"] == "logit"
    (one,) = about["classes"]
    assert one["class"] == "box"
    assert one["outputs"] == ["cube, box"]
    assert one["images"] == ["box-1.png", "box-3.png", "box-5.png"]
    assert {record["residual"] is None for record in found["records"] if record["layer"] == "second"} == {
        True
    }


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--classes", "bull"), ("bull", "ball")),
        (("--method", "lime"), ("lime", "layer-ig")),
        (("--baseline", "white"), ("white", "black")),
        (("--images", "0"), ("0", "at least 1")),
        (("--tolerance", "some"), ("some", "number")),
        (("--split", "test"), ("test", "val")),
        (("--out", "r.txt"), ("r.txt", ".csv")),
    ],
)
def test_a_mistake_is_one_line(
    command: Command, root: Path, more: tuple[str, ...], words: tuple[str, ...]
) -> None:
    ran = command(*given(root, *more))
    assert ran.status == 2
    assert all(word in ran.line for word in words)


def test_a_class_that_no_output_knows_says_why(command: Command, root: Path) -> None:
    text = (root / "classes.csv").read_text().replace("ball-0.png,ball", "ball-0.png,cloud")
    (root / "classes.csv").write_text(text)
    ran = command(*given(root, "--classes", "cloud"))
    assert ran.status == 2
    assert "no output has this name" in ran.line
    assert "cloud (no output has this name)" in command(*given(root, "--verbose")).out


def test_weights_that_are_not_numbers_name_layer_and_image(command: Command, root: Path) -> None:
    ran = command(*given(root, network="tests.analyses.related:poisoned"))
    assert ran.status == 1
    assert "NaN" in ran.line
    assert "ball-0.png" in ran.line


def test_the_best_within_a_minute(command: Command, root: Path) -> None:
    ran = command(*given(root, "--images", 2, "--time", "1m"))
    assert ran.status == 0, ran.err
    assert "2 classes computed in" in ran.out
    assert "no time" not in ran.out


@pytest.mark.parametrize("text", ["0", "soon", "-5s", "5 min", "1e3"])
def test_no_time_is_one_line(command: Command, root: Path, text: str) -> None:
    ran = command(*given(root, f"--time={text}"))
    assert ran.status == 2
    assert f"{text!r} is no time, expected one such as 60s, 5m or 1h" in " ".join(ran.err.split())


def test_a_part_has_no_bound(command: Command, root: Path) -> None:
    ran = command(*given(root, "--time", "60", "--part", "1/2"))
    assert ran.status != 0
    assert "--time and --part 1/2 were both given" in ran.err
