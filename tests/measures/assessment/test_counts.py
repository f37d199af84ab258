"""Counts of detectors in resamples, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from interpret_core.measures.assessment.counts import Between, between, detectors_again


@pytest.mark.parametrize("seed", range(5))
def test_counts_equal_those_of_each_resample_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    best, of_concept = rng.random((30, 12)).astype(np.float16), rng.integers(-1, 7, (30, 12))
    found = detectors_again(best, of_concept, 7, 0.4)
    assert found.shape == (12, 7)
    for resample in range(12):
        for concept in range(7):
            expected = sum(
                float(best[unit, resample]) > 0.4 and of_concept[unit, resample] == concept
                for unit in range(30)
            )
            assert found[resample, concept] == expected


def test_a_count_that_resamples_do_not_change_is_certain() -> None:
    assert between(5, np.full(200, 5)) == Between(5, 5, 5)


def test_an_interval_lies_about_the_count_although_resamples_lean() -> None:
    again = np.concatenate([np.full(10, 8), np.full(180, 12), np.full(10, 18)])
    assert between(10, again) == Between(10, 6, 16)


def test_no_count_is_negative_but_a_difference_may_be() -> None:
    again = np.array([0] * 10 + [5] * 180 + [9] * 10)
    assert between(2, again) == Between(2, 0, 6)
    assert between(2, again, least=None) == Between(2, -3, 6)


def test_the_interval_holds_the_true_count_as_often_as_it_says() -> None:
    """Each image shows a unit's concept or not; a unit is a detector if at least half of the images do."""
    rng, held = np.random.default_rng(7), 0
    for _ in range(200):
        chance = np.linspace(0.3, 0.7, 40)
        images = rng.random((40, 100)) < chance[:, None]
        drawn = rng.integers(0, 100, (200, 100))
        again = (images[:, drawn].mean(-1) > 0.5).sum(0)
        found = between(int((images.mean(1) > 0.5).sum()), again)
        held += found.low <= 20 <= found.high
    assert held >= 0.9 * 200
