"""The real photographs in Broden's layout, against the totals that their makers wrote beside them."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core.datasets import Dataset, Loader, Survey, open_dataset, survey
from tests.reference import bands as reference

REAL = Path(os.environ.get("INTERPRET_REAL_DATA", "/nonexistent")) / "coco_broden"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not REAL.is_dir(), reason="INTERPRET_REAL_DATA does not name the real photographs"),
]


@pytest.fixture(scope="module")
def photographs() -> Dataset:
    return open_dataset(REAL)


@pytest.fixture(scope="module")
def surveyed(photographs: Dataset) -> Survey:
    return survey(photographs, photographs.concepts())


def test_all_hundred_are_readable(photographs: Dataset, surveyed: Survey) -> None:
    assert len(photographs) == 100
    assert surveyed.valid.all()
    assert surveyed.unlisted_pixels == 0
    assert surveyed.shade_pixels.sum() == 100 * 112 * 112
    assert len(surveyed.shades) == 64


def test_totals_are_those_of_the_dense_tables(photographs: Dataset, surveyed: Survey) -> None:
    index = {(c.category, c.number): i for i, c in enumerate(photographs.concepts().concepts)}
    assert len(index) == 119 + 8 + 11 + 11
    for category in ("object", "part", "material", "color"):
        with (REAL / f"c_{category}.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                at = index[category, int(row["number"])]
                assert surveyed.concept_images[at] == int(row["frequency"]), row
                assert surveyed.concept_pixels[at] / 112**2 == pytest.approx(float(row["coverage"]), abs=1e-6)
    with (REAL / "category.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            at = photographs.concepts().categories.index(row["name"])
            assert surveyed.category_images[at] == int(row["frequency"])


def test_label_table_states_the_same_images(photographs: Dataset, surveyed: Survey) -> None:
    for index, concept in enumerate(photographs.concepts().concepts):
        assert (
            surveyed.concept_images[index] == photographs.labels[concept.number].categories[concept.category]
        )


@pytest.mark.thorough
def test_presence_equals_the_reference_on_the_masks_as_stored(photographs: Dataset, surveyed: Survey) -> None:
    """The masks are read here as Broden defines them, R + 256·G, every category by its own files."""
    annotations = [
        [
            (category, np.asarray(Image.open(REAL / "images" / name).convert("RGB")) @ [1, 256, 0])
            for category, names in record.maps.items()
            for name in names
            if isinstance(name, str)
        ]
        for record in photographs.records
    ]
    concepts = [(concept.number, concept.category) for concept in photographs.concepts().concepts]
    for concept, held in enumerate(reference.presence(annotations, concepts)):
        images, pixels = surveyed.images_with(concept)
        assert list(zip(images.tolist(), pixels.tolist(), strict=True)) == held
        assert (len(held), sum(pixels.tolist())) == (
            surveyed.concept_images[concept],
            surveyed.concept_pixels[concept],
        )


def test_prefetched_labels_add_up_to_the_survey(photographs: Dataset, surveyed: Survey) -> None:
    table = photographs.concepts()
    batches = [range(start, start + 20) for start in range(0, 100, 20)]
    total = np.zeros(len(table) + 1, dtype=np.int64)
    shades = np.zeros(64, dtype=np.int64)
    for batch in Loader(photographs, table, surveyed).batches(batches, annotations=True):
        assert batch.labels is not None
        assert batch.colours is not None
        total += np.bincount(batch.labels.reshape(-1), minlength=len(total))
        shades += np.bincount(surveyed.shades.of(batch.colours).reshape(-1), minlength=64)
    np.testing.assert_array_equal(total[1:], surveyed.concept_pixels)
    np.testing.assert_array_equal(shades, surveyed.shade_pixels)
