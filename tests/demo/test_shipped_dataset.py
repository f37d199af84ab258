"""The data set that is shipped keeps the promises that its documentation makes."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.scenes.casting import CLASSES
from demo.scenes.counts import report
from demo.scenes.sheet import MARGIN, sheet, shipped
from interpret_core.datasets import DEFAULT_CATEGORIES, open_dataset, survey
from interpret_core.datasets.colours import COLOUR_NAMES, name_indices
from interpret_core.datasets.pictures import shrink

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROOT = Path(__file__).resolve().parents[2] / "demo" / "dataset"
ENOUGH = 10  # images
LEAST = {"object": 45, "part": 32, "material": 12, "color": 11}  # concepts in that many images
MEGABYTE = 1_000_000


class Shipped:
    """Every map of the data set as indices into its concepts, 0 for none: category -> (N, 112, 112)."""

    def __init__(self, root):
        self.dataset = open_dataset(root)
        records = self.dataset.records
        self.classes = np.array([record.image.split("/")[0] for record in records])
        self.splits = np.array([record.split for record in records])
        self.settings = np.array([self.dataset.labels[record.maps["scene"][0]].name for record in records])
        self.tables = {category: self.dataset.concepts([category]) for category in LEAST}
        self.names = {
            category: np.array(["", *(concept.name for concept in table.concepts)])
            for category, table in self.tables.items()
        }

    @cached_property
    def maps(self):
        return {
            category: np.stack([self.dataset.read_annotation(i, table)[0] for i in range(len(self.classes))])
            for category, table in self.tables.items()
        }

    @cached_property
    def target(self):
        """(N, 112, 112) where the picture shows its class."""
        number = {name: at for at, name in enumerate(self.names["object"])}
        return self.maps["object"] == np.array([number[name] for name in self.classes])[:, None, None]


@pytest.fixture(scope="module")
def data() -> Shipped:
    return Shipped(ROOT)


@pytest.mark.thorough
def test_nothing_is_damaged(data):
    table = data.dataset.concepts(DEFAULT_CATEGORIES)
    found = survey(data.dataset, table)
    assert found.problems == ()
    assert found.valid.all()
    assert found.unlisted_pixels == 0
    assert found.maps == len(DEFAULT_CATEGORIES)


def test_there_are_48_pictures_of_each_class_in_balanced_splits(data):
    assert Counter(data.classes.tolist()) == dict.fromkeys(CLASSES, 48)
    splits = Counter(zip(data.classes.tolist(), data.splits.tolist(), strict=True))
    assert set(splits.values()) == {24}
    assert {split for _, split in splits} == {"train", "val"}
    with (ROOT / "classes.csv").open(newline="") as file:
        listed = [(row["image"], row["class"]) for row in csv.DictReader(file)]
    assert listed == [
        (record.image, name) for record, name in zip(data.dataset.records, data.classes, strict=True)
    ]


def test_it_is_small_and_holds_nothing_else(data):
    files = [path for path in ROOT.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 15 * MEGABYTE
    tables = {"index.csv", "label.csv", "category.csv", "classes.csv"}
    assert {path.relative_to(ROOT).as_posix() for path in files} == {*data.dataset.files(), *tables}


def test_pictures_are_224_pixels_and_barely_compressed(data):
    for record in data.dataset.records:
        assert record.size == (224, 224)
        with Image.open(ROOT / "images" / record.image) as image:
            # Of libjpeg's tables, quality 88 has 4 where quality 100 has 1 and 50 has 16.
            assert image.quantization[0][0] <= 4
    assert data.dataset.annotation_size == (112, 112)


def test_masks_hold_the_numbers_themselves(data):
    """One channel: nothing in them can be read in two ways."""
    for record in data.dataset.records:
        for (mask,) in record.maps.values():
            if isinstance(mask, str):
                with Image.open(ROOT / "images" / mask) as image:
                    assert image.mode == "L"


@pytest.mark.parametrize("category", LEAST)
def test_enough_concepts_are_in_enough_images(data, category):
    maps = data.maps[category]
    images = sum(np.bincount(np.unique(plane), minlength=len(data.names[category])) for plane in maps)[1:]
    assert (images > 0).all(), "label.csv lists what no picture shows"
    assert (images >= ENOUGH).sum() >= LEAST[category]


def test_all_is_labelled(data):
    assert (data.maps["object"] > 0).all()
    assert (data.maps["color"] > 0).all()
    assert (data.maps["material"] > 0).mean() >= 0.9


def test_label_csv_counts_images(data):
    for category in LEAST:
        for at, concept in enumerate(data.tables[category].concepts, 1):
            images = int((data.maps[category] == at).any((1, 2)).sum())
            assert data.dataset.labels[concept.number].categories[category] == images, concept.name


def test_every_picture_shows_its_class_and_none_of_the_others_larger(data):
    names = data.names["object"]
    for name, plane in zip(data.classes, data.maps["object"], strict=True):
        pixels = Counter(names[plane].ravel().tolist())
        assert pixels[name] >= 0.02 * plane.size
        # Votes on the smaller grid may move a tie by a pixel or so.
        assert all(pixels[name] >= 0.98 * pixels[other] for other in CLASSES)


def test_every_class_is_seen_with_other_objects(data):
    for name in CLASSES:
        others = Counter()
        for plane in data.maps["object"][data.classes == name]:
            others.update(set(data.names["object"][np.unique(plane)].tolist()) - {name})
        assert sum(images >= 3 for images in others.values()) >= 12, name
        assert len(others) >= 20, name


def test_other_classes_stand_beside_a_class(data):
    """A class cannot be told by being the only one of the ten in the picture."""
    beside = defaultdict(set)
    for name, plane in zip(data.classes, data.maps["object"], strict=True):
        beside[name] |= set(data.names["object"][np.unique(plane)].tolist()) & set(CLASSES) - {name}
    assert all(beside[name] for name in CLASSES)
    assert sum(len(others) for others in beside.values()) >= 3 * len(CLASSES)


def test_no_setting_belongs_to_one_class(data):
    where = defaultdict(Counter)
    for name, setting in zip(data.classes, data.settings, strict=True):
        where[setting][name] += 1
    assert len(where) == 9
    for setting, classes in where.items():
        assert len(classes) >= 5, setting
        assert max(classes.values()) <= 0.4 * classes.total(), setting


def test_no_colour_belongs_to_one_class(data):
    main, some = defaultdict(set), defaultdict(set)
    names = data.names["color"]
    for name, plane, target in zip(data.classes, data.maps["color"], data.target, strict=True):
        pixels = np.bincount(plane[target], minlength=len(names))
        main[names[pixels.argmax()]].add(name)
        some[name] |= set(names[pixels >= 0.05 * target.sum()].tolist())
    assert set(main) == set(COLOUR_NAMES)
    assert all(len(classes) >= 5 for classes in main.values())
    assert all(len(colours) >= 6 for colours in some.values())


@pytest.mark.thorough
def test_colours_are_named_from_the_pixels_of_the_jpeg(data):
    numbers = {name: at for at, name in enumerate(data.names["color"])}
    of_name = np.array([numbers[name] for name in COLOUR_NAMES])
    for i, plane in enumerate(data.maps["color"]):
        named = of_name[name_indices(shrink(data.dataset.read_image(i), plane.shape))]
        np.testing.assert_array_equal(plane, named)


@pytest.mark.thorough
def test_the_documentation_holds_the_counts():
    text = (DOCS / "demo.md").read_text(encoding="utf-8")
    held = re.search(r"<!-- counts -->\n(.*)\n<!-- /counts -->", text, re.DOTALL)
    assert held, "docs/demo.md keeps the counts between two comments"
    assert held[1].strip() == "\n".join(report(ROOT)).strip(), "run python -m demo.scenes.counts demo/dataset"


def test_the_contact_sheet_is_made_of_shipped_pictures():
    path = DOCS / "demo_scenes.jpg"
    assert path.stat().st_size <= 600_000
    made = sheet({name: shipped(name, 8, ROOT) for name in sorted(CLASSES)}, 112).astype(float)
    kept = np.asarray(Image.open(path).convert("RGB")).astype(float)
    assert kept.shape == made.shape == (1120, MARGIN + 896, 3)
    assert np.abs(kept - made)[:, MARGIN:].mean() < 8, (
        "make docs/demo_scenes.jpg again, as demo.scenes.sheet says"
    )
