"""Masks of several sizes on the command line: the numbers of the grid they come to, and a word of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Command
from tests.planted_classes import write_classes, write_photos
from tests.planted_names import GRID, NETWORK, Named

QUICK = ("--min-images", 1, "--permutations", 0, "--quantile", 0.05)
SAID = f"masks of several sizes, read on a grid of {GRID}×{GRID}, the nearest pixel for each cell"


@pytest.fixture
def doubled(tmp_path: Path) -> Path:
    """Every second mask has twice as many rows and columns, each repeated."""
    root = Named(split=False).write(tmp_path / "doubled")
    with (root / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[::2]:
        path = root / "images" / row["object"]
        large = np.asarray(Image.open(path)).repeat(2, 0).repeat(2, 1)
        Image.fromarray(large).save(path)
        row |= {"sh": str(2 * GRID), "sw": str(2 * GRID)}
    with (root / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return root


@pytest.mark.thorough
def test_the_same_numbers_as_on_the_grid(command: Command, doubled: Path, tmp_path: Path) -> None:
    written = {}
    for root in (Named(split=False).write(tmp_path / "plain"), doubled):
        out = tmp_path / f"{root.name}.csv"
        ran = command("profile", "--network", NETWORK, "--dataset", root, *QUICK, "--out", out)
        assert ran.status == 0, ran.err
        assert (SAID in ran.out.splitlines()) is (root == doubled)
        written[root.name] = out.read_text()
    assert written["plain"] == written["doubled"]


def test_it_is_said(command: Command, doubled: Path, tmp_path: Path) -> None:
    assert SAID in command("datasets", doubled).out.splitlines()
    out = tmp_path / "p.json"
    command("profile", "--network", NETWORK, "--dataset", doubled, *QUICK, "--out", out)
    assert json.loads(out.read_text())["metadata"]["dataset"]["resampling"] == SAID


def test_an_object_that_vanishes_between_cells(command: Command, doubled: Path, tmp_path: Path) -> None:
    """One pixel that no cell's centre lies in: the reason is true of the grid, not of the mask."""
    small = np.zeros((2 * GRID, 2 * GRID, 3), np.uint8)
    small[0, 0, 0] = 1
    Image.fromarray(small).save(doubled / "images" / "mask-0.png")
    out = tmp_path / "r.json"
    ran = command(
        *("relevance", "--network", NETWORK, "--dataset", doubled, "--classes", "cat", "--out", out)
    )
    assert ran.status == 0, ran.err
    (told,) = json.loads(out.read_text())["metadata"]["classes"]
    assert told["left_out"] == [["0.png", f"no pixel of the grid of {GRID}×{GRID} is annotated as cat"]]


def test_pictures_in_no_row_are_named(command: Command, tmp_path: Path) -> None:
    root = write_photos(tmp_path / "photos", {"red/1.png": "red", "blue/2.png": "blue", "stray.png": ""})
    assert "1 image in no row of classes.csv: stray.png" in command("datasets", root).out
    write_classes(root, [("red/1.png", "red"), ("blue/2.png", "blue"), ("stray.png", "red")])
    assert "in no row" not in command("datasets", root).out
