"""The literal agreement against answers worked out by hand."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from . import agreement

IOU = [0.4, 0.1, 0.3, 0.0, 0.2]
RELEVANCE = [5.0, 4.0, 1.0, 2.0, 3.0]  # ranks: units 0, 1, 4, 3, 2; by IoU 0, 2, 4, 1, 3


def test_a_cell_by_hand() -> None:
    found = agreement.cell(IOU, RELEVANCE, 0.4)
    # k = 2: {0, 2} and {0, 1}; units 1 and 2 differ.
    assert (found["k"], found["both"], found["error"], found["overlap"]) == (
        2,
        1,
        Fraction(2, 5),
        Fraction(1, 2),
    )
    assert found["p_value"] == pytest.approx(7 / 10)  # all but the 3 pairs among the other three units
    # Ranks of IoU 5 2 4 1 3, of relevance 5 4 1 2 3: Σ d² = 0 + 4 + 9 + 1 + 0.
    assert found["spearman"] == pytest.approx(1 - 6 * 14 / (5 * 24))


def test_cells_that_do_not_count() -> None:
    nothing, one = [0.0] * 5, [0.0, 0.0, 1.0, 0.0, 0.0]
    assert agreement.cell(one, RELEVANCE, 0.4) == {"state": "no overlap"}
    assert agreement.cell(IOU, one, 0.4) == {"state": "no relevance"}
    assert agreement.cell(nothing, nothing, 0.4) == {"state": "no overlap"}
    assert agreement.cell(one, one, 0.2)["error"] == 0
    assert math.isnan(agreement.cell([0.5] * 5, RELEVANCE, 0.4)["spearman"])  # type: ignore[arg-type]


def test_equal_values_rank_by_the_lower_unit() -> None:
    assert agreement.marked([1, 3, 3, 3, 2], 2) == {1, 2}


@pytest.mark.parametrize(
    ("top", "units", "count"), [(0.05, 10, 1), (0.05, 50, 2), (0.05, 70, 4), (0.05, 64, 3)]
)
def test_marks(top: float, units: int, count: int) -> None:
    assert agreement.marks_of(top, units) == count  # 0.5 → at least 1; 2.5 → 2; 3.5 → 4; 3.2 → 3


def test_chance_by_hand() -> None:
    # One of two units: the same or the other, error 0 or 1.
    assert agreement.chance(2, 1) == Fraction(1, 2)
    assert agreement.chance(5, 2) == 2 * Fraction(2, 5) * Fraction(3, 5)


def test_a_network_by_hand() -> None:
    pair = (IOU, RELEVANCE)
    same, left_out = (IOU, IOU), ([0.0] * 5, RELEVANCE)
    found = agreement.network([[pair, left_out], [same, pair]], 0.4)
    assert found["error"] == pytest.approx((2 / 5 + 0 + 2 / 5) / 3)
    assert found["error_sd"] == pytest.approx(0.1)  # layer means 0.4 and 0.2
    assert agreement.network([[left_out]], 0.4) == {"error": None, "error_sd": None}


def test_permutations_by_hand() -> None:
    # One marked unit among three, the same by both: a third of the permutations keeps it.
    same = ([1.0, 0.5, 0.2], [9.0, 1.0, 2.0])
    assert agreement.exact_p([[same]], 0.3) == Fraction(1, 3)
    assert agreement.exact_p([[same], [same]], 0.3) == Fraction(1, 9)
    # Two classes alike change places alike: no further evidence.
    assert agreement.exact_p([[same, same]], 0.3) == Fraction(1, 3)
    other = ([1.0, 0.5, 0.2], [1.0, 9.0, 2.0])
    assert agreement.exact_p([[other]], 0.3) == 1


def test_sets_by_hand() -> None:
    layers = [[[3.0, 2.0, 1.0], [0.0, 2.0, 0.0]], [[1.0, 5.0], [1.0, 5.0]]]
    sets = agreement.unit_sets(layers, 0.6)  # k = 2 of 3, 1 of 2
    assert sets == [{(0, 0), (0, 1), (1, 1)}, {(0, 1), (1, 1)}]
    assert agreement.jaccard(*sets) == Fraction(2, 3)
    assert agreement.jaccard(set(), set()) == 0


def test_chance_of_sets_by_hand() -> None:
    # One of two units each: alike in half of the cases.
    assert agreement.chance_jaccard([2], [1], [1]) == Fraction(1, 2)
    assert agreement.chance_tail([2], [1], [1], 1) == Fraction(1, 2)
    # Two such layers: both, one or none in common with 1/4, 1/2, 1/4; Jaccard 1, 1/3, 0.
    assert agreement.chance_jaccard([2, 2], [1, 1], [1, 1]) == Fraction(1, 4) + Fraction(1, 6)
    assert agreement.chance_members(2, [1, 1], 2) == Fraction(1, 2)
    assert agreement.chance_members(2, [1, 1], 1) == Fraction(3, 2)
