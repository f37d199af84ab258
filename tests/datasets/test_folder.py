"""A plain folder of photographs with classes.csv."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core.datasets import ConceptTable, Loader, known, open_dataset, read_classes, survey
from interpret_core.errors import DamagedFileError, DatasetError
from tests.planted_classes import write_classes


def write(root: Path, names: list[str], sizes: tuple[int, ...] = (8, 12)) -> Path:
    """Grey pictures of different sizes; the folder."""
    for number, name in enumerate(names):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (sizes[number % len(sizes)], 6), (number, 0, 0)).save(file)
    return root


def test_pictures_anywhere_below_the_folder(tmp_path: Path) -> None:
    root = write(tmp_path / "set", ["b.png", "deep/er/a.JPG", "deep/c.jpeg", ".hidden/d.png", ".e.png"])
    (root / "notes.txt").write_text("no picture")
    write_classes(root, [("deep/er/a.JPG", "cat"), ("b.png", "dog")])
    dataset = open_dataset(root)
    assert [record.image for record in dataset.records] == ["b.png", "deep/c.jpeg", "deep/er/a.JPG"]
    assert dataset.name == "set"
    assert dataset.annotation_size == (112, 112)
    assert not dataset.annotated
    assert dataset.images == root
    assert dataset.read_image(0).shape == (6, 8, 3)
    assert dataset.read_image(1).shape == (6, 8, 3)
    found = read_classes(dataset)
    assert [found.names[at] if at >= 0 else "" for at in found.of_image] == ["dog", "", "cat"]


def test_a_folder_of_images_holds_them_all(tmp_path: Path) -> None:
    root = write(tmp_path / "set", ["images/a.png", "images/more/b.png", "cover.png"])
    write_classes(root, [("a.png", "cat"), ("more/b.png", "cat")])
    dataset = open_dataset(root)
    assert [record.image for record in dataset.records] == ["a.png", "more/b.png"]
    assert read_classes(dataset).images("all").tolist() == [0, 1]
    assert set(dataset.files()) == {"images/a.png", "images/more/b.png"}


def test_links_to_pictures_are_pictures(tmp_path: Path) -> None:
    source = write(tmp_path / "source", ["a.png"])
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "b.png").symlink_to(source / "a.png")
    write_classes(tmp_path / "set", [("b.png", "cat")])
    assert open_dataset(tmp_path / "set").read_image(0).shape == (6, 8, 3)


def test_it_has_no_concept_and_can_be_surveyed(tmp_path: Path) -> None:
    root = write(tmp_path / "set", ["a.png", "b.png"], sizes=(112,))
    write_classes(root, [("a.png", "cat")])
    dataset = open_dataset(root)
    table = dataset.concepts()
    assert table == ConceptTable((), ())
    found = survey(dataset, table)
    assert found.valid.all()
    assert found.presence_offsets.tolist() == [0]
    assert int(found.shade_pixels.sum()) == 2 * 112 * 112
    assert dataset.read_annotation(0, table).shape == (0, 112, 112)
    with pytest.raises(DatasetError, match="Unknown category 'scene'"):
        dataset.concepts(["scene"])


def test_a_damaged_picture_is_black(tmp_path: Path) -> None:
    root = write(tmp_path / "set", ["a.png", "b.png"])
    write_classes(root, [("a.png", "cat")])
    (root / "a.png").write_bytes(b"no picture")
    dataset = open_dataset(root)
    with pytest.raises(DamagedFileError, match=r"a\.png cannot be decoded"):
        dataset.read_image(0)
    (batch,) = Loader(dataset).batches([[0, 1]])
    assert batch.valid.tolist() == [False, True]
    assert batch.problems[0].startswith("image a.png cannot be decoded")
    assert batch.problems[1] == ""
    assert not np.any(batch.images[0])


def test_the_digest_holds_pictures_and_classes(tmp_path: Path) -> None:
    root = write(tmp_path / "set", ["a.png", "b.png"])
    write_classes(root, [("a.png", "cat")])
    before = open_dataset(root).digest
    assert open_dataset(root).digest == before
    write_classes(root, [("a.png", "dog")])
    listed = open_dataset(root).digest
    write(root, ["c.png"])
    assert len({before, listed, open_dataset(root).digest}) == 3


@pytest.mark.parametrize(
    ("names", "rows", "words"),
    [
        ([], [("a.png", "cat")], ["holds no picture", ".jpg"]),
        (["a.png"], [("b.png", "cat")], ["classes.csv line 2", "'b.png' is not in"]),
        (["a.png"], [("a.png", "")], ["line 2", "no class"]),
    ],
)
def test_mistakes(tmp_path: Path, names: list[str], rows: list[tuple[str, str]], words: list[str]) -> None:
    root = write(tmp_path / "set", names)
    root.mkdir(exist_ok=True)
    write_classes(root, rows)
    with pytest.raises(DatasetError) as caught:
        read_classes(open_dataset(root))
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), caught.value


def test_pictures_alone_are_a_data_set(tmp_path: Path) -> None:
    root = write(tmp_path / "set", ["b/a.png", "c.png"])
    dataset = open_dataset(root)
    assert [record.image for record in dataset.records] == ["b/a.png", "c.png"]
    assert not dataset.annotated
    assert dataset.classes_table is None
    before = dataset.digest
    write_classes(root, [("c.png", "cat")])
    assert open_dataset(root).digest != before
    with pytest.raises(DatasetError, match=r"has no classes: expected .*classes\.csv"):
        read_classes(dataset)


def test_labels_without_their_index_are_no_folder_of_pictures(tmp_path: Path) -> None:
    root = write(tmp_path / "set", ["images/a.png"])
    (root / "label.csv").write_text("number,name,category\n1,cat,object\n")
    with pytest.raises(DatasetError, match=r"neither index\.csv .* nor classes\.csv .*expected one of them"):
        open_dataset(root)


def test_a_folder_of_data_sets_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their pictures together, masks among them, would be read as photographs of one."""
    shelf = tmp_path / "sets"
    for name in ("birds", "cars"):
        write(shelf / name, ["1.png"])
        write_classes(shelf / name, [("1.png", "owl")])
    with pytest.raises(DatasetError, match=r"holds data sets in its folders \(birds and others\)"):
        open_dataset(shelf)
    monkeypatch.setenv("INTERPRET_DATASETS", str(shelf))
    assert "sets" not in known()
    monkeypatch.setenv("INTERPRET_DATASETS", str(shelf / "birds"))
    assert known()["birds"] == shelf / "birds"


def test_neither_layout(tmp_path: Path) -> None:
    root = tmp_path / "set"
    (root / "deep/er").mkdir(parents=True)
    (root / "deep/er/notes.txt").write_text("no picture")
    with pytest.raises(DatasetError, match=r"neither index\.csv .* nor classes\.csv .*expected one of them"):
        open_dataset(root)


def test_an_index_comes_first(tmp_path: Path) -> None:
    root = write(tmp_path / "set", ["a.png"])
    write_classes(root, [("a.png", "cat")])
    (root / "index.csv").write_text("image,ih,iw,sh,sw,object\n")
    with pytest.raises(DatasetError, match=r"label\.csv is missing"):
        open_dataset(root)
