"""classes.csv: which class each image belongs to, and which images rank and which test."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from interpret_core import demo
from interpret_core.datasets import known, open_dataset, read_classes
from interpret_core.errors import DatasetError, ParameterError
from tests.planted_classes import PICTURES, Picture, write_classes, write_pictures


def test_names_classes_and_splits(tmp_path: Path) -> None:
    found = read_classes(open_dataset(write_pictures(tmp_path / "set")))
    assert found.names == ("blue", "green", "red", "white")
    assert [found.names[at] if at >= 0 else "" for at in found.of_image] == [one.name for one in PICTURES]
    assert found.of_image.dtype == np.int64
    assert found.split.tolist() == [one.split for one in PICTURES]
    assert found.images("val").tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert found.images("train").tolist() == [10, 11, 12]
    assert found.images("all").tolist() == [*range(9), 10, 11, 12]
    with pytest.raises(ParameterError, match="Unknown split 'test'"):
        found.images("test")


def halves(root: Path) -> dict[str, str]:
    dataset = open_dataset(root)
    return {
        record.image: str(split)
        for record, split in zip(dataset.records, read_classes(dataset).split, strict=True)
    }


def test_without_a_split_each_class_is_halved_by_the_digest_of_the_name(tmp_path: Path) -> None:
    pictures = [Picture("red", "red", "")] * 7 + [Picture("blue", "blue", "")] * 4 + [Picture("red", "", "")]
    found = halves(write_pictures(tmp_path / "set", pictures))
    for images, ranking in ((range(7), 4), (range(7, 11), 2)):
        names = sorted((f"{i}.png" for i in images), key=lambda n: hashlib.sha256(n.encode()).hexdigest())
        assert [found[name] for name in names] == ["train"] * ranking + ["val"] * (len(names) - ranking)
    assert found["11.png"] == ""  # it has no class


def test_words_of_the_index_are_kept_and_only_the_silent_are_divided(tmp_path: Path) -> None:
    pictures = [Picture("red", "red", "Val")] * 3 + [Picture("red", "red", "")] * 2
    found = halves(write_pictures(tmp_path / "set", [*pictures, Picture("red", "red", "test")]))
    assert [found[f"{i}.png"] for i in range(3)] == ["val"] * 3
    assert {found["3.png"], found["4.png"]} == {"train", "val"}
    assert found["5.png"] == "test"


def test_rows_may_stand_in_any_order_and_an_image_may_be_listed_often_in_the_index(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "set", [Picture("red", "red", "")] * 3 + [Picture("blue", "blue", "")])
    before = halves(root)
    index = (root / "index.csv").read_text().splitlines()
    (root / "index.csv").write_text("\n".join([index[0], *reversed(index[1:]), index[1]]) + "\n")
    dataset = open_dataset(root)
    found = read_classes(dataset)
    assert halves(root) == before
    assert [record.image for record in dataset.records] == ["3.png", "2.png", "1.png", "0.png", "0.png"]
    assert [found.names[at] for at in found.of_image] == ["blue", "red", "red", "red", "red"]
    assert found.split[3] == found.split[4]


def test_other_columns_and_spaces_do_not_matter(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "set")
    write_classes(root, [("sunny", " red ", " 0.png ")], ("note", "class", "image"))
    found = read_classes(open_dataset(root))
    assert found.names == ("red",)
    assert found.images("all").tolist() == [0]


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        ([("0.png", "red"), ("x.png", "red")], ("image", "class"),
         "line 3: image 'x.png' is not in index.csv"),
        ([("0.png", "red"), ("0.png", "blue")], ("image", "class"),
         "line 3: 0.png is 'blue' here and 'red' on line 2, expected once"),
        ([("0.png", "red"), ("1.png", "red"), ("0.png", "red")], ("image", "class"),
         "line 4: 0.png is listed again on line 2, expected once"),
        ([("0.png", " ")], ("image", "class"), "line 2: 0.png has no class"),
        ([("", "red")], ("image", "class"), "line 2: image '' is not in index.csv"),
        ([("0.png", "park bench"), ("1.png", "Park_bench")], ("image", "class"),
         "line 3: class 'Park_bench' is spelled 'park bench' on line 2"),
        ([("0.png", "café"), ("1.png", "cafe\u0301")], ("image", "class"),
         r"line 3: class 'cafe\\u0301' is spelled 'caf\\xe9' on line 2"),
        ([("0.png", "red"), ("1.png", "red\u200b")], ("image", "class"),
         r"line 3: class 'red\\u200b' is spelled 'red' on line 2"),
        ([("0.png", "red")], ("file", "class"), "has the columns file, class, expected also image"),
        ([("0.png", "red")], ("image", "label"), "expected also class"),
        ([("0.png", "red", "x")], ("image", "class"), "line 2 has 3 cells, expected 2"),
        ([], ("image", "class"), "lists no image"),
    ],
)  # fmt: skip
def test_bad_tables_are_one_clear_line(tmp_path: Path, rows, header, message: str) -> None:
    root = write_pictures(tmp_path / "set")
    write_classes(root, rows, header)
    with pytest.raises(DatasetError, match=message) as caught:
        read_classes(open_dataset(root))
    assert "\n" not in str(caught.value)
    assert str(root / "classes.csv") in str(caught.value)


def test_no_table(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "set")
    (root / "classes.csv").unlink()
    with pytest.raises(DatasetError, match=r"Data set set has no classes: expected .*classes.csv") as caught:
        read_classes(open_dataset(root))
    assert "\n" not in str(caught.value)


def test_the_table_is_part_of_the_digest(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "set")
    before = open_dataset(root).digest
    write_classes(root, [("0.png", "red")])
    assert open_dataset(root).digest != before


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTERPRET_DEMO")


def test_the_demo_is_known(shown: None) -> None:
    assert known() == {"demo": demo.DATASET}
    dataset = open_dataset("demo", registered_only=True)
    found = read_classes(dataset)
    assert len(found.names) == 10
    with (demo.DATASET / "classes.csv").open(newline="") as file:
        listed = {row["image"]: row["class"] for row in csv.DictReader(file)}
    assert [found.names[at] for at in found.of_image] == [listed[one.image] for one in dataset.records]
    for split in ("train", "val"):
        assert set(Counter(found.of_image[found.images(split)].tolist()).values()) == {24}


def test_a_configured_demo_wins(shown: None, tmp_path: Path) -> None:
    (tmp_path / "unitscope.toml").write_text('[datasets]\nmine = "mine"\ndemo = "other"\n')
    assert list(known().items()) == [("mine", tmp_path / "mine"), ("demo", tmp_path / "other")]
    (tmp_path / "unitscope.toml").write_text('[datasets]\nmine = "mine"\n')
    assert list(known()) == ["mine", "demo"]


def test_the_demo_can_be_hidden() -> None:
    assert known() == {}
    with pytest.raises(DatasetError, match="Unknown data set 'demo'"):
        open_dataset("demo", registered_only=True)
