"""Scenes written in Broden's layout are read back as they were."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from demo.scenes.broden import Labels, write
from interpret_core.datasets import open_dataset
from interpret_core.datasets.colours import COLOUR_NAMES, name_indices

SIDE, GRID = 24, 12  # pixels of a picture and of its maps
PICTURES = 4


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def names_of(place):
    """Maps of the picture at that place: objects of its own in every pixel, more than 255 over all."""
    number = np.arange(GRID * GRID).reshape(GRID, GRID)
    objects = np.array([f"thing {place * 100 + n}" for n in number.ravel()]).reshape(GRID, GRID)
    part = np.where(number % 3 == 0, "", np.where(number % 3 == 1, "wheel", "thing 0"))
    return {"object": objects, "part": part, "material": np.where(number < 50, "wood", "grey")}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    scenes, root = tmp_path_factory.mktemp("scenes"), tmp_path_factory.mktemp("made") / "set"
    rng = np.random.default_rng(0)
    for c, name in enumerate(("bus", "cat")):
        (scenes / name).mkdir()
        for i in range(PICTURES):
            blocks = rng.integers(0, 256, (GRID // 4, GRID // 4, 3), np.uint8).repeat(8, 0).repeat(8, 1)
            stem = scenes / name / f"{7 * i:06d}"
            Image.fromarray(blocks).save(stem.with_suffix(".jpg"), quality=95)
            np.savez(stem.with_suffix(".npz"), setting="living_room", **names_of(c * PICTURES + i))
    labels = write(scenes, root, ("bus", "cat"))
    return scenes, root, labels


def test_every_pixel_is_read_back(written):
    _, root, _ = written
    dataset = open_dataset(root)
    for category in ("object", "part", "material"):
        table = dataset.concepts([category])
        known = np.array(["", *(concept.name for concept in table.concepts)])
        for i in range(len(dataset)):
            np.testing.assert_array_equal(known[dataset.read_annotation(i, table)[0]], names_of(i)[category])


def test_there_are_numbers_beyond_a_byte(written):
    _, root, labels = written
    assert max(labels.numbers.values()) > 255
    assert sorted(open_dataset(root).labels) == sorted(labels.numbers.values())


def test_colours_are_those_of_the_jpeg(written):
    _, root, _ = written
    dataset = open_dataset(root)
    table = dataset.concepts(["color"])
    known = np.array(["", *(concept.name for concept in table.concepts)])
    for i in range(len(dataset)):
        pixels = dataset.read_image(i).astype(float).reshape(GRID, 2, GRID, 2, 3).mean((1, 3))
        found = known[dataset.read_annotation(i, table)[0]]
        expected = np.array(COLOUR_NAMES)[name_indices(np.floor(pixels + 0.5).astype(np.uint8))]
        assert (found == expected).mean() > 0.99  # a mean of .5 may be rounded either way


def test_pictures_are_kept_byte_by_byte(written):
    scenes, root, _ = written
    for path in scenes.glob("*/*.jpg"):
        assert (root / "images" / path.parent.name / path.name).read_bytes() == path.read_bytes()


def test_a_name_has_one_number_in_all_categories(written):
    _, root, labels = written
    shared = next(row for row in rows(root / "label.csv") if row["name"] == "thing 0")
    assert shared["category"] == f"object(1);part({2 * PICTURES})"
    assert int(shared["number"]) == labels.numbers["thing 0"]
    assert shared["frequency"] == str(1 + 2 * PICTURES)


def test_a_colour_is_not_a_material_of_its_name(written):
    _, root, labels = written
    assert "grey" in labels.numbers
    materials = [c.name for c in open_dataset(root).concepts(["material"]).concepts]
    assert sorted(materials) == ["grey", "wood"]
    assert all(row["name"].endswith("-c") for row in rows(root / "label.csv") if "color" in row["category"])


def test_splits_alternate_and_every_picture_has_its_class(written):
    _, root, _ = written
    index, classes = rows(root / "index.csv"), rows(root / "classes.csv")
    assert [row["split"] for row in index] == ["train", "val"] * PICTURES
    assert [row["image"] for row in index] == [row["image"] for row in classes]
    assert [row["class"] for row in classes] == ["bus"] * PICTURES + ["cat"] * PICTURES
    assert all(row["image"].startswith(row["class"] + "/") for row in classes)


def test_the_setting_is_the_scene_of_the_whole_picture(written):
    dataset = open_dataset(written[1])
    assert {dataset.labels[record.maps["scene"][0]].name for record in dataset.records} == {"living room"}


def test_categories_count_what_label_csv_lists(written):
    _, root, _ = written
    listed = rows(root / "label.csv")
    for row in rows(root / "category.csv"):
        within = [label for label in listed if f"{row['name']}(" in label["category"]]
        numbers = [int(label["number"]) for label in within]
        assert (int(row["first"]), int(row["last"]), int(row["count"])) == (
            min(numbers),
            max(numbers),
            len(numbers),
        )
    objects = next(row for row in rows(root / "category.csv") if row["name"] == "object")
    assert int(objects["frequency"]) == 2 * PICTURES * GRID * GRID


def test_coverage_is_the_share_of_the_pixels_over_all_pictures(written):
    wood = next(row for row in rows(written[1] / "label.csv") if row["name"] == "wood")
    assert float(wood["coverage"]) == pytest.approx(2 * PICTURES * 50 / GRID**2, abs=1e-3)


def test_numbers_come_in_the_order_of_first_use():
    labels = Labels()
    plane = labels.plane("object", np.array([["b", ""], ["a", "b"]]))
    assert plane.tolist() == [[2, 0], [1, 2]]
    assert labels.plane("part", np.array([["c", "a"]])).tolist() == [[3, 1]]
    assert labels.images == {("object", "a"): 1, ("object", "b"): 1, ("part", "a"): 1, ("part", "c"): 1}
