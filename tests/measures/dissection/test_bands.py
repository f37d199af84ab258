"""Firing and tenths equal the paper-literal reference, bit by bit and image by image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpret_core.measures.dissection.bands import BANDS, SHOWN, Largest, tenths
from interpret_core.measures.dissection.brackets import Brackets
from interpret_core.measures.dissection.masks import TOP
from tests.measures.dissection.kernels import Result, run
from tests.measures.dissection.test_against_reference import KINDS, make_case
from tests.reference import bands as reference
from tests.reference import profile as profile_reference


def fires(result: Result, images: int) -> np.ndarray:
    packed = result.largest.fires(result.thresholds.value, images)
    assert packed.shape == (len(KINDS), -(-images // 8))
    assert not np.unpackbits(packed, axis=1)[:, images:].any()  # nothing beyond the last image
    return np.unpackbits(packed, axis=1, count=images).astype(bool)


@pytest.mark.parametrize("quantile", [0.0001, 0.005, 0.02, 0.3, 0.9, 0.9999])
@pytest.mark.parametrize("images", [1, 3, 9, 23, 71])
def test_equal_to_the_reference(images: int, quantile: float) -> None:
    """Every kind of unit (dead, constant, saturating, tied, rare …), some images damaged."""
    case = make_case(images, images, (6, 7), (9, 8))
    batches = [list(range(start, min(start + 5, images))) for start in range(0, images, 5)]
    result = run(case, quantile, batches, pilot=[0])
    expected = reference.fires(case.responses, result.thresholds.value, case.valid)
    np.testing.assert_array_equal(fires(result, images), expected)
    for mine, literal in zip(
        result.largest.bands(), reference.bands(case.responses, case.valid), strict=True
    ):
        assert mine.dtype == literal.dtype
        np.testing.assert_array_equal(mine, literal)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    quantile=st.sampled_from([0.001, 0.02, 0.2, 0.5]),
    order=st.permutations(range(5)),
    ranked=st.sets(st.integers(0, 18), min_size=1),
)
def test_any_order_and_any_choice_of_ranked_images(
    seed: int, quantile: float, order: list[int], ranked: set[int]
) -> None:
    case = make_case(seed, 19, (4, 4), (5, 5))
    batches = [list(range(start, min(start + 4, 19))) for start in range(0, 19, 4)]
    flags = np.isin(np.arange(19), list(ranked))
    result = run(case, quantile, [batches[i] for i in order], pilot=[0], ranked=flags)
    expected = reference.fires(case.responses, result.thresholds.value, case.valid)
    np.testing.assert_array_equal(fires(result, 19), expected)
    found, literal = result.largest.bands(), reference.bands(case.responses, case.valid, sorted(ranked))
    np.testing.assert_array_equal(found[0], literal[0])
    np.testing.assert_array_equal(found[1], literal[1])


def test_what_the_bracket_leaves_open_is_settled_either_way() -> None:
    """Largest responses inside a bracket are rare: make sure that the comparison above meets both cases."""
    result = run(make_case(23, 23, (6, 7), (9, 8)), 0.005, [list(range(23))], pilot=[0])
    near = result.largest.near_value > result.thresholds.value[result.largest.near_unit]
    assert near.any()
    assert not near.all()


def test_inside_the_bracket_only_what_exceeds_the_threshold_fires() -> None:
    """A bracket from 1 to 3 and T = 2, which the fourth image only reaches; image 12 is damaged."""
    low, high, known = (np.array([value], np.float32) for value in (1, 3, 0))
    brackets = Brackets(low, high, low, known.astype(bool), low)
    maxima = np.array([[1], [1.5], [2.5], [2], [3], [9], [9]], np.float32)
    images, valid = np.array([6, 7, 8, 9, 10, 11, 12]), np.arange(7) < 6
    kept = Largest.of(maxima, images, valid, brackets, np.zeros(14, bool))
    assert kept.near_image.tolist() == [7, 8, 9]
    fires = np.unpackbits(kept.fires(np.array([2], np.float32), 14), count=14)
    assert np.flatnonzero(fires).tolist() == [8, 10, 11]


def test_a_dead_unit_never_fires_and_ties_go_by_image() -> None:
    case = make_case(1, 23, (6, 7), (9, 8))
    result = run(case, 0.05, [list(range(23))], pilot=[0])
    dead = KINDS.index("dead")
    assert not fires(result, 23)[dead].any()
    image, response = (part[dead] for part in result.largest.bands())
    valid = np.flatnonzero(case.valid)
    assert image[image >= 0].tolist() == valid.tolist()  # at most six a tenth: all, in their order
    assert not response.any()


def test_the_first_of_the_first_tenth_is_the_strongest_image() -> None:
    case = make_case(2, 71, (6, 7), (9, 8))
    result = run(case, 0.05, [list(range(71))], pilot=[0])
    top = profile_reference.top_images(case.responses, TOP, case.valid)
    np.testing.assert_array_equal(result.largest.bands()[0][:, 0, 0], top["top_image"][:, 0])


@given(st.integers(0, 3000))
def test_tenths_hold_first_and_last_rank_and_nothing_twice(count: int) -> None:
    ranks = tenths(count)
    assert ranks.shape == (BANDS, SHOWN)
    shown = ranks[ranks >= 0]
    assert (np.diff(shown) > 0).all()
    assert len(shown) == min(count, sum(min(6, len(part)) for part in by_tenths(count)))
    for mine, part in zip(ranks, by_tenths(count), strict=True):
        assert mine[mine >= 0].tolist() == reference.shown_of(part)


def by_tenths(count: int) -> list[range]:
    return [range(tenth * count // 10, (tenth + 1) * count // 10) for tenth in range(10)]
