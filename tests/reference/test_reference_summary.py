"""IoU, ceilings and rankings against answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from . import summary

EVERY = np.ones(4, bool)
CATEGORY_OF = np.array([0, 0, 1, 1])
SCORES = np.array(
    [[0.1, 0.3, 0.3, 0.0], [0.0, 0.0, 0.0, 0.0], [0.04, 0.02, 0.01, 0.03], [0.0, 0.5, 0.2, 0.1]]
)


def test_iou_and_ceiling_by_hand() -> None:
    active = np.array([[8, 2], [0, 0]])
    pixels = np.array([4, 2, 1, 0])
    both = np.array([[4, 1, 1, 0], [0, 0, 0, 0]])
    assert summary.iou(both, active, pixels, CATEGORY_OF).tolist() == [[4 / 8, 1 / 9, 1 / 2, 0], [0, 0, 0, 0]]
    assert summary.ceiling(active, pixels, CATEGORY_OF).tolist() == [[4 / 8, 2 / 8, 1 / 2, 0], [0, 0, 0, 0]]


def test_a_small_mask_cannot_reach_the_cutoff_on_a_common_colour() -> None:
    found = summary.ceiling(np.array([[5]]), np.array([250]), np.array([0]))
    assert found.tolist() == [[0.02]]


def test_category_positions() -> None:
    assert summary.category_positions([(1, "part"), (1, "object")], ["object", "part"]).tolist() == [1, 0]


def test_mask_area() -> None:
    assert summary.mask_area(np.array([3, 0]), 2, (3, 4)).tolist() == [0.125, 0]
    assert summary.mask_area(np.array([0]), 0, (3, 4)).tolist() == [0]


def test_top_concepts_break_ties_by_index() -> None:
    assert summary.top_concepts(SCORES, EVERY) == [[1, 2, 0], [0, 1, 2], [0, 3, 1], [1, 2, 3]]


def test_best_per_category() -> None:
    assert summary.best_per_category(SCORES, EVERY, CATEGORY_OF, 2) == [[1, 2], [0, 2], [0, 3], [1, 2]]
    keep = np.array([True, True, False, False])
    assert summary.best_per_category(SCORES, keep, CATEGORY_OF, 2) == [[1, -1], [0, -1], [0, -1], [1, -1]]


def test_min_images_leaves_concepts_out_of_labels_and_counts() -> None:
    keep = summary.included(np.array([10, 9, 0, 400]), 10)
    assert keep.tolist() == [True, False, False, True]
    assert summary.top_concepts(SCORES, keep) == [[0, 3], [0, 3], [0, 3], [3, 0]]
    assert summary.best_iou(SCORES, keep).tolist() == [0.1, 0.0, 0.04, 0.1]
    assert summary.detectors(SCORES, keep, 0.04) == {0: 0, 3: 3}
    nothing = np.zeros(4, bool)
    assert summary.best_iou(SCORES, nothing).tolist() == [0] * 4
    assert summary.detectors(SCORES, nothing) == {}


def test_detectors_are_strictly_above_the_cutoff() -> None:
    assert summary.detectors(SCORES, EVERY, 0.04) == {0: 1, 3: 1}
    found = summary.detectors(SCORES, EVERY, 0.0)
    assert found == {0: 1, 2: 0, 3: 1}
    assert summary.unique_detectors(found) == 2
    assert summary.detectors_by_category(found, CATEGORY_OF, 2) == [(3, 2), (0, 0)]


def test_mean_top_iou_by_hand() -> None:
    assert summary.mean_top_iou(SCORES, EVERY, 1) == pytest.approx((0.3 + 0 + 0.04 + 0.5) / 4)
    assert summary.mean_top_iou(SCORES, EVERY, 2) == pytest.approx((0.3 + 0 + 0.035 + 0.35) / 4)
    assert summary.mean_top_iou(SCORES, EVERY, 3) == pytest.approx((0.7 + 0 + 0.09 + 0.8) / 12)
    assert summary.mean_top_iou(SCORES, np.array([False, False, False, True]), 2) == pytest.approx(0.13 / 8)


def test_sensitivity() -> None:
    best = summary.best_iou(SCORES, EVERY)
    assert summary.sensitivity(best, [0, 0.03, 0.04, 0.3, 0.5]) == [3, 3, 2, 1, 0]
