"""Photographs in which nothing is annotated, with classes and without, under every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from interpret_core.cli.app import main
from tests.analyses.test_image_labels import picture
from tests.planted_classes import write_classes
from tests.slow import thorough_beyond

NETWORK = "tests.ui.networks:classy"
COLOURS = ("red", "green", "blue")
CLASSES = ("red square", "blue disc")
PAIR = ("--network", NETWORK, "--dataset")
NO_CLASSES = "has no object annotation and no classes.csv"
NO_ANNOTATION = "has no annotation, expected"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`plain` and `classed`: twelve pictures each, and a cache for both."""
    root = tmp_path_factory.mktemp("unannotated")
    for name in ("plain", "classed"):
        (root / name).mkdir()
        for number in range(12):
            picture(COLOURS[number % 3], number).save(root / name / f"{number:02d}.png")
    rows = [(f"{number:02d}.png", CLASSES[number % 2]) for number in range(12)]
    write_classes(root / "classed", rows)
    (root / "totals.csv").write_text("category,concept,pixels\nobject,cat,3\n")
    return root


@thorough_beyond(7)
@pytest.mark.parametrize("dataset", ["plain", "classed"])
@pytest.mark.parametrize(
    ("command", "plain", "classed"),
    [
        (("datasets", "DATA"), "nothing annotated", "2 classes of 12 images"),
        (("datasets", "check", "DATA"), *2 * ("Nothing in them is annotated",)),
        (("survey", "--dataset", "DATA"), *2 * ("there is no concept to count",)),
        (("profile", *PAIR, "DATA"), *2 * ("Nothing in them is annotated",)),
        (("image-labels", *PAIR, "DATA"), "!has no label of whole images", "labels of class"),
        (("relevance", *PAIR, "DATA"), f"!{NO_CLASSES}", "summed over the whole image"),
        (("agreement", *PAIR, "DATA"), *2 * (f"!{NO_ANNOTATION}",)),
        (("grid", *PAIR, "DATA"), f"!{NO_CLASSES}", "are in the store"),
        (("ablate", *PAIR, "DATA"), f"!{NO_CLASSES}", "summed over the whole image"),
        (("specialise", *PAIR, "DATA", "--class", CLASSES[0]), f"!{NO_CLASSES}", "Least relevant"),
        (("effects", *PAIR, "DATA"), f"!{NO_CLASSES}", "of the 50 strongest"),
        (("evaluate", *PAIR, "DATA"), f"!{NO_CLASSES}", "Accuracy of the intact network"),
        (("estimate", *PAIR, "DATA", "--concepts", "9"), *2 * ("!nothing in data set",)),
        (
            ("estimate", *PAIR, "DATA", "--analyses", "image-labels", "--seconds", "1", "--images", "99"),
            "image-labels: Data set plain has no label of whole images",
            "Takes about",
        ),
        (("reproduce", "paper", "--dataset", "DATA", "--out", "OUT"), *2 * (f"!{NO_ANNOTATION}",)),
        (
            ("reproduce", "broden-totals", "--dataset", "DATA", "--published", "TOTALS"),
            *2 * (f"!{NO_ANNOTATION}",),
        ),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_every_command_says_what_there_is(
    folders: Path,
    dataset: str,
    command: tuple[str, ...],
    plain: str,
    classed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """With `!`, one line of an error; else what is there. Never a traceback, NaN or a table of nothing."""
    monkeypatch.setenv("INTERPRET_CACHE", str(folders / "cache"))
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    places = {"DATA": folders / dataset, "OUT": tmp_path / "out", "TOTALS": folders / "totals.csv"}
    status = main([str(places.get(word, word)) for word in command])
    shown = capsys.readouterr()
    text = " ".join(f"{shown.out} {shown.err}".split())
    said = plain if dataset == "plain" else classed
    assert status == (2 if said.startswith("!") else 0), text
    assert said.removeprefix("!") in text
    assert not re.search(r"Traceback|Internal error|\bnan\b|category concept number", text, re.IGNORECASE)
    if said.startswith("!"):
        assert text.count("Error:") == 1


def test_no_class_falls_most_where_none_falls(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With few classes a unit's silence may raise all of them."""
    status = main(
        ["effects", *PAIR, str(folders / "classed"), "--verbose", "--cache", str(folders / "cache")]
    )
    assert status == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines() if row.startswith("conv")]
    assert rows
    for row in rows:
        assert len([one for one in row if re.fullmatch(r"-\d.*", one)]) <= 1, row
        assert len([one for one in row if re.fullmatch(r"\+\d.*", one)]) <= 1, row
