"""`profile` on planted networks: the labels and IoUs of their docstrings, in the table that is written."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from interpret_core.analyses.profile.table import COLUMNS
from interpret_core.provenance import MADE_WITH
from tests.cli.conftest import Command
from tests.planted_networks import scenes

RED, GREEN = scenes().share(1), scenes().share(2)
PIXELS = 8 * 16 * 16

# factory, quantile -> unit -> (state, best concept, its IoU)
GOLDEN = [
    ("red", RED, {0: ("live", "red", 1.0), 1: ("tied", "green", 1.0), 2: ("tied", "blue", 1.0)}),
    ("half", RED + GREEN, {0: ("tied", "red", 1.0), 1: ("live", "red", 2 / 3)}),
    ("shifted", RED, {0: ("live", "red", 1.0), 1: ("live", "red", 1 / 3)}),
    (
        "odd",
        RED,
        {
            0: ("dead", "", 0.0),
            1: ("tied", "", 0.0),
            2: ("tied", "white", 1.0),
            3: ("live", "red", 1.0),
            4: ("dead", "", 0.0),
        },
    ),
]


def profiled(command: Command, data: Path, factory: str, quantile: float, out: Path) -> None:
    done = command(
        "profile", "--network", f"tests.cli.networks:{factory}", "--dataset", data, "--quantile", quantile,
        "--min-images", 1, "--batch-size", 3, "--permutations", 5, "--out", out, "--device", "cpu",
    )  # fmt: skip
    assert (done.status, done.err) == (0, "")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        assert tuple(reader.fieldnames or ()) == (*COLUMNS, MADE_WITH)
        return list(reader)


@pytest.mark.parametrize(("factory", "quantile", "expected"), GOLDEN)
def test_known_labels(command, planted_scenes, tmp_path, factory, quantile, expected):
    profiled(command, planted_scenes, factory, quantile, tmp_path / "p.csv")
    best = [row for row in read(tmp_path / "p.csv") if row["scope"] == "overall" and row["rank"] == "1"]
    found = {
        int(row["unit"]): (row["state"], row["concept"], pytest.approx(float(row["iou"] or 0)))
        for row in best
    }
    assert found == expected
    for row in best:
        assert row["detector"] == str(float(row["iou"] or 0) > 0.04)
        assert row["layer"] == "conv1"


def test_every_column_of_a_row(command, planted_scenes, tmp_path):
    profiled(command, planted_scenes, "half", RED + GREEN, tmp_path / "p.csv")
    rows = [row for row in read(tmp_path / "p.csv") if row["unit"] == "1"]
    assert [(row["scope"], row["rank"], row["concept"]) for row in rows] == [
        ("overall", "1", "red"), ("overall", "2", "green"), ("category", "1", "red"),
    ]  # fmt: skip
    green = rows[1]
    assert float(green["iou"]) == pytest.approx(1 / 3)
    assert (green["intersection"], green["union"]) == ("64", "192")
    assert float(green["ceiling"]) == pytest.approx(64 / 192)
    assert float(green["threshold"]) == 0.5
    assert float(green["tail_mass"]) == float(green["mask_area"]) == 192 / PIXELS
    assert 0 < float(green["p_value"]) <= float(green["q_value"]) <= 1


def test_json_holds_the_same_rows_and_where_they_come_from(command, planted_scenes, tmp_path):
    for name in ("p.csv", "p.json"):
        profiled(command, planted_scenes, "half", RED + GREEN, tmp_path / name)
    content = json.loads((tmp_path / "p.json").read_text())
    as_text = [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in content["records"]
    ]
    assert as_text == read(tmp_path / "p.csv")
    metadata = content["metadata"]
    assert metadata["evidence"] == "random weights"
    assert metadata["network"]["name"] == "tests.cli.networks:half"
    assert metadata["dataset"]["images"] == 8
    assert metadata["parameters"]["permutations"] == 5
    assert metadata["skipped"] == []
    assert metadata["layers"][0]["units"] == 2
    assert metadata["layers"][0]["unique"] == 1


def test_the_report_names_evidence_and_what_was_left_out(command, planted_scenes):
    options = ("--dataset", planted_scenes, "--quantile", RED, "--permutations", 5, "--min-images", 4)
    done = command("profile", "--network", "tests.cli.networks:half", *options)
    assert done.status == 0
    assert "random weights. Nothing was learned." in done.out
    assert "2 concepts left out (fewer than 4 images): blue; white" in done.out
    row = next(line.split() for line in done.out.splitlines() if line.startswith("conv1"))
    # Unit 1 fires on red and green alike, more than k pixels: tied, and red is the larger part of it.
    assert row[:7] == ["conv1", "2", "1", "0", "1", "2", "1"]  # units, live, dead, tied, detectors, unique
    again = command("profile", "--network", "tests.cli.networks:half", *options)
    assert "All found in the cache" in again.out


def test_a_network_of_several_layers_is_summed(command, planted, tmp_path):
    options = (
        "--dataset",
        planted.root,
        "--permutations",
        0,
        "--min-images",
        1,
        "--out",
        tmp_path / "p.json",
    )
    done = command("profile", "--network", "tests.cli.networks:small", *options)
    assert done.status == 0, done.err
    metadata = json.loads((tmp_path / "p.json").read_text())["metadata"]
    conv1, conv2 = metadata["layers"]
    assert metadata["all_layers"]["units"] == conv1["units"] + conv2["units"] == 14
    mean = (8 * conv1["q1"] + 6 * conv2["q1"]) / 14
    assert metadata["all_layers"]["q1"] == pytest.approx(mean)
    assert max(conv1["unique"], conv2["unique"]) <= metadata["all_layers"]["unique"]
    assert metadata["all_layers"]["expected_by_chance"] is None
    assert any(line.startswith("all ") for line in done.out.splitlines())


def test_one_layer_of_several(command, planted, tmp_path):
    done = command(
        "profile", "--network", "tests.cli.networks:small", "--dataset", planted.root, "--layers", "conv2",
        "--permutations", 0, "--categories", "color,object", "--out", tmp_path / "p.csv",
    )  # fmt: skip
    assert done.status == 0, done.err
    rows = read(tmp_path / "p.csv")
    assert {row["layer"] for row in rows} == {"conv2"}
    assert {row["category"] for row in rows} <= {"color", "object", ""}
