"""Masks of several sizes: read on one grid by the nearest pixel, and said."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core.datasets import open_dataset, survey
from interpret_core.datasets.excerpts import excerpt
from interpret_core.datasets.masks import resampled
from tests.planted_dataset import save_mask, write_tables

LABELS = [(1, "cat", ("object",)), (300, "dog", ("object",))]


def write(
    root: Path, sizes: list[tuple[int, int]], stated: list[tuple[int, int]] | None = None
) -> list[np.ndarray]:
    """A picture and a mask of each size; the masks."""
    random = np.random.default_rng(3)
    (root / "images").mkdir(parents=True)
    rows, masks = [], []
    for index, (height, width) in enumerate(sizes):
        mask = random.choice(np.array([0, 1, 300], np.uint16), (height, width))
        Image.fromarray(random.integers(0, 255, (20, 30, 3), dtype=np.uint8)).save(
            root / "images" / f"{index}.png"
        )
        save_mask(root / "images" / f"m{index}.png", mask)
        sh, sw = (stated or sizes)[index]
        rows.append(
            {"image": f"{index}.png", "ih": 20, "iw": 30, "sh": sh, "sw": sw, "object": f"m{index}.png"}
        )
        masks.append(mask)
    write_tables(root, rows, LABELS)
    return masks


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (16, 16), (40, 90), (112, 112)])
@pytest.mark.parametrize("of", [(1, 1), (16, 16), (33, 20), (375, 500)])
def test_each_cell_has_the_pixel_that_its_centre_lies_in(of: tuple[int, int], size: tuple[int, int]) -> None:
    numbers = np.random.default_rng(0).integers(0, 60000, of).astype(np.uint16)
    found = resampled(numbers, size)
    assert found.shape == size
    rows, columns = (
        [int((Fraction(2 * cell + 1, 2) / cells) * pixels) for cell in range(cells)]
        for cells, pixels in zip(size, of, strict=True)
    )
    assert found.tolist() == [[numbers[row, column] for column in columns] for row in rows]


def test_one_grid_for_all(tmp_path: Path) -> None:
    sizes = [(20, 30), (40, 30), (20, 18), (20, 30)]
    masks = write(tmp_path, sizes)
    dataset = open_dataset(tmp_path)
    assert dataset.annotation_size == (20, 30), "the median of heights, and of widths"
    table = dataset.concepts()
    number = {0: 0, 1: 1, 300: 2}
    for index, mask in enumerate(masks):
        (plane,) = dataset.read_annotation(index, table)
        height, width = mask.shape
        wanted = mask[[(2 * row + 1) * height // 40 for row in range(20)]]
        wanted = wanted[:, [(2 * column + 1) * width // 60 for column in range(30)]]
        np.testing.assert_array_equal(plane, np.vectorize(number.get)(wanted))
    assert dataset.resampling == (
        "masks of several sizes, read on a grid of 20×30, the nearest pixel for each cell"
    )
    with excerpt(dataset, [2, 1]) as name:
        some = open_dataset(name)
        np.testing.assert_array_equal(some.read_annotation(1, table), dataset.read_annotation(1, table))
        assert some.digest != dataset.digest


def test_the_grid_is_no_larger_than_broden_s(tmp_path: Path) -> None:
    write(tmp_path, [(375, 500), (500, 375), (100, 300)])
    assert open_dataset(tmp_path).annotation_size == (112, 112)


def test_masks_of_one_size_stay_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, [(200, 150)] * 2)
    dataset = open_dataset(tmp_path)
    assert (dataset.annotation_size, dataset.resampling) == ((200, 150), "")
    assert set(dataset.tables.digests) == {"index.csv", "label.csv", "category.csv"}, (
        "no other digest than before"
    )


def test_masks_too_large_to_count_on(tmp_path: Path) -> None:
    write(tmp_path, [(1, 1)], [(2000, 2001)])
    dataset = open_dataset(tmp_path)
    assert dataset.annotation_size == (112, 112)
    assert dataset.resampling.startswith("masks of 4,002,000 pixels, read on a grid of 112×112")
    mask = np.zeros((2000, 2001), np.uint16)
    mask[1000:] = 300
    save_mask(tmp_path / "images" / "m0.png", mask)
    (plane,) = dataset.read_annotation(0, dataset.concepts())
    assert plane.tolist() == [[0] * 112] * 56 + [[2] * 112] * 56


def test_a_mask_of_another_size_than_its_row_says_is_damaged(tmp_path: Path) -> None:
    write(tmp_path, [(20, 30), (40, 30), (20, 18)], [(20, 30), (40, 30), (18, 20)])
    dataset = open_dataset(tmp_path)
    found = survey(dataset, dataset.concepts())
    assert found.valid.tolist() == [True, True, False]
    assert "m2.png is 20×18 pixels, expected 18×20 as index.csv says" in found.problems[0].reason


def test_a_single_wrong_row_does_not_move_the_grid_of_small_masks(tmp_path: Path) -> None:
    write(tmp_path, [(16, 16)] * 5, [(16, 16)] * 4 + [(61, 16)])
    dataset = open_dataset(tmp_path)
    assert dataset.annotation_size == (16, 16)
    assert survey(dataset, dataset.concepts()).valid.tolist() == [True] * 4 + [False]


def test_both_ways_of_listing_keep_their_sizes(tmp_path: Path) -> None:
    write(tmp_path, [(20, 30), (40, 30)])
    records = open_dataset(tmp_path).records
    assert [record.mask_size for record in records] == [None, (40, 30)]
    with (tmp_path / "index.csv").open(newline="") as file:
        assert [row["sh"] for row in csv.DictReader(file)] == ["20", "40"]
