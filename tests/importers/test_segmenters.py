"""`--segmenter`: its masks, what it may answer, whose masks go on, that nothing else is touched."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from interpret_core.concepts import is_predicted, predicted, unmarked
from interpret_core.datasets import open_dataset, read_classes
from interpret_core.errors import Cancelled, DatasetError, UserError
from interpret_core.importers import Imported, ImportSettings, run_import, runner
from interpret_core.importers.formats.folder import PictureFolder
from interpret_core.importers.segmenters.labels import predicted_labels
from tests.importers import segmenting
from tests.importers.segmenting import FAILS, LEVEL
from tests.importers.sources import GRID, files_of, imported, on_grid, read, save

HERE = "tests.importers.segmenting"


def picture(place: int, size: tuple[int, int] = (20, 20)) -> NDArray[np.uint8]:
    """A square of one colour; all differ in their first pixel."""
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[5:12, 3:15, place % 3] = 140 + place
    pixels[0, 0, 2] = place
    return pixels


def write(root: Path, many: int = 4) -> Path:
    for place in range(many):
        save(root / ("red", "green", "blue")[place % 3] / f"{place}.png", picture(place))
    return root


def asked(root: Path, factory: str = "colours", into: str = "out") -> Imported:
    return imported(PictureFolder(str(root / "in"), f"{HERE}:{factory}"), root / into)


def stopped(root: Path, factory: str = "colours") -> None:
    done: list[int] = []
    settings = ImportSettings(root / "out", GRID)
    with pytest.raises(Cancelled):
        run_import(
            PictureFolder(str(root / "in"), f"{HERE}:{factory}"), settings,
            lambda stage, one, _total: done.append(one), lambda: done[-1] >= 1,
        )  # fmt: skip


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    write(tmp_path / "in")
    return tmp_path


@pytest.mark.parametrize("factory", ["colours", "alone", "scores"])
def test_masks_are_its_answers(photographs: Path, factory: str) -> None:
    found = asked(photographs, factory)
    assert (found.pictures, found.labels, found.classes) == (4, 3, 3)
    assert "predictions" in found.notes[0]
    told = read(photographs / "out")
    assert told.names == {1: "red (predicted)", 2: "green (predicted)", 3: "blue (predicted)"}
    for place in range(4):
        expected = np.where(picture(place).max(2) > 125, 1 + picture(place).argmax(2), 0)
        (plane,) = told.of(f"{place}.png")["object"]
        assert np.array_equal(plane, on_grid(expected))
    assert set(read_classes(told.dataset).names) == {"red", "green", "blue"}


def test_photographs_that_are_stored_turned(tmp_path: Path) -> None:
    for orientation in range(1, 9):
        stated = Image.Exif()
        stated[0x0112] = orientation
        (tmp_path / "in").mkdir(exist_ok=True)
        Image.fromarray(picture(0, (30, 20))).save(tmp_path / f"in/{orientation}.png", exif=stated)
    found = asked(tmp_path)
    assert (found.pictures, found.turned) == (8, 0)
    told = read(tmp_path / "out")
    for index, record in enumerate(told.dataset.records):
        expected = on_grid(np.where(told.dataset.read_image(index).max(2) > 125, 1, 0))
        assert np.array_equal(told.maps[record.image]["object"][0], expected)


def test_a_module_that_takes_pictures(photographs: Path) -> None:
    asked(photographs, "on_pictures")
    told = read(photographs / "out")
    assert told.names == {5: "bright (predicted)", 9: "dark (predicted)"}
    assert set(told.of("0.png")) == {"object", "material"}


def test_photographs_are_not_touched_whatever_their_names(tmp_path: Path) -> None:
    names = ["masks/object/1.png", "masks/1.png.0.png", "a\nb/c\\d.png", " ~/ x:y .png", "pictures/é.png"]
    for place, name in enumerate(names):
        save(tmp_path / "in" / name, picture(place))
    odd = os.fsdecode(os.fsencode(tmp_path / "in") + b"/\xff.png")
    Image.fromarray(picture(7)).save(odd)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "in").rglob("*.png")}
    found = asked(tmp_path)
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "in").rglob("*.png")}
    assert after == before
    assert (found.pictures, found.left_out) == (6, ())
    masks = tmp_path / "out/images/masks"
    assert not [path for path in masks.rglob("*") if path.is_symlink()]
    told = read(tmp_path / "out")
    for index in range(6):
        pixels = told.dataset.read_image(index)
        expected = on_grid(np.where(pixels.max(2) > 125, 1 + pixels.argmax(2), 0))
        assert np.array_equal(told.maps[told.dataset.records[index].image]["object"][0], expected)


@pytest.mark.parametrize(
    ("factory", "given"),
    [
        ("small", r"gives int64 of shape \(19, 20\) for .*2\.png, expected .* of shape \(20, 20\)"),
        ("floats", r"gives float64 of shape \(20, 20\) for .*2\.png, expected whole numbers"),
        ("beyond", r"gives 6 for .*2\.png .*expected 0 for unlabelled, or .*1 red \(predicted\)"),
        ("negative", r"gives -2 for .*2\.png"),
        ("unsigned", r"gives 18446744073709551615 for .*2\.png"),
        ("mapping", r"gives an object of type dict for"),
        ("nothing", r"gives nothing for"),
        ("leaving", r"failed on .*2\.png with SystemExit: 3"),
        ("short", r"2\.png: its module gives \(1, 4, 20, 20\), expected scores of shape \(1, 2, h, w\)"),
        ("infinite", r"scores that are NaN or infinite"),
        ("unfinished", r"reaches a module in training mode \(Scores\).*eval\(\)"),
        ("hidden", r"reaches a module in training mode \(Scores\)"),
        ("without_labels", r"returned an object of type function, expected a callable with `labels`"),
        ("raising", r"failed with RuntimeError: no weights here\. Expected a .* returns a segmenter"),
        ("colours@x.pt", r"named with a weights file, but returns Colours"),
        ("scores@nowhere.pt", r"nowhere\.pt does not exist"),
    ],
)  # fmt: skip
def test_what_is_no_answer(photographs: Path, factory: str, given: str) -> None:
    with pytest.raises(UserError, match=given) as caught:
        asked(photographs, factory)
    assert "\n" not in str(caught.value)
    assert not (photographs / "out").exists()


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["dog", "cat"], {1: "dog", 2: "cat"}),
        (["__background__", "dog", "void", "cat"], {1: "dog", 3: "cat"}),
        ({7: "dog (Predicted)", np.int64(2): "cat"}, {2: "cat (predicted)", 7: "dog (Predicted)"}),
    ],
)
def test_labels(labels: object, told: dict[int, str]) -> None:
    found = predicted_labels(labels, "They")
    assert {one.number: one.name for one in found.labels} == {n: predicted(name) for n, name in told.items()}
    given = [number for number in range(1, 9) if found.table[number] > 0]
    assert given == sorted(told)
    assert (found.table[0], found.table[-1]) == (0, 0)


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        ({0: "wall"}, r"name 0 'wall', but 0 stands for unlabelled"),
        ({"1": "wall"}, r"number '1', expected whole ones"),
        ({True: "wall"}, r"number True, expected whole ones"),
        ({70000: "wall"}, r"number 70000"),
        ([3], r"hold 3, expected a name"),
        (["void"], r"name nothing"),
        ("dog", r"of type str, expected a list of names"),
        ([("dog", "a;b")], r"category 'a;b'"),
    ],
)
def test_labels_that_are_none(labels: object, match: str) -> None:
    with pytest.raises(DatasetError, match=match):
        predicted_labels(labels, "They")


def test_marks() -> None:
    assert predicted(predicted(" dog")) == "dog (predicted)"
    assert unmarked("dog (Predicted) ") == "dog"
    assert unmarked("(predicted)") == "(predicted)"
    assert [is_predicted(name) for name in ("dog", "dog (predicted)", "dog (predicted) (3)")] == [
        False, True, True,
    ]  # fmt: skip


def test_it_goes_on_to_the_same_bytes(photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(photographs, into="whole")
    monkeypatch.setattr(runner, "_AHEAD", 1)
    stopped(photographs)
    asked(photographs)
    assert files_of(photographs / "out") == files_of(photographs / "whole")
    assert asked(photographs).again
    told = json.loads((photographs / "out/import.json").read_text())["segmenter"]
    assert told["factory"] == f"{HERE}:colours"
    assert HERE in told["code"]
    assert {"torch", "numpy"} <= set(told["versions"])


@pytest.mark.parametrize("unfinished", [True, False])
def test_another_one_does_not_go_on(
    photographs: Path, monkeypatch: pytest.MonkeyPatch, unfinished: bool
) -> None:
    """Neither with other settings or weights, nor with another factory, nor with what nobody has listed."""
    monkeypatch.setattr(runner, "_AHEAD", 1)
    stopped(photographs) if unfinished else asked(photographs)
    before = files_of(photographs / "out")
    with monkeypatch.context() as changed:
        changed.setenv(LEVEL, "30")
        with pytest.raises(DatasetError, match=r"other values of its segmenter \(made\)"):
            asked(photographs)
    with pytest.raises(DatasetError, match=r"something else.* other options"):
        asked(photographs, "alone")
    with monkeypatch.context() as changed:
        # As one that another machine answers for, or that reads a file at each call.
        changed.setattr(segmenting.np, "where", lambda *_: np.ones((20, 20), np.int64))
        with pytest.raises(DatasetError, match=r"other values of its segmenter .*answers"):
            asked(photographs)
    assert files_of(photographs / "out") == before
    assert asked(photographs).again is not unfinished


def test_other_weights_do_not_go_on(photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even those that answer the same."""
    asked(photographs, "on_pictures")
    monkeypatch.setenv(LEVEL, "124")
    with pytest.raises(DatasetError, match=r"other values of its segmenter \(made\)"):
        asked(photographs, "on_pictures")


