"""Labels of whole images: columns, folders, image-wide categories, and what they must not be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core.classes.image_labels import ImageLabels, image_labels
from interpret_core.datasets import open_dataset
from interpret_core.errors import DatasetError, ParameterError
from tests.planted_classes import write_classes
from tests.planted_dataset import write_tables


def folder(root: Path, names: list[str], rows: list[list[str]], header: list[str]) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(root / name)
    write_classes(root, rows, header)
    return root


def borne(labels: ImageLabels) -> dict[str, list[int]]:
    return {
        name: np.flatnonzero(labels.shows.todense()[:, at]).tolist() for at, name in enumerate(labels.names)
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    names = ["a/1.png", "a/2.png", "b/c/3.png", "b/4.png"]
    rows = [
        ["a/1.png", "cat", "rain; night", "x"],
        ["a/2.png", "dog", "", "x"],
        ["b/4.png", "cat", "rain", ""],
    ]
    return folder(tmp_path / "set", names, rows, ["image", "class", "weather", "group"])


def test_columns_folders_and_groups(root: Path) -> None:
    labels = image_labels(open_dataset(root))
    assert labels.columns == ("class", "weather", "folder")
    assert borne(labels) == {  # in the data set's order: a/1, a/2, b/4, b/c/3
        "cat": [0, 2],
        "dog": [1],
        "weather: night": [0],
        "weather: rain": [0, 2],
        "folder: a": [0, 1],
        "folder: b": [2, 3],
        "folder: b/c": [3],
    }
    assert labels.known.T.tolist() == [
        [True, True, True, False],
        [True, False, True, False],
        [True] * 4,
    ]
    assert labels.group[0] == labels.group[1]
    assert len(set(labels.group.tolist())) == 3


def test_a_label_of_all_images_tells_nothing(tmp_path: Path) -> None:
    rows = [["a/1.png", "cat"], ["a/2.png", "dog"]]
    root = folder(tmp_path, ["a/1.png", "a/2.png"], rows, ["image", "class"])
    assert image_labels(open_dataset(root)).telling == ("class",)


def test_a_column_alone_has_bare_names(root: Path) -> None:
    assert image_labels(open_dataset(root), ["weather"]).names == ("night", "rain")
    assert image_labels(open_dataset(root), ["folder"]).names == ("a", "b", "b/c")


def test_rare_labels_take_no_room(root: Path) -> None:
    labels = image_labels(open_dataset(root), fewest=2)
    assert labels.names == ("cat", "weather: rain", "folder: a", "folder: b")
    assert labels.rare == (("dog", 1), ("weather: night", 1), ("folder: b/c", 1))


def test_folders_that_repeat_the_classes_are_no_second_label(tmp_path: Path) -> None:
    names = ["cat/1.png", "dog/2.png"]
    root = folder(tmp_path, names, [["cat/1.png", "cat"], ["dog/2.png", "dog"]], ["image", "class"])
    assert image_labels(open_dataset(root)).names == ("cat", "dog")


def test_annotations_of_whole_images(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = []
    for index, (scene, object_) in enumerate([("1", "3"), ("2;1", "3_mask.png"), ("", "3")]):
        sizes = dict.fromkeys(("ih", "iw", "sh", "sw"), 8)
        rows.append({"image": f"{index}.png", "split": "", **sizes, "scene": scene, "object": object_})
    labels = [(1, "street-s", ("scene",)), (2, "kitchen-s", ("scene",)), (3, "cat", ("object",))]
    write_tables(tmp_path, rows, labels)
    found = image_labels(open_dataset(tmp_path))
    assert found.columns == ("scene",)  # an object has a mask somewhere
    assert borne(found) == {"kitchen": [1], "street": [0, 1]}
    assert found.known[:, 0].tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["9.png", "cat", ""]], r"line 2: image '9\.png' is not in data set"),
        ([["1.png", "cat", ""], ["1.png", "dog", ""]], r"line 3: 1\.png is listed again on line 2"),
        ([["1.png", "cat", ""], ["2.png", "Cat", ""]], r"line 3: class 'Cat' is spelled 'cat' on line 2"),
        ([["1.png", "", "Rain"], ["2.png", "", "rain"]], r"weather 'rain' is spelled 'Rain' on line 2"),
        ([["1.png", "", ""]], r"no label of whole images, expected classes\.csv"),
    ],
)
def test_mistakes(tmp_path: Path, rows: list[list[str]], message: str) -> None:
    root = folder(tmp_path, ["1.png", "2.png"], rows, ["image", "class", "weather"])
    with pytest.raises(DatasetError, match=message):
        image_labels(open_dataset(root))


def test_a_spelling_matters_where_it_is_asked_for(tmp_path: Path) -> None:
    rows = [["1.png", "cat", "Rain"], ["2.png", "dog", "rain"]]
    root = folder(tmp_path, ["1.png", "2.png"], rows, ["image", "class", "weather"])
    assert image_labels(open_dataset(root), ["class"]).names == ("cat", "dog")


def test_an_unknown_column(root: Path) -> None:
    with pytest.raises(ParameterError, match=r"Unknown column of labels 'wether'.*weather"):
        image_labels(open_dataset(root), ["wether"])


def test_numbers_that_no_label_stands_for_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    lines = ["image,ih,iw,sh,sw,scene,year"]
    for at in range(3):
        Image.new("RGB", (8, 8)).save(tmp_path / "images" / f"{at}.png")
        lines.append(f"{at}.png,8,8,4,4,{1 + at % 2},2012")
    (tmp_path / "index.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "label.csv").write_text("number,name,category\n1,street,scene\n2,beach,scene\n")
    labels = image_labels(open_dataset(tmp_path))
    assert labels.columns == ("scene",)
    assert borne(labels) == {"street": [0, 2], "beach": [1]}
