"""Intervals from some of the images: how often they hold the truth, and that they shrink to it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from interpret_core.measures.ablation.intervals import mean, proportion


def coverage(right: int, images: int, population: int) -> float:
    """How often a sample's interval holds the truth: every possible sample, weighted by its chance."""
    k = np.arange(max(0, images - population + right), min(right, images) + 1)
    found = proportion(k, np.full(len(k), images), np.full(len(k), population))
    truth = right / population
    holds = (found.low - 1e-12 <= truth) & (truth <= found.high + 1e-12)
    return float(stats.hypergeom(population, right, images).pmf(k)[holds].sum())


@pytest.mark.parametrize("population", [24, 50, 240])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 0.95])
def test_a_share_lies_in_its_interval(population: int, share: float) -> None:
    """Whatever the truth, by every sample there can be."""
    images = int(share * population)
    assert min(coverage(right, images, population) for right in range(population + 1)) >= 0.93


@pytest.mark.parametrize("population", [10, 24, 240])
@pytest.mark.parametrize("images", [1, 2, 4])
def test_a_share_of_very_few_images_does_so_on_average(population: int, images: int) -> None:
    found = [coverage(right, images, population) for right in range(population + 1)]
    assert np.mean(found) >= 0.93


def test_the_interval_of_a_share_is_no_wider_than_needed() -> None:
    """Without the finite population, Wilson's own limits; half of the population seen: narrower."""
    k, n = 37.0, 60.0
    z = stats.norm.ppf(0.975)
    middle, half = (k + z * z / 2) / (n + z * z), z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    found = proportion(k, n, 10**9)
    assert (found.value, found.low, found.high) == pytest.approx((k / n, middle - half, middle + half))
    finite = proportion(k, n, 120)
    assert 0.6 < (finite.high - finite.low) / (2 * half) < 0.75  # about √(1/2)
    for limit in (finite.low, finite.high):
        assert limit * 120 == pytest.approx(round(float(limit) * 120))  # whole images


def test_a_share_of_all_images_is_known() -> None:
    for population in (1, 2, 7, 240):
        k = np.arange(population + 1)
        found = proportion(k, population, population)
        np.testing.assert_array_equal(found.value, k / population)
        np.testing.assert_array_equal(found.low, found.value)
        np.testing.assert_array_equal(found.high, found.value)


def test_a_share_is_never_more_than_the_unseen_images_allow() -> None:
    for n in range(1, 24):
        k = np.arange(n + 1)
        found = proportion(k, n, 24)
        assert (found.low >= k / 24 - 1e-15).all()
        assert (found.high <= (k + 24 - n) / 24 + 1e-15).all()
        assert (found.low <= found.value).all()
        assert (found.value <= found.high).all()
        assert (np.diff(found.low) >= 0).all()  # more right ones, a higher interval
        assert (np.diff(found.high) >= 0).all()


def test_the_interval_of_a_share_shrinks() -> None:
    n = np.arange(2, 101, 2)
    found = proportion(n // 2, n, 100)
    assert (np.diff(found.high - found.low) <= 1e-12).all()
    assert found.high[-1] == found.low[-1] == 0.5


def test_of_no_image_nothing_is_known() -> None:
    for found in (proportion(0, 0, 10), proportion(0, 0, 1), proportion(0, 0, 0), mean(np.zeros(0), 10)):
        assert all(np.isnan(value) for value in found)
    mixed = proportion(np.array([0, 3]), np.array([0, 4]), np.array([10, 10]))
    assert np.isnan(mixed.value).tolist() == [True, False]


@pytest.mark.parametrize(("population", "images"), [(24, 6), (24, 18), (240, 30), (240, 200)])
def test_a_mean_lies_in_its_interval(population: int, images: int) -> None:
    random = np.random.default_rng(population + images)
    held = []
    for _ in range(1500):
        everything = random.normal(0.2, 0.3, population)
        found = mean(random.permutation(everything)[:images], population)
        held.append(bool(found.low <= everything.mean() <= found.high))
    assert 0.93 <= np.mean(held) <= 0.97


def test_the_mean_of_all_images_is_known() -> None:
    values = np.array([0.25, -0.5, 1.0])
    assert mean(values, 3) == (0.25, 0.25, 0.25)
    assert mean(values[:1], 1) == (0.25, 0.25, 0.25)
    one = mean(values[:1], 3)
    assert one.value == 0.25
    assert np.isnan([one.low, one.high]).all()


def test_the_interval_of_a_mean_against_the_textbook() -> None:
    values = np.array([1.0, 2.0, 4.0, 5.0], np.float32)
    half = stats.t.ppf(0.975, 3) * math.sqrt(10 / 3) / 2 * math.sqrt(1 - 4 / 10)
    assert mean(values, 10) == pytest.approx((3.0, 3 - half, 3 + half))
    widths = [np.diff(mean(np.tile(values, times), 48)[1:])[0] for times in (1, 3, 6, 9, 12)]
    assert (np.diff(widths) < 0).all()
    assert widths[-1] == 0
