"""Labels that a segmenter predicts: marked everywhere, of a key of their own; what is no segmenter."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from interpret_core.cli.app import main
from interpret_core.datasets import open_dataset
from interpret_core.runtime.predicted_labels import predicted
from tests.analyses.test_image_labels import picture

COLOURS = "tests.analyses.networks:colours"
HERE = "tests.cli.test_segmenter"
STRONGEST = 125  # of what is not a square


class Squares:
    """Labels the squares by colour; 9 has no name."""

    names: object = ("red square", "green square", "blue square")

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.int64]:
        strong = image.max(2) > STRONGEST
        return np.where(strong, 1 + image.argmax(2), 9)


def squares() -> Squares:
    return Squares()


class Wrong(Squares):
    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.int64]:
        return image  # type: ignore[return-value]


def wrong() -> Squares:
    return Wrong()


def failing() -> Squares:
    raise RuntimeError("no weights here")


def nameless() -> Squares:
    made = Squares()
    made.names = {0: "nothing"}
    return made


@pytest.fixture
def photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "photographs"
    root.mkdir()
    for number in range(12):
        picture(("red", "green", "blue")[number % 3], number, 224).save(root / f"{number:02d}.png")
    (root / "broken.png").write_bytes(b"no picture")
    return root


def test_predicted_labels_are_marked(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "p.csv"
    asked = ["--network", COLOURS, "--dataset", str(photographs), "--segmenter", f"{HERE}:squares"]
    more = ["--min-images", "1", "--permutations", "0", "--quantile", "0.0005", "--out", str(out)]
    assert main(["profile", *asked, *more]) == 0
    screen = capsys.readouterr().out
    assert "photographs (labels predicted by tests.cli.test_segmenter:squares)" in " ".join(screen.split())
    assert "1 skipped as damaged" in screen
    rows = [row for row in csv.DictReader(out.read_text().splitlines()) if row["rank"] == "1"]
    best = {row["unit"]: row["concept"] for row in rows if row["scope"] == "overall"}
    assert best == {str(at): f"{name} square (predicted)" for at, name in enumerate(("red", "green", "blue"))}
    assert sorted(path.name for path in photographs.iterdir())[-1] == "broken.png"


def test_masks_are_what_it_gave(photographs: Path, tmp_path: Path) -> None:
    def never() -> bool:
        return False

    told: list[int] = []
    asked = (str(photographs), f"{HERE}:squares", tmp_path / "cache", lambda _s, done, _n: told.append(done))
    folder = predicted(*asked, never)
    assert told == list(range(13))
    dataset = open_dataset(folder)
    table = dataset.concepts(("object",))
    for index in range(12):
        given = squares()(dataset.read_image(index))[1::2, 1::2]
        expected = np.where(given == 9, 0, given)
        assert np.array_equal(dataset.read_annotation(index, table)[0], expected)
    assert predicted(*asked, never) == folder
    assert len(told) == 13, "made once"


def test_another_segmenter_of_the_same_name_has_another_folder(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (str(photographs), f"{HERE}:squares", tmp_path / "cache", lambda *_: None, lambda: False)
    before = predicted(*asked)
    monkeypatch.setattr(f"{HERE}.STRONGEST", 200)  # as other weights would
    assert predicted(*asked) != before


def test_no_photograph_is_written_to(photographs: Path, tmp_path: Path) -> None:
    (photographs / "predicted").mkdir()
    for number in range(2):
        (photographs / f"{number:02d}.png").rename(photographs / f"predicted/{number:06d}.png")
    before = {path: path.read_bytes() for path in photographs.rglob("*.png")}
    folder = predicted(
        str(photographs), f"{HERE}:squares", tmp_path / "cache", lambda *_: None, lambda: False
    )
    assert (folder / "images/predicted_").is_dir()
    assert {path: path.read_bytes() for path in photographs.rglob("*.png")} == before


@pytest.mark.parametrize(
    ("segmenter", "message"),
    [
        ("squares", "expected package.module:factory"),
        ("nowhere.at.all:squares", "fails with ModuleNotFoundError"),
        (f"{HERE}:failing", "fails with RuntimeError: no weights here"),
        (f"{HERE}:nameless", "a name for each label"),
        (f"{HERE}:wrong", "gives uint8 of shape (224, 224, 3)"),
    ],
)
def test_what_is_no_segmenter_is_told_in_a_line(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], segmenter: str, message: str
) -> None:
    assert main(["survey", "--dataset", str(photographs), "--segmenter", segmenter]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not list((tmp_path / "cache").glob("predicted/*/*"))
