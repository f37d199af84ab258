"""Names in tables and on the disk: letters composed in two ways, links to folders, likely meanings."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from interpret_core.datasets import open_dataset, read_classes, survey
from interpret_core.datasets.excerpts import excerpt
from interpret_core.errors import DatasetError
from tests.planted_classes import write_classes, write_photos
from tests.planted_dataset import make_planted

CAFE = "café"


def other(name: str) -> str:
    return unicodedata.normalize("NFD", name)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of pictures whose names are decomposed, and a table that composes them."""
    root = write_photos(tmp_path / "p", {f"{CAFE}/1.png": "red", f"{CAFE} ü.png": "red", "2.png": "blue"})
    for name in ("café ü.png", "café"):
        (root / name).rename(root / other(name))
    return root


def test_a_table_that_composes_letters_otherwise(photos: Path) -> None:
    dataset = open_dataset(photos)
    classes = read_classes(dataset)
    assert (classes.of_image >= 0).all()
    with excerpt(dataset, [0, 1, 2]) as name:
        assert (read_classes(open_dataset(name)).of_image >= 0).all()


def test_an_excerpt_has_the_row_of_its_own_picture(tmp_path: Path) -> None:
    """Two pictures of the same letters are two, also where only one of them is looked at."""
    root = write_photos(tmp_path / "p", {f"{CAFE}.png": "red", f"{other(CAFE)}.png": "blue", "2.png": "blue"})
    dataset = open_dataset(root)
    whole = read_classes(dataset)
    for index in range(3):
        with excerpt(dataset, [index]) as name:
            found = read_classes(open_dataset(name))
            assert [found.names[at] for at in found.of_image] == [whole.names[whole.of_image[index]]]


def test_two_files_of_the_same_letters(tmp_path: Path) -> None:
    root = write_photos(tmp_path / "p", {"é.png": "red", other("é.png"): "blue"})
    found = read_classes(open_dataset(root))
    assert [found.names[at] for at in found.of_image] == ["blue", "red"], "each is there by its own name"


def test_a_name_that_may_be_two_files(tmp_path: Path) -> None:
    """ẹ̇ has two marks, so it can be written in three ways; the table's is the third."""
    forms = ["e\u0323\u0307.png", "\u1eb9\u0307.png", "\u0117\u0323.png"]
    root = write_photos(tmp_path / "p", {forms[0]: "red", forms[1]: "blue"})
    write_classes(root, [(forms[2], "red")])
    with pytest.raises(
        DatasetError, match=r"line 2: image '.u0117.u0323\.png' may be any of 'e.u0323"
    ) as told:
        read_classes(open_dataset(root))
    assert "\n" not in str(told.value)


def test_index_and_masks(tmp_path: Path) -> None:
    root = make_planted(tmp_path / "set", images=4, size=32, annotation=16).root
    names = sorted((root / "images" / "planted").iterdir())
    text = (root / "index.csv").read_text("utf-8").replace("planted/0", f"{CAFE}/é0")
    (root / "index.csv").write_text(text, "utf-8")
    for path in names:
        path.rename(path.with_name(other(f"é{path.name}")))
    (root / "images" / "planted").rename(root / "images" / other(CAFE))
    dataset = open_dataset(root)
    assert survey(dataset, dataset.concepts()).valid.all()
    assert dataset.digest == open_dataset(root).digest


@pytest.mark.parametrize(
    ("written", "meant"),
    [("RED\\A.PNG", "red/a.png"), ("./red/a.png", "red/a.png"), ("images/red/a.png", "red/a.png"),
     ("red/a.jpg", "red/a.png"), ("a.png", "red/a.png")],
)  # fmt: skip
def test_what_may_have_been_meant(tmp_path: Path, written: str, meant: str) -> None:
    root = write_photos(tmp_path / "p", {"red/a.png": "red", "b.png": "blue"})
    write_classes(root, [(written, "red")])
    with pytest.raises(DatasetError, match=rf"is not in .*\(did you mean '{meant}'\?\): correct the row\."):
        read_classes(open_dataset(root))


def test_links_to_folders(tmp_path: Path) -> None:
    elsewhere = write_photos(tmp_path / "elsewhere", {"deep/1.png": "red", "2.png": "red"})
    root = write_photos(tmp_path / "p", {"3.png": "blue"})
    (root / "red").symlink_to(elsewhere)
    (elsewhere / "deep" / "back").symlink_to(root)
    (root / "self").symlink_to(root)
    (root / "circle").symlink_to("circle")
    (root / "nowhere").symlink_to(tmp_path / "gone")
    write_classes(root, [("3.png", "blue"), ("red/2.png", "red"), ("red/deep/1.png", "red")])
    dataset = open_dataset(root)
    assert [record.image for record in dataset.records] == ["3.png", "red/2.png", "red/deep/1.png"]
    assert survey(dataset, dataset.concepts()).valid.all()


def test_a_maze_of_links(tmp_path: Path) -> None:
    root = write_photos(tmp_path / "p", {"1.png": "red"})
    for number in range(8):
        (tmp_path / str(number)).mkdir()
    for number in range(8):
        for target in range(8):
            (tmp_path / str(number) / f"to {target}").symlink_to(tmp_path / str(target))
    (root / "into").symlink_to(tmp_path / "0")
    with pytest.raises(DatasetError, match=r"is a link to a folder behind 4 others, expected at most 4"):
        open_dataset(root)


@pytest.mark.parametrize("name", [" a.png", " folder /a.png", "a .png"])
def test_spaces_of_a_name_are_its_own(tmp_path: Path, name: str) -> None:
    root = write_photos(tmp_path / "p", {name: "red", "b.png": "red"})
    write_classes(root, [(name, "red")])
    assert sorted(read_classes(open_dataset(root)).of_image.tolist()) == [-1, 0]
    write_classes(root, [(f" {name.strip()}x ", "red")])
    with pytest.raises(DatasetError, match="is not in"):
        read_classes(open_dataset(root))
    planted = make_planted(tmp_path / "set", images=4, size=32, annotation=16).root
    (planted / "images/planted/00001.png").rename(planted / "images" / name.replace("/", "-"))
    table = (planted / "index.csv").read_text().replace("planted/00001.png", name.replace("/", "-"))
    (planted / "index.csv").write_text(table)
    dataset = open_dataset(planted)
    assert survey(dataset, dataset.concepts()).problems == ()


@pytest.mark.parametrize(
    ("file", "row", "words"),
    [
        (b"caf\xe9.png", "caf\u00e9.png", "in another encoding than UTF-8: rename it"),
        (b"caf\xe9.png", "CAF\u00c9", "in another encoding than UTF-8: rename it"),
        (b".a.png", ".a.png", "names that begin with a dot are passed over"),
        (b".thumbs/a.png", ".thumbs/a.png", "names that begin with a dot are passed over"),
        (b"A.PNG", "a.png", "did you mean 'A.PNG'?"),
    ],
)
def test_a_row_about_no_image_says_why(tmp_path: Path, file: bytes, row: str, words: str) -> None:
    root = write_photos(tmp_path / "p", {"b.png": "red"})
    there = os.fsencode(root) + b"/" + file
    Path(os.fsdecode(there)).parent.mkdir(exist_ok=True)
    os.link(root / "b.png", there)
    write_classes(root, [(row, "red")])
    with pytest.raises(DatasetError) as told:
        read_classes(open_dataset(root))
    assert words in str(told.value)
