"""`evaluate` on pictures whose answers are known, and on the demo's networks."""

from __future__ import annotations

import csv
import json
import socket
from pathlib import Path

import pytest

from interpret_core import demo
from interpret_core.analyses.evaluation.result import COLUMNS
from interpret_core.provenance import MADE_WITH
from tests.cli.conftest import Command, Ran
from tests.demo_weights import make_weights
from tests.planted_classes import Picture, write_classes, write_photos, write_pictures

NAMED = "tests.cli.networks:named"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "pictures")


def evaluated(command: Command, root: Path | str, *options: object, network: str = NAMED) -> Ran:
    done = command("evaluate", "--network", network, "--dataset", root, "--device", "cpu", *options)
    assert (done.status, done.err) == (0, "")
    return done


def table(out: str, title: str) -> dict[str, list[str]]:
    """Cells by the first word of a row, of the table below a title."""
    lines = out[out.index(title) :].splitlines()[2:]
    rows = [line.split() for line in lines]
    return {row[0]: row[1:] for row in rows[: next(i for i, row in enumerate([*rows, []]) if not row)]}


def test_the_report(command: Command, pictures: Path) -> None:
    out = evaluated(command, pictures).out
    assert "split val" in out
    assert "8 images, 3 classes among 3 outputs" in out
    assert "1 classes of the data set left out: white (no output has this name)" in out
    rows = table(out, "Accuracy of the intact network")
    assert rows["red"][:4] == ["4", "3", "0.750", "0.875"]
    assert rows["all"][:4] == ["8", "6", "0.750", "–"]
    assert "mean recall of the classes 0.806" in out  # (1 + 2/3 + 3/4) / 3
    answers = table(out, "Answers by true class")
    assert answers["green"] == ["1", "2", "·"]
    assert answers["red"] == ["·", "1", "3"]
    assert "Evaluated in" in out
    assert "Found in the cache" in evaluated(command, pictures).out


def test_a_row_per_class_and_one_for_all(command: Command, pictures: Path, tmp_path: Path) -> None:
    evaluated(command, pictures, "--out", tmp_path / "e.csv")
    with (tmp_path / "e.csv").open(newline="") as file:
        reader = csv.DictReader(file)
        assert tuple(reader.fieldnames or ()) == (*COLUMNS, MADE_WITH)
        rows = {row["class"]: row for row in reader}
    assert list(rows) == ["blue", "green", "red", "*"]
    green, whole = rows["green"], rows["*"]
    assert (green["images"], green["right"], float(green["accuracy"])) == ("3", "2", 2 / 3)
    assert (green["others"], green["others_rejected"]) == ("5", "4")
    assert float(green["balanced_accuracy"]) == (2 / 3 + 4 / 5) / 2
    assert (green["top5"], green["top5_right"], green["mean_recall"]) == ("", "", "")
    assert (whole["images"], whole["right"], float(whole["accuracy"])) == ("8", "6", 0.75)
    assert float(whole["mean_recall"]) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert 0 < float(whole["probability"]) < 1


def test_json_holds_the_same_rows_the_matrix_and_where_they_come_from(
    command: Command, pictures: Path, tmp_path: Path
) -> None:
    for name in ("e.csv", "e.json"):
        evaluated(command, pictures, "--split", "train", "--out", tmp_path / name)
    content = json.loads((tmp_path / "e.json").read_text())
    as_text = [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in content["records"]
    ]
    with (tmp_path / "e.csv").open(newline="") as file:
        assert as_text == list(csv.DictReader(file))
    assert content["records"][0]["images"] == 1  # the only blue picture counts in either half
    metadata = content["metadata"]
    assert metadata["split"] == "train"
    assert metadata["network"]["name"] == NAMED
    assert metadata["confusion"] == {
        "rows": ["blue", "green", "red"],
        "columns": ["blue", "green", "red", None],
        "counts": [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 2, 0]],
    }


def test_damage_is_named(command: Command, pictures: Path) -> None:
    (pictures / "images/0.png").write_bytes(b"")
    out = evaluated(command, pictures).out
    assert "7 images" in out
    assert "1 skipped as damaged" in out
    assert "0.png" in out


def test_other_outputs_have_a_column(command: Command, pictures: Path) -> None:
    write_classes(pictures, [("0.png", "red"), ("7.png", "red"), ("4.png", "green")])
    out = evaluated(command, pictures).out
    assert table(out, "Answers by true class")["red"] == ["·", "1", "1"]
    assert "other output" in out


