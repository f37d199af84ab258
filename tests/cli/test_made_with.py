"""What files of the command line were made with."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from interpret_core import __version__
from interpret_core.cli.files import FileTable, write_rows
from interpret_core.privacy import Discretion
from interpret_core.provenance import MADE_WITH, made_with, signed
from interpret_core.tables import write_csv
from tests.cli.conftest import Command
from tests.compare_outputs import neutral

ROWS = [{"unit": 1, "concept": 'a "b", c'}, {"unit": 2, "concept": None}]


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_every_row_says_it(tmp_path: Path, kind: str) -> None:
    out = tmp_path / f"rows.{kind}"
    assert write_rows(out, FileTable(("unit", "concept"), ROWS), Discretion()) == 2
    if kind == "csv":
        with out.open(newline="") as file:
            rows = list(csv.DictReader(file))
    else:
        rows = json.loads(out.read_text())["records"]
    assert [list(row) for row in rows] == 2 * [["unit", "concept", MADE_WITH]]
    assert {row[MADE_WITH] for row in rows} == {made_with()}
    assert made_with().startswith(f"Unitscope {__version__}; torch 2.")


def test_a_command_s_file_says_it_and_a_screen_does_not(
    command: Command, planted_scenes: Path, tmp_path: Path
) -> None:
    out = tmp_path / "concepts.csv"
    done = command("survey", "--dataset", planted_scenes, "--out", out)
    assert (done.status, done.err) == (0, "")
    assert MADE_WITH not in done.out
    with out.open(newline="") as file:
        assert {row[MADE_WITH] for row in csv.DictReader(file)} == {made_with()}


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_outputs_are_compared_without_it(tmp_path: Path, kind: str) -> None:
    """Also with those of a revision that did not write it, and of another version."""
    out = tmp_path / f"rows.{kind}"
    write_rows(out, FileTable(("unit", "concept"), ROWS, {"network": "n"}), Discretion())
    text = out.read_text()
    before = tmp_path / "before"
    with before.open("w", newline="") as file:
        if kind == "csv":
            write_csv(file, ("unit", "concept"), ROWS)
        else:
            records = ",\n".join(map(json.dumps, ROWS))
            file.write(f'{{"metadata": {{"network": "n"}},\n"records": [\n{records}\n]}}\n')
    assert neutral(text) == before.read_text() != text
    assert neutral(text.replace(__version__, "9.9")) == neutral(text)


def test_rows_are_not_changed() -> None:
    assert "," not in made_with(), "some split lines at commas"
    assert next(signed(ROWS)) == {**ROWS[0], MADE_WITH: made_with()}
    assert MADE_WITH not in ROWS[0]
