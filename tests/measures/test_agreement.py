"""Agreement against the literal reference, planted cases with closed forms, and what always holds."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpret_core.errors import ParameterError
from interpret_core.measures.agreement import Cell, LayerAgreement, agree, combine, marks_of, overlap_tail
from interpret_core.measures.permutations import permutation_p, permuted_both
from interpret_core.numbers import mean
from tests.reference import agreement as reference

SEEDS = st.integers(0, 2**32 - 1)
STATES = {Cell.KEPT: "kept", Cell.NO_OVERLAP: "no overlap", Cell.NO_RELEVANCE: "no relevance"}


def drawn(seed: int, units: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """IoU and relevance with many equal values and many zeros."""
    random = np.random.default_rng(seed)
    return random.integers(0, 5, (units, classes)) / 8, random.integers(0, 6, (units, classes)) * 1.5


def pairs(layer: tuple[np.ndarray, np.ndarray]) -> list[reference.Pair]:
    return [(iou, relevance) for iou, relevance in zip(layer[0].T.tolist(), layer[1].T.tolist(), strict=True)]


def ranked(units: int, *first: int) -> np.ndarray:
    """(U, 1) values that rank the given units first, then the others by number."""
    order = [*first, *(unit for unit in range(units) if unit not in first)]
    values = np.empty((units, 1))
    values[order, 0] = np.arange(units, 0, -1) / units
    return values


@settings(max_examples=150, deadline=None)
@given(seed=SEEDS, units=st.integers(1, 60), classes=st.integers(1, 5), top=st.floats(0.001, 1))
def test_cells_against_the_reference(seed: int, units: int, classes: int, top: float) -> None:
    layer = drawn(seed, units, classes)
    found = agree(*layer, top)
    for number, expected in enumerate(reference.cell(*pair, top) for pair in pairs(layer)):
        assert STATES[Cell(found.state[number])] == expected["state"]
        if expected["state"] == "kept":
            assert (found.count, found.both[number]) == (expected["k"], expected["both"])
            assert found.error[number] == float(expected["error"])
            assert found.overlap[number] == float(expected["overlap"])
            assert found.p_value[number] == pytest.approx(expected["p_value"], rel=1e-9)
            assert found.spearman[number] == pytest.approx(expected["spearman"], abs=1e-12, nan_ok=True)
        else:
            for values in (found.error, found.overlap, found.p_value, found.spearman):
                assert math.isnan(values[number])


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4), top=st.floats(0.01, 0.6))
def test_networks_against_the_reference(seed: int, sizes: list[int], top: float) -> None:
    layers = [drawn(seed + at, units, 3) for at, units in enumerate(sizes)]
    found = combine([agree(*layer, top) for layer in layers], permutations=0)
    expected = reference.network([pairs(layer) for layer in layers], top)
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(math.nan if value is None else value, nan_ok=True)
    assert math.isnan(found.p_value)
    assert sum(found.cells(state) for state in Cell) == 3 * len(sizes)
    kept = found.cells(Cell.KEPT)
    assert kept == int((~np.isnan(found.errors)).sum())
    if kept:
        assert found.error == pytest.approx(np.nanmean(found.errors))


def test_the_same_ranking_has_no_error() -> None:
    values = ranked(100, 7, 3)
    found = agree(values, values * 40)
    assert (found.count, found.both[0]) == (5, 5)
    assert (found.error[0], found.overlap[0], found.spearman[0]) == (0, 1, 1)
    assert found.p_value[0] == pytest.approx(1 / math.comb(100, 5), rel=1e-12)


def test_marks_apart_differ_on_all_of_them() -> None:
    found = agree(ranked(100, *range(5)), ranked(100, *range(50, 55)))
    assert found.error[0] == 2 * 5 / 100
    assert (found.overlap[0], found.p_value[0]) == (0, 1)
    assert agree(ranked(30), -ranked(30) + 2).spearman[0] == -1


def test_twenty_units_with_one_mark() -> None:
    hit, miss = agree(ranked(20, 4), ranked(20, 4)), agree(ranked(20, 4), ranked(20, 5))
    assert (hit.count, hit.error[0], hit.p_value[0]) == (1, 0, 1 / 20)
    assert (miss.error[0], miss.p_value[0]) == (2 / 20, 1)
    assert hit.chance == pytest.approx(2 * 1 / 20 * 19 / 20)


def test_a_partial_overlap() -> None:
    found = agree(ranked(60, 0, 1, 2), ranked(60, 2, 8, 9))
    assert (found.count, found.both[0]) == (3, 1)
    assert found.error[0] == 4 / 60
    assert found.p_value[0] == pytest.approx(1 - math.comb(57, 3) / math.comb(60, 3))


def test_equal_values_go_to_the_lower_unit() -> None:
    found = agree(np.full((20, 1), 0.5), np.full((20, 1), 2.0), top=0.15)
    assert np.flatnonzero(found.by_iou[:, 0]).tolist() == [0, 1, 2]
    assert found.error[0] == 0
    assert math.isnan(found.spearman[0])
    assert math.isnan(combine([found], permutations=0).spearman)


def test_left_out_where_the_kth_value_is_zero() -> None:
    two = np.zeros((40, 1))
    two[[5, 9]] = 0.3
    three = two.copy()
    three[11] = 0.01
    full = ranked(40)
    assert agree(two, full, 0.05).state.tolist() == [Cell.KEPT]  # k = 2
    assert agree(two, full, 0.075).state.tolist() == [Cell.NO_OVERLAP]  # k = 3
    assert agree(three, full, 0.075).state.tolist() == [Cell.KEPT]
    assert agree(full, two, 0.075).state.tolist() == [Cell.NO_RELEVANCE]
    assert agree(two, two, 0.075).state.tolist() == [Cell.NO_OVERLAP]


def test_left_out_cells_do_not_weigh() -> None:
    nothing = np.zeros((20, 1))
    layers = [
        agree(np.hstack([ranked(20, 4), nothing]), np.hstack([ranked(20, 5), ranked(20)])),  # 0.1 and none
        agree(np.hstack([ranked(20), ranked(20)]), np.hstack([ranked(20), ranked(20)])),  # 0 and 0
        agree(np.hstack([nothing, nothing]), np.hstack([ranked(20), ranked(20)])),
    ]
    found = combine(layers, permutations=0)
    assert found.error == pytest.approx(0.1 / 3)  # of three cells, not of two layers
    assert found.error_sd == pytest.approx(0.05)  # of the layer means 0.1 and 0
    assert [found.cells(state) for state in Cell] == [3, 3, 0]
    assert found.overlap == pytest.approx(2 / 3)
    assert found.chance == pytest.approx(0.095)


def test_nothing_kept_is_no_number() -> None:
    found = combine([agree(np.zeros((4, 2)), np.ones((4, 2)))])
    numbers = (found.error, found.error_sd, found.chance, found.p_value, found.overlap, found.spearman)
    assert all(math.isnan(number) for number in numbers)


@pytest.mark.parametrize(
    ("units", "count"), [(units, k) for units in range(2, 8) for k in range(1, units + 1)]
)
def test_chance_is_the_mean_over_all_marks(units: int, count: int) -> None:
    found = agree(ranked(units), ranked(units), count / units)
    assert found.count == count
    assert found.chance == pytest.approx(float(reference.chance(units, count)))
    # The tail's sum over x ≥ 1 is the mean overlap, k²/U.
    assert overlap_tail(units, count)[1:].sum() == pytest.approx(count**2 / units)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, units=st.integers(2, 80), top=st.floats(0.01, 1))
def test_bounds_and_the_order_of_units(seed: int, units: int, top: float) -> None:
    random = np.random.default_rng(seed)
    iou, relevance = random.random((2, units, 4))  # no equal values: then their order would count
    found = agree(iou, relevance, top)
    assert (found.error <= 2 * found.count / units).all()
    assert (found.error <= 2 * (units - found.count) / units).all()
    order = random.permutation(units)
    other = agree(iou[order], relevance[order], top)
    for name in ("error", "overlap", "p_value", "state", "both"):
        assert np.array_equal(getattr(found, name), getattr(other, name))
    np.testing.assert_allclose(found.spearman, other.spearman, atol=1e-12)
    scaled = agree(iou**3, relevance * 1e6, top)  # ranks alone count
    assert np.array_equal(found.error, scaled.error)
    np.testing.assert_allclose(found.spearman, scaled.spearman, atol=1e-12)


@settings(max_examples=12, deadline=None)
@given(seed=SEEDS, sizes=st.sampled_from([(5,), (3, 4), (4, 3), (2, 3, 4)]), classes=st.integers(1, 3))
def test_the_networks_p_against_all_permutations(seed: int, sizes: tuple[int, ...], classes: int) -> None:
    layers = [drawn(seed + at, units, classes) for at, units in enumerate(sizes)]
    found = combine([agree(*layer, 0.4) for layer in layers], permutations=20_000, seed=seed % 1000)
    if found.cells(Cell.KEPT) == 0:
        assert math.isnan(found.p_value)
        return
    exact = float(reference.exact_p([pairs(layer) for layer in layers], 0.4))
    five_deviations = 5 * math.sqrt(exact * (1 - exact) / 20_000)
    assert abs(found.p_value - exact) <= five_deviations + 2 / 20_000


def test_classes_alike_move_alike() -> None:
    """Ten times the same class is no more evidence than once; layers are."""
    iou, relevance = ranked(50, 1, 2, 3), ranked(50, 3, 8, 9)
    one = agree(iou, relevance, 0.06)
    ten = agree(np.repeat(iou, 10, 1), np.repeat(relevance, 10, 1), 0.06)
    exact = one.p_value[0]  # P(at least 1 of 3 in common) ≈ 0.17
    assert combine([one]).p_value == pytest.approx(exact, abs=0.02)
    assert combine([ten]).p_value == pytest.approx(exact, abs=0.02)
    assert combine([one, one, one]).p_value < exact / 3


def test_no_permutation_beats_the_same_marks() -> None:
    same = agree(ranked(64, 5), ranked(64, 5))
    assert combine([same, same, same], permutations=999).p_value == 1 / 1000
    apart = agree(ranked(64, 5), ranked(64, 6, 7, 8))
    assert combine([apart], permutations=999).p_value == 1


def test_layers_of_any_size_weigh_by_their_share() -> None:
    """One unit of 3 weighs as much as four of 12: compared in fractions, not in rounded sums."""
    small = (ranked(3, 0) > 0.9, ranked(3, 1) > 0.9)  # both = 0
    large = (ranked(12, 0, 1, 2, 3) > 0.7, ranked(12, 0, 1, 2, 3) > 0.7)  # both = 4
    # As small an error needs 4·both₃ + both₁₂ ≥ 4: a hit in the small layer, or all four in the large one.
    exact = 1 / 3 + 2 / 3 / math.comb(12, 4)
    assert permutation_p([small, large], 20_000, 0) == pytest.approx(exact, abs=0.015)


def test_every_place_is_as_likely() -> None:
    random = np.random.default_rng(3)
    moved, fixed = np.zeros((6, 2), bool), np.zeros((6, 2), bool)
    moved[[0, 1], 0] = moved[[1, 4], 1] = True
    fixed[[1, 2], 0] = fixed[[2, 5], 1] = True
    drawn_both = permuted_both(fixed, moved, 30_000, random)
    pair = [(fixed[:, at].astype(float).tolist(), moved[:, at].astype(float).tolist()) for at in (0, 1)]
    for least in range(1, 5):
        exact = np.mean([_both(pair, order) >= least for order in _orders(6)])
        assert (drawn_both >= least).mean() == pytest.approx(exact, abs=0.015)


def _orders(units: int) -> list[tuple[int, ...]]:
    from itertools import permutations

    return list(permutations(range(units)))


def _both(pair: list[reference.Pair], order: tuple[int, ...]) -> int:
    return sum(
        bool(iou[order[unit]]) and bool(relevance[unit])
        for iou, relevance in pair
        for unit in range(len(order))
    )


def test_a_seed_gives_the_same_p() -> None:
    layer = agree(*np.random.default_rng(1).random((2, 64, 5)), top=0.3)
    again = [combine([layer, layer], permutations=500, seed=seed).p_value for seed in (1, 1, 2, 3, 4)]
    assert again[0] == again[1]
    assert len(set(again)) > 1


@pytest.mark.parametrize(("top", "units"), [(0.05, 10), (0.05, 30), (0.05, 50), (0.1, 25), (1, 7), (1e-9, 4)])
def test_marks(top: float, units: int) -> None:
    assert marks_of(top, units) == reference.marks_of(top, units)


@pytest.mark.parametrize("top", [0, -0.1, 1.01, math.nan, math.inf])
def test_a_share_out_of_range(top: float) -> None:
    with pytest.raises(ParameterError, match=r"top is .*, but expected a share"):
        agree(ranked(4), ranked(4), top)


@pytest.mark.parametrize(
    ("iou", "relevance", "words"),
    [
        (np.zeros(3), np.zeros(3), "one shape"),
        (np.zeros((3, 1)), np.zeros((3, 2)), "one shape"),
        (np.zeros((0, 1)), np.zeros((0, 1)), "U > 0"),
        (np.array([[0.1], [-0.1]]), np.ones((2, 1)), r"iou finite .* -0.1 \(unit 1, class 0\)"),
        (np.ones((2, 1)), np.array([[1.0], [np.nan]]), r"relevance finite .* nan \(unit 1"),
    ],
)
def test_what_does_not_fit(iou: np.ndarray, relevance: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        agree(iou, relevance)


def test_a_mean_of_nothing() -> None:
    assert math.isnan(mean([math.nan]))
    assert mean([1.0, math.nan, 0.0]) == 0.5


def test_many_units_are_counted_exactly() -> None:
    tail = overlap_tail(2048, 102)
    assert tail[0] == 1
    assert tail[102] == float(Fraction(1, math.comb(2048, 102)))
    assert (np.diff(tail) < 0).all()
    assert isinstance(agree(ranked(4), ranked(4)), LayerAgreement)