def test_what_stands_for_what_is_said(command: Command, pictures: Path, environment: Path) -> None:
    (environment / "unitscope.toml").write_text('[classes]\nwhite = ["blue"]\nred = ["RED", 1]\n')
    write_classes(pictures, [("0.png", "red"), ("3.png", "red"), ("8.png", "white"), ("4.png", "green")])
    out = evaluated(command, pictures).out
    assert "2 classes by other names: red = red + green (your table); white = blue (your table)" in out
    assert "3 classes have fewer than 4 images" not in out  # two classes are left
    assert "2 classes have fewer than 4 images, all of which are taken: red; white" in out
    assert "1 classes of the data set left out: green (its outputs stand for red already)" in out
    assert table(out, "Accuracy of the intact network")["red"][:3] == ["2", "2", "1.000"]
    assert "largest object" not in out
    assert "fewer than 4" not in evaluated(command, pictures, "--split", "all").out


def test_without_classes_the_annotations_say_what_an_image_shows(
    command: Command, pictures: Path, tmp_path: Path
) -> None:
    (pictures / "classes.csv").unlink()
    labels = (pictures / "label.csv").read_text().replace("whole picture", "red")
    (pictures / "label.csv").write_text(labels)
    out = evaluated(command, pictures, "--out", tmp_path / "e.json").out
    assert "reading annotations" in out
    assert "images of a class: those whose largest object known to the network it is, on at least 5 %" in out
    assert table(out, "Accuracy of the intact network")["red"][:2] == ["10", "4"]  # 3 red, 1 white
    metadata = json.loads((tmp_path / "e.json").read_text())["metadata"]
    assert metadata["source"] == "largest object"
    assert metadata["matches"] == [["red", "name", [0], ["red"]]]
    again = evaluated(command, pictures).out
    assert "reading annotations" not in again
    assert "Found in the cache" in again


def test_a_plain_folder(command: Command, tmp_path: Path) -> None:
    root = write_photos(
        tmp_path / "photos",
        {
            "red/1.png": "red",
            "red/2.png": "green",
            "green/1.png": "green",
            "blue/1.png": "blue",
            "red/3.png": "",
        },
    )
    out = evaluated(command, root).out
    assert "4 images, 3 classes among 3 outputs" in out
    assert table(out, "Accuracy of the intact network")["green"][:3] == ["2", "1", "0.500"]
    assert "3 classes of 4 images" in command("datasets", root).out


@pytest.fixture
def demo_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: Path) -> None:
    """The demo is shown, with untrained stand-ins for its weights, and no way out."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(demo, "WEIGHTS", make_weights(tmp_path / "weights", ("alexnet",)))
    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.delenv("INTERPRET_DEMO")
    monkeypatch.delenv("INTERPRET_OFFLINE")


@pytest.mark.thorough
def test_the_demo(command: Command, demo_weights: None, tmp_path: Path) -> None:
    root = write_pictures(
        tmp_path / "few", [Picture("red", "Bed"), Picture("blue", "cat"), Picture("green", "BUS")], size=224
    )
    out = evaluated(command, root, network="demo/alexnet").out
    assert "evidence: demo. Trained on rendered scenes of ten classes" in out
    assert "3 images, 3 classes among 10 outputs" in out
    control = evaluated(command, root, network="demo/alexnet@random").out
    assert "evidence: random weights." in control
    assert "Evaluated in" in control


@pytest.mark.thorough
def test_the_demo_is_listed(command: Command, demo_weights: None) -> None:
    listed = command("networks").out.splitlines()
    assert listed[1].split() == ["demo/alexnet", "AlexNet", "(demo)", "demo,", "on", "disk"]
    one = command("networks", "demo/alexnet@random").out
    assert "evidence: random weights. Random weights as asked for" in one
    assert "input 224×224 px, 10 classes" in one
    assert "object 67" in next(line for line in command("datasets").out.splitlines() if line[:4] == "demo")
    out = command("datasets", "demo").out
    assert "10 classes of 480 images (240 train, 240 val): bed, bench, bottle" in out


def test_the_untrained_control_is_listed_where_it_is_configured(
    command: Command, demo_weights: None, environment: Path
) -> None:
    (environment / "unitscope.toml").write_text('[networks]\nuntrained = "demo/alexnet@random"\n')
    line = next(line for line in command("networks").out.splitlines() if line.startswith("untrained"))
    assert line.split() == ["untrained", "untrained", "random", "weights"]
