"""Concepts on the command line: each under a name of its own, and a name that several share is refused."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.planted_names import NETWORK, Named

QUICK = ("--min-images", 1, "--permutations", 0, "--quantile", 0.05)


@pytest.fixture
def split(tmp_path: Path) -> Path:
    """Labels 1 and 9 are both called "cat"."""
    return Named().write(tmp_path / "split")


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """ "cat" is an object and a part."""
    return Named(split=False, part=True).write(tmp_path / "parts")


def test_a_profile_s_rows(command: Command, split: Path, parts: Path, tmp_path: Path) -> None:
    for root, names in ((split, {"cat (1)", "cat (9)"}), (parts, {"cat (object)", "cat (part)"})):
        out = tmp_path / f"{root.name}.csv"
        ran = command("profile", "--network", NETWORK, "--dataset", root, *QUICK, "--out", out)
        assert ran.status == 0, ran.err
        rows = list(csv.DictReader(out.read_text().splitlines()))
        found = {row["concept"] for row in rows} - {""}
        assert names <= found <= names | {"dog", "bus"}
        labels = Counter(
            (row["layer"], row["unit"], row["rank"], row["scope"], row["category"]) for row in rows
        )
        assert max(labels.values()) == 1
        overall = [(row["layer"], row["unit"], row["concept"]) for row in rows if row["scope"] == "overall"]
        assert len(set(overall)) == len(overall), "no unit has a concept twice"


def test_the_report_names_what_it_leaves_out(command: Command, split: Path, tmp_path: Path) -> None:
    out = tmp_path / "profile.json"
    ran = command(
        *("profile", "--network", NETWORK, "--dataset", split, "--min-images", 5, "--permutations", 0),
        *("--out", out, "-v"),
    )
    assert "2 concepts left out (fewer than 5 images): cat (1); cat (9)" in ran.out
    assert json.loads(out.read_text())["metadata"]["left_out"] == ["cat (1)", "cat (9)"]


def test_data_sets_are_listed_with_those_names(command: Command, split: Path, parts: Path) -> None:
    assert "cat (1), dog, bus, cat (9)" in command("datasets", split).out
    assert "cat (object), dog, bus" in command("datasets", parts).out


def test_relevance_takes_them_together_and_says_so(command: Command, split: Path, tmp_path: Path) -> None:
    text = (split / "classes.csv").read_text().replace("\n1.png,dog", "\n1.png,cat")
    (split / "classes.csv").write_text(text)
    out = tmp_path / "relevance.json"
    ran = command("relevance", "--network", NETWORK, "--dataset", split, "--classes", "cat", "--out", out)
    assert ran.status == 0, ran.err
    assert "objects of several labels, taken together: cat (cat (1), cat (9))" in ran.out
    assert "1 images left out: cat: 1.png (no pixel is annotated as cat)" in ran.out
    (told,) = json.loads(out.read_text())["metadata"]["classes"]
    assert told["objects"] == [[1, "cat (1)"], [9, "cat (9)"]]
    assert told["left_out"] == [["1.png", "no pixel is annotated as cat"]]
    assert told["images"] == ["0.png", "3.png", "6.png", "9.png"]


@pytest.mark.thorough
def test_agreement_compares_the_union(command: Command, split: Path, tmp_path: Path) -> None:
    out = tmp_path / "agreement.json"
    given = ("agreement", "--network", NETWORK, "--top", 0.2, "--permutations", 20, "--quantile", 0.05)
    ran = command(*given, "--dataset", split, "--out", out)
    assert ran.status == 0, ran.err
    (told,) = json.loads(out.read_text())["metadata"]["networks"]
    assert told["classes"] == {"bus": "bus", "cat": "cat (1) + cat (9)", "dog": "dog"}
    several = Named(maps=2).write(tmp_path / "several")
    ran = command(*given, "--dataset", several)
    assert "1 classes left out: cat (its labels cat (1), cat (9) may share pixels" in ran.out


ABLATE = ("ablate", "--network", NETWORK, "--by", "iou", "--fractions", "0.2", "--rank", "top")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("kind", "names"), [("split", ("cat (1)", "cat (9)")), ("parts", ("cat (object)", "cat (part)"))]
)
def test_an_ambiguous_concept_is_refused_and_its_names_are_taken(
    command: Command, request: pytest.FixtureRequest, tmp_path: Path, kind: str, names: tuple[str, str]
) -> None:
    root = request.getfixturevalue(kind)
    ran = command(*ABLATE, "--dataset", root, "--concept", "cat")
    assert ran.status == 2
    assert (
        f"2 concepts are called 'cat', expected the name of one: choose among {', '.join(names)}" in ran.line
    )
    out = tmp_path / "f.csv"
    ran = command(*ABLATE, "--dataset", root, "--concept", ",".join(names), "--out", out)
    assert ran.status == 0, ran.err
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert list(dict.fromkeys(row["ablated_class"] for row in rows)) == list(names)
    others = {row["ablated_class"] for row in rows if row["evaluated_class"] == "*others"}
    assert others == (set(names) if kind == "split" else {"cat (object)"}), (
        "of which it is the class's object"
    )


@pytest.mark.thorough
def test_by_the_iou_of_a_class_is_by_its_object(command: Command, split: Path, tmp_path: Path) -> None:
    merged = Named(split=False).write(tmp_path / "merged")
    written = {}
    for root in (split, merged):
        out = tmp_path / f"{root.name}.csv"
        ran = command(*ABLATE, "--dataset", root, "--class", "cat", "--out", out)
        assert ran.status == 0, ran.err
        written[root] = out.read_text()
    assert written[split] == written[merged]


@pytest.mark.thorough
def test_a_class_without_an_object_cannot_rank_by_iou(command: Command, split: Path) -> None:
    (split / "label.csv").write_text(
        "number,name,category\n1,tabby,object\n2,dog,object\n3,bus,object\n9,puss,object\n"
    )
    ran = command(*ABLATE, "--dataset", split, "--class", "cat")
    assert ran.status == 2
    assert "Class 'cat' has no object of its name in split" in ran.line
    ran = command(*ABLATE, "--dataset", split)
    assert ran.status == 0, ran.err
    assert "1 classes of the data set left out: cat (no object of the data set has this name)" in ran.out


def spelled_otherwise(root: Path) -> Path:
    """label.csv lists "cat" under Object, and the column is called object."""
    text = (root / "label.csv").read_text()
    (root / "label.csv").write_text(text.replace("1,cat,object(1)", "1,cat,Object(1)"))
    return root


def test_pixels_that_count_nowhere_are_said(command: Command, split: Path, tmp_path: Path) -> None:
    spelled_otherwise(split)
    asked = ("profile", "--network", NETWORK, "--dataset", split, *QUICK)
    for out in (tmp_path / "p.json", tmp_path / "again.json"):  # the second one from the cache
        ran = command(*asked, "--out", out)
        assert ran.status == 0, ran.err
        line = (
            "144 pixels (16.7 % of those labelled) count as unlabelled, since label.csv does not list their "
            "label under the map's category: 1 cat in object (listed under Object)"
        )
        assert line in ran.out.splitlines()
        told = {"category": "object", "number": 1, "name": "cat", "listed": ["Object"], "pixels": 144}
        assert json.loads(out.read_text())["metadata"]["unlisted"] == [told]


def test_a_profile_without_such_pixels_says_nothing(command: Command, split: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.json"
    ran = command("profile", "--network", NETWORK, "--dataset", split, *QUICK, "--out", out)
    assert "unlabelled" not in ran.out
    assert json.loads(out.read_text())["metadata"]["unlisted"] == []


def test_labels_of_a_category_without_a_column_are_listed(command: Command, split: Path) -> None:
    assert "no column for" not in command("datasets", split).out
    ran = command("datasets", spelled_otherwise(split))
    assert (
        "1 labels are listed under a category that index.csv has no column for, where they do not count: "
        "1 cat (Object)"
    ) in ran.out.splitlines()


def test_a_name_of_two_lines_breaks_no_table(command: Command, split: Path) -> None:
    """Of a label, and of a class, which heads a column as well."""
    for name in ("label.csv", "classes.csv"):
        text = (split / name).read_text()
        (split / name).write_text(text.replace("dog", '"d\nog"'))
    ran = command("datasets", split)
    assert r"cat (1), d\nog, bus, cat (9)" in ran.out
    (split.parent / "unitscope.toml").write_text('[classes]\n"d\\nog" = ["dog"]\n')
    ran = command("evaluate", "--network", NETWORK, "--dataset", split, "--split", "all")
    assert ran.status == 0, ran.err
    rows = [line.split()[0] for line in ran.out.splitlines() if line]
    assert rows.count(r"d\nog") == 2
    assert "og" not in rows
    ran = command("profile", "--network", NETWORK, "--dataset", split, *QUICK)
    assert ran.status == 0, ran.err


@pytest.mark.thorough
def test_names_that_look_alike(command: Command, split: Path) -> None:
    text = (split / "label.csv").read_text(encoding="utf-8")
    (split / "label.csv").write_text(text.replace("9,cat", "9,cat\u200b"), encoding="utf-8")
    assert r"cat (1), dog, bus, cat\u200b (9)" in command("datasets", split).out
    ran = command(*ABLATE, "--dataset", split, "--concept", "cat")
    assert (ran.status, "2 concepts are called 'cat'" in ran.line) == (2, True)
    ran = command(*ABLATE, "--dataset", split, "--concept", "cat (9)")
    assert ran.status == 0, ran.err


@pytest.fixture
def commas(tmp_path: Path) -> Path:
    """A class and a concept "cat, tabby", others with quotation marks and a line break."""
    root = Named(split=False).write(tmp_path / "commas")
    for name in ("label.csv", "classes.csv"):
        text = (root / name).read_text()
        for plain, odd in (("cat", '"cat, tabby"'), ("dog", '"the ""old"" dog"'), ("bus", '"b\nus"')):
            text = re.sub(rf",{plain}(?=[,\n])", f",{odd}", text)
        (root / name).write_text(text)
    (tmp_path / "unitscope.toml").write_text(
        '[classes]\n"cat, tabby" = ["cat"]\n"the \\"old\\" dog" = ["dog"]\n"b\\nus" = ["bus"]\n'
    )
    return root


@pytest.mark.thorough
def test_a_name_with_a_comma_is_chosen(command: Command, commas: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    common = ("--network", NETWORK, "--dataset", commas)
    ran = command("relevance", *common, "--classes", '"cat, tabby","b\nus"', "--out", out)
    assert ran.status == 0, ran.err
    told = json.loads(out.read_text())["metadata"]["classes"]
    assert [one["class"] for one in told] == ["b\nus", "cat, tabby"]
    ran = command("relevance", *common, "--classes", "cat, tabby")
    assert (ran.status, "did you mean '\"cat, tabby\"'" in ran.line) == (2, True)
    ran = command("relevance", *common, "--classes", '"cat, tabby')
    assert (ran.status, "expected a closing quotation mark" in ran.line) == (2, True)
    ran = command(*ABLATE, "--dataset", commas, "--concept", '"cat, tabby",the "old" dog')
    assert ran.status == 0, ran.err
    ran = command(*ABLATE, "--dataset", commas, "--concept", "cat")
    assert (ran.status, "did you mean '\"cat, tabby\"'" in ran.line) == (2, True)


def test_a_class_alone_with_or_without_marks(command: Command, commas: Path) -> None:
    for name in ("cat, tabby", '"cat, tabby"'):
        ran = command("specialise", "--network", NETWORK, "--dataset", commas, "--class", name)
        assert ran.status == 0, ran.err