def test_other_code_does_not_go_on(photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = f"from {HERE} import Colours\ndef mine():\n    return Colours()\n"
    (photographs / "mine_of_18.py").write_text(code)
    monkeypatch.syspath_prepend(str(photographs))
    importer = PictureFolder(str(photographs / "in"), "mine_of_18:mine")
    imported(importer, photographs / "out")
    (photographs / "mine_of_18.py").write_text(code + "# another line\n")
    del sys.modules["mine_of_18"]
    with pytest.raises(DatasetError, match=r"other values of its segmenter .*code"):
        imported(importer, photographs / "out")


def test_one_that_fails_midway_goes_on_later(photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(photographs, "failing", "whole")
    monkeypatch.setattr(runner, "_AHEAD", 1)
    fails = list((photographs / "in").rglob("*.png"))
    last = max(fails)  # red/3.png, behind the three that it is known by
    monkeypatch.setenv(FAILS, str(int(np.asarray(Image.open(last))[0, 0, 2])))
    with pytest.raises(
        DatasetError, match=r"failed on .*3\.png with TimeoutError: nobody answers\."
    ) as caught:
        asked(photographs, "failing")
    assert "the same command goes on" in str(caught.value)
    assert not (photographs / "out/index.csv").exists()
    assert len(list((photographs / "out/images/masks").rglob("*.png"))) == 3
    monkeypatch.delenv(FAILS)
    asked(photographs, "failing")
    assert files_of(photographs / "out") == files_of(photographs / "whole")


def test_the_example_of_the_documents(photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/importing.md").read_text()
    (code,) = [one for one in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "class Skies" in one]
    (photographs / "skies_of_18.py").write_text(code)
    monkeypatch.syspath_prepend(str(photographs))
    imported(PictureFolder(str(photographs / "in"), "skies_of_18:skies"), photographs / "out")
    told = read(photographs / "out")
    assert told.names == {1: "sky (predicted)", 2: "grass (predicted)"}
    assert set(told.of("blue/2.png")) == {"object"}
    assert set(told.of("green/1.png")) == {"material"}


def test_imports_from_before_there_were_segmenters_are_known(photographs: Path) -> None:
    importer = PictureFolder(str(photographs / "in"))
    assert importer.to_json() == {"source": str(photographs / "in")}
    imported(importer, photographs / "out")
    assert "segmenter" not in json.loads((photographs / "out/import.json").read_text())
    assert imported(importer, photographs / "out").again
    assert not open_dataset(photographs / "out").annotated
