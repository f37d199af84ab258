"""How many units, which ones, and in which order."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpret_core.measures.ablation.selection import (
    FRACTIONS,
    SEEDS,
    allot,
    count,
    ranked,
    shuffled,
    united,
)

WIDTHS = st.lists(st.integers(1, 600), min_size=1, max_size=20)


@pytest.mark.parametrize("percent", [0, 1, 2, 3, 5, 10, 14.5, 20, 28.75, 50, 99.5, 100])
def test_a_count_is_the_rounded_share_and_at_least_one(percent: float) -> None:
    """Against decimal arithmetic, which has no binary fractions: halves are rounded up."""
    for units in [*range(1, 300), 384, 512, 1000, 2048, 4096]:
        share = Decimal(str(percent)) / 100 * units
        expected = max(1, int(share.quantize(Decimal(1), ROUND_HALF_UP))) if percent else 0
        assert count(percent / 100, units) == expected, (percent, units)


def test_known_counts() -> None:
    assert [count(fraction, 64) for fraction in FRACTIONS] == [0, 1, 1, 2, 3, 6, 13]
    assert count(0.03, 50) == 2  # 1.5
    assert count(0.05, 10) == 1  # 0.5
    assert count(1e-9, 512) == 1
    assert FRACTIONS == (0.0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2)
    assert SEEDS == 5


@pytest.mark.parametrize("fraction", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_fraction_outside_its_range(fraction: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        count(fraction, 10)


@settings(max_examples=200, deadline=None)
@given(widths=WIDTHS, share=st.floats(0, 1))
def test_an_allotment_sums_exactly_and_keeps_the_proportions(widths: list[int], share: float) -> None:
    total = int(share * sum(widths))
    given_units = allot(total, widths)
    assert sum(given_units) == total
    for units, width in zip(given_units, widths, strict=True):
        assert 0 <= units <= width
        assert abs(units - total * width / sum(widths)) < 1


def test_remainders_go_to_the_largest_and_then_to_the_first() -> None:
    assert allot(4, [10, 20, 30]) == [1, 1, 2]  # 0.67, 1.33, 2
    assert allot(1, [5, 5]) == [1, 0]
    assert allot(3, [5, 5]) == [2, 1]
    assert allot(0, [5, 5]) == [0, 0]
    assert allot(10, [5, 5]) == [5, 5]
    assert allot(0, []) == []


@pytest.mark.parametrize("total", [-1, 11])
def test_no_more_units_than_there_are(total: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 10"):
        allot(total, [4, 6])


@pytest.mark.parametrize(("direction", "sign"), [("top", -1), ("bottom", 1)])
def test_ranks_by_score_and_ties_by_number(direction: str, sign: int) -> None:
    random = np.random.default_rng(2)
    for kind in (np.float32, np.float64):
        scores = random.integers(0, 5, 80).astype(kind)
        expected = sorted(range(80), key=lambda unit: (sign * scores[unit], unit))
        assert ranked(scores, direction).tolist() == expected
    assert ranked(np.zeros(6), direction).tolist() == list(range(6))


def test_an_unknown_direction() -> None:
    with pytest.raises(ValueError, match="'up'"):
        ranked(np.zeros(3), "up")


def test_random_orders_are_of_the_seed_and_of_the_layer() -> None:
    orders = [tuple(shuffled(64, seed, place).tolist()) for seed in range(SEEDS) for place in range(4)]
    assert len(set(orders)) == len(orders)
    assert all(sorted(order) == list(range(64)) for order in orders)
    assert orders[0] == tuple(shuffled(64, 0, 0).tolist())
    # Every unit comes first about as often as any other.
    firsts = np.bincount([int(shuffled(8, seed, 1)[0]) for seed in range(400)], minlength=8)
    assert 25 <= firsts.min() <= firsts.max() <= 80


def test_selections_unite_by_layer() -> None:
    found = united({"a": (3, 1), "b": (2,)}, {"a": (1, 7), "c": ()}, {})
    assert found == {"a": (1, 3, 7), "b": (2,)}
    assert united() == {}
