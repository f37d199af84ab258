"""Folders as people have them: which become a data set, how, and which a command imports."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core.datasets import open_dataset, read_classes
from interpret_core.errors import DatasetError
from interpret_core.importers.arrangement import (
    Arranged,
    MasksBesideError,
    Wish,
    arranged,
    data_folders,
    pictures_root,
)


def put(root: Path, *names: str) -> Path:
    """Pictures, tables and other files of these names below a folder."""
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith((".png", ".jpg")):
            Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(path)
        else:
            path.write_text("image,class\n" if name.endswith("classes.csv") else "")
    return root


def arrange(source: Path, *, classed: bool = True) -> Arranged:
    return arranged(source, source.parent / "into", Wish(classed, copy=True), lambda *_: None)


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (("owl/1.png", "wren/2.png"), ("owl", "wren")),
        (("train/owl/1.png", "val/wren/2.png"), ("owl", "wren")),
        (("images/owl/1.png", "images/wren/2.png"), ("owl", "wren")),
        (("owl/deep/1.png", "wren/2.png", "alone.png"), ("owl", "wren")),
        (("owl/1.png",), ("owl",)),
        (("train/owl/1.png", "val/wren/2.png", "banner.png"), ("owl", "wren")),
        (("train/1.png", "owl/2.png"), ("owl", "train")),
    ],
)
def test_folders_are_classes(tmp_path: Path, names: tuple[str, ...], classes: tuple[str, ...]) -> None:
    found = arrange(put(tmp_path / "source", *names))
    dataset = open_dataset(found.folder)
    assert found.imported is not None
    assert len(dataset) == len(names)
    assert read_classes(dataset).names == classes


def test_folders_say_nothing_where_that_is_chosen(tmp_path: Path) -> None:
    source = put(tmp_path / "source", "owl/1.png", "wren/2.png")
    assert arrange(source, classed=False) == Arranged(source)


@pytest.mark.parametrize(
    "names", [("1.png", "2.png"), ("images/1.png", "classes.csv"), ("index.csv", "images/1.png")]
)
def test_what_tables_tell_and_flat_folders_are_read_as_they_are(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    source = put(tmp_path / "source", *names)
    assert arrange(source) == Arranged(source)


@pytest.mark.parametrize(
    ("names", "command"),
    [
        (("JPEGImages/1.jpg", "SegmentationClass/1.png"), "voc"),
        (("leftImg8bit/a.png", "gtFine/a.png"), "cityscapes"),
        (("images/1.png", "annotations/1.png"), "ade20k"),
        (("images/1.png", "masks/1.png"), "masks"),
        (("Images/1.png", "Labels/1.png"), "masks"),
        (("train2017/1.jpg", "annotations/instances_train2017.json"), "coco-instances"),
        (("train2017/1.jpg", "annotations/panoptic_train2017.json"), "coco-panoptic"),
        (("VOC2007/JPEGImages/1.jpg", "VOC2007/SegmentationClass/1.png", "VOC2012/JPEGImages/2.jpg"), "voc"),
        (("train/images/1.png", "train/masks/1.png", "val/images/2.png", "val/masks/2.png"), "masks"),
        (("train/a/images/1.png", "train/a/masks/1.png", "train/b/images/2.png"), "masks"),
        (("image/1.png", "label/1.png"), "masks"),
        (("train_images/1.png", "train_masks/1.png"), "masks"),
        (("1.jpg", "1.png", "2.jpg", "2.png"), "masks"),
        (("1.png", "1_mask.png", "2.png", "2_mask.png"), "masks"),
        (("train/1.jpg", "train/1_seg.png"), "masks"),
    ],
)
def test_masks_are_never_taken_for_photographs(tmp_path: Path, names: tuple[str, ...], command: str) -> None:
    with pytest.raises(DatasetError, match=re.escape(f"interpret_core import {command}`")):
        arrange(put(tmp_path / "source", *names))
    assert not (tmp_path / "into").exists()


def test_files_that_an_archive_was_rid_of_tell_as_well(tmp_path: Path) -> None:
    source = put(tmp_path / "source", "train2017/1.jpg", "val2017/2.jpg")
    wish = Wish(True, beside=["coco/annotations/instances_val2017.json"])
    with pytest.raises(MasksBesideError, match="import coco-instances"):
        arranged(source, tmp_path / "into", wish, lambda *_: None)


def test_masks_are_photographs_where_somebody_says_so(tmp_path: Path) -> None:
    source = put(tmp_path / "source", "images/1.png", "masks/2.png")
    found = arranged(source, tmp_path / "into", Wish(True, photographs=True), lambda *_: None)
    assert read_classes(open_dataset(found.folder)).names == ("images", "masks")


def test_train_and_val_are_no_classes(tmp_path: Path) -> None:
    found = arrange(put(tmp_path / "source", "train/1.png", "val/2.png"))
    assert open_dataset(found.folder).classes_table is None


def test_names_that_look_the_same_are_told_apart(tmp_path: Path) -> None:
    source = put(tmp_path / "source", "caf\u00e9/1.png", "cafe\u0301/2.png")
    with pytest.raises(DatasetError, match=re.escape(r"'cafe\u0301' and 'caf\xe9'")):
        arrange(source)


def test_a_folder_without_pictures_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no picture"):
        arrange(put(tmp_path / "source", "notes.txt"))


@pytest.mark.parametrize(
    ("names", "root"),
    [
        (("birds/owl/1.png", "birds/wren/2.png"), "birds"),
        (("a/birds/images/1.png", "a/birds/classes.csv"), "a/birds"),
        (("birds/1.png",), "birds"),
        (("birds/owl/1.png", "birds/wren/2.png", "meta.csv"), "birds"),
        (("birds/images/1.png", "birds/index.csv", "readme.txt"), "birds"),
        (("images/1.png",), ""),
        (("owl/1.png", "wren/2.png"), ""),
    ],
)
def test_the_folder_that_is_meant_is_found_below_others(
    tmp_path: Path, names: tuple[str, ...], root: str
) -> None:
    assert pictures_root(put(tmp_path / "source", *names)) == tmp_path / "source" / root


def test_folders_that_can_become_a_data_set_are_listed(tmp_path: Path) -> None:
    root = put(
        tmp_path / "sets",
        "birds/owl/1.png",
        "cars/train/bus/1.png",
        "cars/val/bus/2.png",
        "flat/1.png",
        "broden/index.csv",
        "broden/images/1.png",
        "deep/er/set/owl/1.png",
        "empty/notes.txt",
        ".hidden/1.png",
    )
    shown = [one.relative_to(root).as_posix() for one in data_folders(root)]
    assert shown == [".", "birds", "broden", "cars", "deep/er/set", "flat"]
