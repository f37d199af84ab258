"""`reproduce broden-totals`: pixel totals beside published ones, exactly."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Ran
from tests.planted_dataset import LABELS, Planted, display

MAPPED = ("object", "part", "material", "color")


def truth(planted: Planted) -> list[tuple[str, str, int]]:
    """(category, concept, pixels), counted by whoever drew the pictures."""
    return [
        (category, display(name), planted.pixels(category, display(name)))
        for _, name, categories in LABELS
        for category in categories
    ]


def write(path: Path, rows, header=("category", "concept", "pixels")) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def without_category(rows) -> list[tuple[str, int]]:
    return [(concept, pixels) for _, concept, pixels in rows]


@pytest.fixture
def totals(command: Command, planted: Planted, tmp_path: Path):
    """Compares the planted set with some rows."""

    def run(rows, *options: object, header=("category", "concept", "pixels")) -> Ran:
        file = write(tmp_path / "published.csv", rows, header)
        return command("reproduce", "broden-totals", "--dataset", planted.root, "--published", file, *options)

    return run


def test_equal_totals_are_said_and_end_well(totals, planted):
    done = totals(truth(planted))
    assert (done.status, done.err) == (0, "")
    assert f"All {len(truth(planted)):,} totals are as published, to the pixel" in done.out
    assert "scene" in done.out, "image-wide labels are compared, too"


@pytest.mark.parametrize("off", [-1, 1])
def test_one_pixel_is_a_difference(totals, planted, tmp_path, off):
    rows = truth(planted)
    category, concept, pixels = rows[0]
    out = tmp_path / "differences.csv"
    done = totals([(category, concept, pixels + off), *rows[1:]], "--out", out)
    assert done.status == 1
    assert done.line.startswith(f"Error: 1 of {len(rows)} totals of ")
    with out.open(newline="") as file:
        written = list(csv.DictReader(file))
    wrong = [row for row in written if row["state"] != "equal"]
    assert [
        (row["category"], row["concept"], row["published"], row["here"], row["difference"]) for row in wrong
    ] == [(category, concept, str(pixels + off), str(pixels), str(-off))]
    assert len(written) == len(rows)


def test_names_as_label_csv_writes_them(totals, planted):
    raw = {display(name): name for _, name, _ in LABELS}
    done = totals([(category, raw[concept], pixels) for category, concept, pixels in truth(planted)])
    assert (done.status, done.err) == (0, "")


def test_a_name_of_several_categories_is_compared_whatever_the_order(totals, planted):
    rows = without_category(truth(planted))
    panels = [row for row in rows if row[0] == "panel"]
    assert len({pixels for _, pixels in panels}) == 2, "the two differ, or the test would say nothing"
    turned = [row for row in rows if row[0] != "panel"] + panels[::-1]
    done = totals(turned, header=("concept", "pixels"))
    assert (done.status, done.err) == (0, "")
    assert (
        "names of several concepts, compared whatever their order: panel (object); panel (part)" in done.out
    )
    wrong = [row for row in turned if row[0] != "panel"] + [panels[0], ("panel", panels[1][1] + 1)]
    assert totals(wrong, header=("concept", "pixels")).status == 1


def test_a_name_of_several_categories_with_one_total_is_no_comparison(totals, planted):
    rows = without_category(truth(planted))
    first = next(row for row in rows if row[0] == "panel")
    done = totals([*[row for row in rows if row[0] != "panel"], first], header=("concept", "pixels"))
    assert done.status == 1
    assert "name of several concepts" in done.out


def test_names_that_tell_categories_apart_need_no_column(totals, planted):
    rows = [
        (f"panel ({category})" if concept == "panel" else concept, pixels)
        for category, concept, pixels in truth(planted)
    ]
    done = totals(rows, header=("concept", "pixels"))
    assert (done.status, done.err) == (0, "")
    assert "names of several concepts" not in done.out


def test_only_the_categories_of_the_file_are_compared(totals, planted):
    rows = [row for row in truth(planted) if row[0] == "part"]
    done = totals(rows)
    assert (done.status, done.err) == (0, "")
    assert f"All {len(rows)} totals" in done.out


def test_what_is_missing_on_either_side_is_told(totals, planted):
    rows = truth(planted)
    assert totals(rows[1:]).status == 1
    assert "not in the file" in totals(rows[1:]).out
    assert totals(rows[1:], "--partial").status == 0
    more = totals([*rows, ("object", "unicorn", 5)], "--partial")
    assert more.status == 1
    assert "not in the data set" in more.out


def test_the_table_of_survey_is_one_to_compare_with(command, planted, tmp_path):
    file = tmp_path / "survey.csv"
    assert command("survey", "--dataset", planted.root, "--out", file).status == 0
    done = command("reproduce", "broden-totals", "--dataset", planted.root, "--published", file)
    assert (done.status, done.err) == (0, "")
    assert ", ".join(MAPPED) in done.out


def test_damaged_images_are_said(totals, planted):
    rows = truth(planted)
    (planted.root / "images" / "planted" / "00002.png").write_bytes(b"no picture")
    done = totals(rows)
    assert done.status == 1
    assert "1 images are damaged and in no total" in done.out


@pytest.mark.parametrize(
    ("rows", "header", "words"),
    [
        ([("object", "panel", "1.5")], ("category", "concept", "pixels"), "line 2: pixels is '1.5'"),
        ([("object", "panel", "-3")], ("category", "concept", "pixels"), "expected a whole number"),
        ([("panel", "3"), ("", "4")], ("concept", "pixels"), "line 3: concept is empty"),
        ([("grey", "3"), ("grey-c", "3")], ("concept", "pixels"), "both give a total of grey"),
        ([("panel", "3")], ("concept", "area"), "expected also pixels"),
        ([], ("concept", "pixels"), "has no row"),
        ([("Object", "panel", "3")], ("category", "concept", "pixels"), "name them alike"),
    ],
)
def test_a_user_s_mistake(totals, rows, header, words):
    done = totals(rows, header=header)
    assert done.status == 2
    assert words in done.line


def test_a_file_that_is_not_there(command, planted, tmp_path):
    missing = tmp_path / "no.csv"
    done = command("reproduce", "broden-totals", "--dataset", planted.root, "--published", missing)
    assert done.status == 2
    assert "cannot be read" in done.line
