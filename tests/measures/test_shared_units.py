"""What classes share, against the literal reference, simulation, and planted sets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from interpret_core.errors import ParameterError
from interpret_core.measures.shared_units import Hub, expected_members, overlap_of, share_units
from tests.reference import agreement as reference

SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int, sizes: list[int], classes: int) -> list[np.ndarray]:
    """Relevance with many equal values and zeros."""
    random = np.random.default_rng(seed)
    return [random.integers(0, 4, (units, classes)).astype(float) for units in sizes]


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4), top=st.floats(0.01, 0.7))
def test_sets_against_the_reference(seed: int, sizes: list[int], top: float) -> None:
    relevance = drawn(seed, sizes, 4)
    found = share_units(relevance, top)
    sets = reference.unit_sets([layer.T.tolist() for layer in relevance], top)
    assert found.whole.sizes.tolist() == [len(one) for one in sets]
    assert found.whole.jaccard.tolist() == [[float(reference.jaccard(a, b)) for b in sets] for a in sets]
    for layer, overlap in enumerate(found.by_layer):
        here = [{place for place in one if place[0] == layer} for one in sets]
        assert overlap.both.tolist() == [[len(a & b) for b in here] for a in here]
    in_sets = [
        [sum((layer, unit) in one for one in sets) for unit in range(units)]
        for layer, units in enumerate(sizes)
    ]
    expected = [[sum(number >= least for number in row) for least in range(5)] for row in in_sets]
    assert found.observed.tolist() == expected
    hubs = found.hubs(2)
    assert len(hubs) == sum(row[2] for row in expected)
    assert all(len(hub.classes) == in_sets[hub.layer][hub.unit] for hub in hubs)


@settings(max_examples=25, deadline=None)
@given(
    layers=st.lists(
        st.integers(1, 4).flatmap(lambda u: st.tuples(st.just(u), st.integers(0, u), st.integers(0, u))),
        min_size=1,
        max_size=3,
    )
)
def test_chance_against_all_sets(layers: list[tuple[int, int, int]]) -> None:
    units, one, other = (list(part) for part in zip(*layers, strict=True))
    members = []
    for number, left, right in layers:
        marks = np.zeros((number, 2), bool)
        marks[:left, 0] = marks[:right, 1] = True  # as many in common as there can be
        members.append(marks)
    found = overlap_of(members)
    assert found.chance[0, 1] == pytest.approx(float(reference.chance_jaccard(units, one, other)))
    both = int(found.both[0, 1])
    assert found.p_value[0, 1] == pytest.approx(float(reference.chance_tail(units, one, other, both)))


@settings(max_examples=25, deadline=None)
@given(units=st.integers(1, 4), sizes=st.lists(st.integers(0, 4), min_size=1, max_size=3))
def test_members_by_chance_against_all_sets(units: int, sizes: list[int]) -> None:
    sizes = [min(size, units) for size in sizes]
    found = expected_members(np.array(sizes), units)
    expected = [float(reference.chance_members(units, sizes, least)) for least in range(len(sizes) + 1)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.thorough
def test_chance_against_simulation() -> None:
    """Layers and sets of a real network's size."""
    random, sizes, classes = np.random.default_rng(5), (64, 128, 256), 6
    observed = []
    for _ in range(300):
        found = share_units([random.random((units, classes)) for units in sizes])
        observed.append((found.whole.mean_jaccard, *found.observed.sum(0)[1:4]))
    counts = np.array(observed)
    spread = counts.std(0) / math.sqrt(len(counts))
    expected = np.array([found.whole.mean_chance, *found.expected.sum(0)[1:4]])
    assert (np.abs(counts.mean(0) - expected) < 5 * spread).all()
    assert found.counts == (3, 6, 13)


def test_equal_sets_are_binomial() -> None:
    found = expected_members(np.full(10, 26), 512)
    np.testing.assert_allclose(found, 512 * stats.binom.sf(np.arange(-1, 10), 10, 26 / 512), atol=1e-12)


