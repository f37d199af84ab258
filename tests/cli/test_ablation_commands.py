"""`grid`, `effects`, `specialise` and the controls of `ablate`, on a network whose losses are arithmetic."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from interpret_core.analyses.ablation.grid import CONTROLS, find_grid, grid_keys
from interpret_core.analyses.ablation.plan import ablation_plan
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.networks import load
from interpret_core.store.store import Store
from tests.cli.colours import NETWORK, RESPONSE, probability, write_colours
from tests.cli.conftest import Command

CLASSES = ("red", "green", "blue")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_colours(tmp_path / "colours")


def ran(command: Command, root: Path, name: str, *more: object) -> tuple[list[dict[str, str]], str]:
    """Rows of --out and what is printed; what the command needs was not computed before."""
    out = root.parent / "f.csv"
    done = command(name, "--network", NETWORK, "--dataset", root, *more, "--out", out)
    assert (done.status, done.err) == (0, "")
    return list(csv.DictReader(out.read_text().splitlines())), done.out


@pytest.mark.thorough
def test_the_grid_ranks_first_and_is_what_the_page_finds(
    command: Command, root: Path, tmp_path: Path
) -> None:
    rows, out = ran(command, root, "grid")
    with Store(tmp_path / "cache") as store:
        plan = ablation_plan(AblationRequest(NETWORK, str(root)), store, load(NETWORK))
        found = find_grid(plan)
        assert set(found.classes) | {CONTROLS} == set(grid_keys(plan))
        assert found.controls
    settings = {(row["ablated_class"], row["rank"], row["fraction"], row["seed"]) for row in rows}
    assert len(settings) == (len(CLASSES) + 1) * 2 * 6 + 5 * 6 + 1, "grey ranks, though none is evaluated"
    assert f"{len(settings):,} settings on 9 images of 3 classes" in out
    again, _ = ran(command, root, "grid")
    assert again == rows


def test_effects_measure_what_each_unit_gives(command: Command, root: Path) -> None:
    rows, out = ran(command, root, "effects")
    assert {row["class"] for row in rows} == set(CLASSES)
    measured = {
        (row["layer"], row["unit"], row["class"]): float(row["exact"]) for row in rows if row["exact"]
    }
    # Class c rests on unit c of conv2 alone: without it, nothing speaks for the class.
    lost = probability(0, 0, 0, of=1) - probability(RESPONSE, 0, 0, of=1)
    for number, name in enumerate(CLASSES):
        assert measured["conv2", str(number), name] == pytest.approx(lost, abs=1e-5)
    assert "correlate with r = " in out


@pytest.mark.thorough
def test_specialise_keeps_what_the_class_needs(command: Command, root: Path) -> None:
    rows, out = ran(command, root, "specialise", "--class", "red")
    layers = {row["layer"] for row in rows}
    assert rows
    assert layers
    assert all(int(row["right"]) == int(row["images"]) for row in rows), "no mistake is allowed"
    needed = {(row["layer"], row["unit"]) for row in rows}
    assert not any(unit == "0" for _, unit in needed), "red's own unit stays"
    assert "can go" in out
    more, _ = ran(command, root, "specialise", "--class", "red", "--mistakes", 99)
    assert len(more) >= len(rows)
    wrong = command("specialise", "--network", NETWORK, "--dataset", root, "--class", "rad")
    assert wrong.status == 2
    assert "did you mean red" in wrong.line


def test_units_by_hand_beside_as_many_random_ones(command: Command, root: Path, tmp_path: Path) -> None:
    given = ("--by", "hand", "--units", "conv2:0", "--controls")
    rows, out = ran(command, root, "ablate", *given)
    assert {row["by"] for row in rows} == {"hand"}
    assert len(rows) == len(CLASSES) + 1, "the controls are no rows of their own"
    assert "Beside as many random units of each layer" in out
    target = tmp_path / "f.json"
    done = command("ablate", "--network", NETWORK, "--dataset", root, *given, "--out", target)
    assert done.status == 0
    compared = {row["class"]: row for row in json.loads(target.read_text())["metadata"]["compared"]}
    assert compared["red"]["accuracy"] == 0
    assert compared["red"]["random_seeds"] == 5
    assert 0 <= compared["red"]["accuracy_low"] <= compared["red"]["accuracy_high"] < 1
    wrong = command("ablate", "--network", NETWORK, "--dataset", root, "--controls")
    assert wrong.status == 2
    assert "--controls is for units picked by hand" in wrong.line
