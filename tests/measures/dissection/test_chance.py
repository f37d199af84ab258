"""Chance levels where the null does not vary, and what is pooled."""

from __future__ import annotations

import numpy as np

from interpret_core.measures.dissection.chance import assess, expected_detectors, sample_images


def test_a_constant_null_has_z_zero_whatever_its_rounding() -> None:
    null = np.vstack([np.full(100, 0.0123), np.linspace(0, 0.1, 100)])
    chance = assess(np.array([0.0123, 0.05]), null, np.array([True, True]))
    assert chance.z[0] == 0
    alone = assess(np.array([0.02]), np.full((1, 100), 0.0123), np.array([True]))
    assert alone.z[0] == np.inf
    assert alone.p_value[0] == 1 / 101


def test_dead_units_neither_get_a_p_nor_enter_the_pool() -> None:
    rng = np.random.default_rng(0)
    null = rng.random((3, 50))
    live = np.array([True, False, True])
    chance = assess(np.array([0.9, 0.0, 0.5]), null, live)
    assert np.isnan(chance.p_value[1])
    without = assess(np.array([0.9, 0.5]), null[live], np.array([True, True]))
    np.testing.assert_array_equal(chance.p_value[live], without.p_value)
    np.testing.assert_array_equal(chance.q_value[live], without.q_value)


def test_expected_detectors_count_null_maxima_above_the_cutoff() -> None:
    null = np.array([[0.03, 0.05], [0.04, 0.06]], np.float32)
    assert expected_detectors(null, 0.045) == 1


def test_samples_hold_valid_images_only_and_no_more_than_asked() -> None:
    valid = np.arange(50) % 3 > 0
    drawn = sample_images(valid, seed=1, most=10)
    assert len(drawn) == 10
    assert valid[drawn].all()
    assert (np.diff(drawn) > 0).all()
    np.testing.assert_array_equal(sample_images(valid, seed=1), np.flatnonzero(valid))


def test_p_does_not_depend_on_the_order_of_summation() -> None:
    """Processors add in different orders; p counts null values at or above z, to the last bit."""
    rng = np.random.default_rng(0)
    null = rng.integers(1, 400, (64, 100)) / rng.integers(400, 900, (64, 1))
    observed, live = null.max(1) * rng.uniform(0.6, 1.2, 64), np.ones(64, np.bool_)
    expected = assess(observed, null, live)
    np.testing.assert_allclose(expected.z, (observed - null.mean(1)) / null.std(1), rtol=1e-12)
    for _ in range(5):
        found = assess(observed, rng.permuted(null, axis=1), live)
        for name in ("z", "p_value", "q_value"):
            assert getattr(found, name).tobytes() == getattr(expected, name).tobytes(), name