def test_planted_sets() -> None:
    """Classes 0 and 1 want the same units, class 2 others; unit 9 of layer 1 serves all three."""
    first, second = np.full((40, 3), 0.1), np.full((60, 3), 0.1)
    first[[3, 4], 0] = first[[3, 4], 1] = first[[30, 31], 2] = 5
    second[[9, 20, 21], 0] = second[[9, 20, 21], 1] = second[[9, 50, 51], 2] = 7
    found = share_units([first, second])
    assert found.counts == (2, 3)
    assert found.whole.sizes.tolist() == [5, 5, 5]
    assert found.whole.both.tolist() == [[5, 5, 1], [5, 5, 1], [1, 1, 5]]
    assert found.whole.jaccard[0, 1] == 1
    assert found.whole.jaccard[0, 2] == 1 / 9
    assert found.by_layer[0].jaccard[0, 2] == 0
    assert found.by_layer[1].jaccard[0, 2] == 1 / 5
    assert found.whole.mean_jaccard == pytest.approx((1 + 2 / 9) / 3)
    assert found.whole.p_value[0, 1] == pytest.approx(1 / math.comb(40, 2) / math.comb(60, 3))
    assert np.isnan(np.diagonal(found.whole.chance)).all()
    assert found.hubs(3) == [Hub(1, 9, (0, 1, 2))]
    assert [(hub.layer, hub.unit) for hub in found.hubs(2)] == [(1, 9), (0, 3), (0, 4), (1, 20), (1, 21)]
    assert found.observed.tolist() == [[40, 4, 2, 0], [60, 5, 3, 1]]
    # In two sets chance puts 40·(3/20² − 2/20³) + 60·(the same) = 0.725 units: fewer than one.
    assert found.expected.sum(0)[2] == pytest.approx(0.725)
    assert found.many == 2
    assert found.hubs() == found.hubs(2)


def test_many_grows_with_what_chance_gives() -> None:
    random = np.random.default_rng(0)
    found = share_units([random.random((512, 10))])
    assert found.expected[0, found.many] < 1 <= found.expected[0, found.many - 1]
    everything = share_units([np.ones((4, 3))], top=1)
    assert everything.many == 4
    assert everything.hubs() == []


@pytest.mark.parametrize("root", [5, 7, 10, 14])
def test_an_expectation_of_exactly_one_is_not_fewer(root: int) -> None:
    """U·(1/√U)² is 1, and 1 ± 2⁻⁵² in floating point."""
    random = np.random.default_rng(0)
    found = share_units([random.random((root * root, 2))], top=1 / root)
    assert found.expected[0, 2] == pytest.approx(1)
    assert found.many == 3


def test_units_without_relevance_are_in_no_set() -> None:
    values = np.zeros((20, 2))
    values[7, 0] = 1
    found = share_units([values], top=0.2)
    assert found.whole.sizes.tolist() == [1, 0]
    assert found.whole.jaccard.tolist() == [[1, 0], [0, 0]]
    assert (found.whole.chance[0, 1], found.whole.p_value[0, 1]) == (0, 1)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_the_order_of_units_and_classes_does_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    relevance = [random.random((units, 4)) for units in (30, 50)]
    found = share_units(relevance, 0.1)
    moved = share_units([layer[random.permutation(len(layer))] for layer in relevance], 0.1)
    np.testing.assert_allclose(found.whole.jaccard, moved.whole.jaccard)
    assert np.array_equal(found.observed, moved.observed)
    order = random.permutation(4)
    turned = share_units([layer[:, order] for layer in relevance], 0.1)
    assert np.array_equal(found.whole.jaccard[np.ix_(order, order)], turned.whole.jaccard)
    np.testing.assert_array_equal(found.whole.p_value[np.ix_(order, order)], turned.whole.p_value)


def test_one_class_has_nothing_to_share() -> None:
    found = share_units([np.ones((20, 1))])
    assert math.isnan(found.whole.mean_jaccard)
    assert found.whole.jaccard.tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("relevance", "words"),
    [
        ([], "one .U, C. with U > 0"),
        ([np.zeros(3)], "one .U, C. with U > 0"),
        ([np.zeros((3, 1)), np.zeros((3, 2))], "the same classes"),
        ([np.array([[np.inf]])], "finite"),
        ([np.array([[-1.0]])], "finite"),
    ],
)
def test_what_does_not_fit(relevance: list[np.ndarray], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        share_units(relevance)


def test_a_share_out_of_range() -> None:
    with pytest.raises(ParameterError, match="top is 0"):
        share_units([np.ones((3, 1))], 0)
