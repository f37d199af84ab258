"""Colours of a mask: one where it is one, two or three where it is several."""

from __future__ import annotations

import numpy as np
import pytest

from interpret_core.datasets.colours import to_lab
from interpret_core.measures.assessment.colour_clusters import LEAST, MOST, colour_clusters

RGB = np.array(
    [[220, 40, 40], [200, 50, 45], [235, 60, 50], [30, 60, 200], [40, 80, 215], [240, 220, 60], [20, 20, 20]],
    np.uint8,
)
LAB = to_lab(RGB)


def found(*pixels: int) -> list[tuple[int, float]]:
    clusters = colour_clusters(np.array(pixels), LAB)
    return [(one.shade, pytest.approx(one.share)) for one in clusters]


def test_an_empty_mask_has_no_colour() -> None:
    assert found(0, 0, 0, 0, 0, 0, 0) == []


def test_shades_of_one_colour_are_one_and_the_most_frequent_stands_for_them() -> None:
    assert found(10, 30, 20, 0, 0, 0, 0) == [(1, 1.0)]


def test_a_mask_on_a_border_has_the_colours_of_both_sides() -> None:
    """Its mean would be a purple that no pixel has."""
    assert found(20, 20, 10, 30, 19, 0, 0) == [(0, 50 / 99), (3, 49 / 99)]


def test_what_is_small_joins_its_neighbour() -> None:
    assert found(0, 0, 0, 95, 0, 0, 5) == [(3, 1.0)]


@pytest.mark.parametrize("seed", range(20))
def test_few_large_clusters_that_make_up_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rgb, pixels = rng.integers(0, 256, (64, 3)).astype(np.uint8), rng.integers(0, 500, 64)
    clusters = colour_clusters(pixels, to_lab(rgb))
    shares = [one.share for one in clusters]
    assert 1 <= len(clusters) <= MOST
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= LEAST


def test_the_order_of_the_shades_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    rgb, pixels = rng.integers(0, 256, (64, 3)).astype(np.uint8), rng.integers(1, 500, 64)
    order = rng.permutation(64)
    first = colour_clusters(pixels, to_lab(rgb))
    second = colour_clusters(pixels[order], to_lab(rgb)[order])
    assert [(one.shade, one.share) for one in first] == [(order[one.shade], one.share) for one in second]
