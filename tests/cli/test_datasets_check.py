"""`datasets check` on the command line."""

from __future__ import annotations

import json

from tests.cli.conftest import Command
from tests.planted_dataset import Planted


def test_the_report(command: Command, planted: Planted) -> None:
    mask = planted.root / "images/planted/00001_part_0.png"
    mask.unlink()
    done = command("datasets", "check", planted.root)
    assert done.status == 0, done.err
    assert "11 can be read, 1 cannot" in done.out
    assert "images/planted/00001_part_0.png is missing" in done.out
    assert "red square" in done.out


def test_as_json(command: Command, planted: Planted) -> None:
    done = command("datasets", "check", planted.root, "--json")
    told = json.loads(done.out)
    assert told["images"] == 12
    assert {one["name"] for one in told["concepts"]} >= {"red square", "street"}
    assert "made_with" in told


def test_what_is_asked_for_by_halves(command: Command, planted: Planted) -> None:
    done = command("datasets", planted.root, "--json")
    assert done.status == 2
    assert "datasets check" in done.line
    assert command("datasets", "check", "nowhere").status == 2
