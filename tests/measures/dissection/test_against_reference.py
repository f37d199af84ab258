"""Thresholds, tallies, masks and strongest images equal the paper-literal reference, integer by integer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpret_core.measures.dissection.counts import key_of, value_of
from interpret_core.measures.dissection.masks import TOP, decode, encode
from interpret_core.measures.dissection.thresholds import State
from tests.measures.dissection.kernels import Case, run, units_last
from tests.reference import profile as reference

STATES = {"live": State.LIVE, "dead": State.DEAD, "tied": State.TIED}
KINDS = (
    "relu",
    "signed",
    "negative",
    "relu6",
    "steps",
    "sparse",
    "rare",
    "dead",
    "constant",
    "binary",
    "tiny",
)


def unit_of(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    normal = rng.standard_normal(shape)
    image = rng.random((shape[0], 1, 1))
    made = {
        "relu": np.maximum(normal - 0.3, 0) * (0.1 + image),
        "signed": normal,
        "negative": -np.abs(normal) - 3,
        "relu6": np.clip(normal * 4 + 3, 0, 6),
        "steps": np.round(normal),
        "sparse": np.where(rng.random(shape) < 0.01, np.abs(normal), 0),
        "rare": np.where(image > 0.9, np.maximum(normal, 0) * 100, 0),
        "dead": np.zeros(shape) * -1.0,
        "constant": np.full(shape, 1.25),
        "binary": np.where(rng.random(shape) < 0.3, 6.0, 0.0),
        "tiny": np.maximum(normal, 0) * 1e-40,
    }
    return made[kind].astype(np.float32)


def make_case(seed: int, images: int, grid: tuple[int, int], size: tuple[int, int]) -> Case:
    rng = np.random.default_rng(seed)
    responses = np.stack([unit_of(kind, rng, (images, *grid)) for kind in KINDS], 1)
    category_of = np.array([0, 0, 0, 1, 1])
    planes = np.zeros((images, 3, *size), np.uint16)
    planes[:, 0] = rng.integers(0, 4, (images, *size))
    planes[:, 1] = np.where(rng.random((images, *size)) < 0.2, 4, 0)
    planes[:, 2] = np.where(planes[:, 1] == 0, 5 * rng.integers(0, 2, (images, *size)), 0)
    planes[rng.random(images) < 0.3, 1:] = 0
    colours = rng.integers(0, 256, (images, *size, 3), dtype=np.uint8)
    valid = rng.random(images) > 0.2
    valid[0] = True
    return Case(responses, planes, colours, category_of, valid)


def annotations_of(case: Case) -> list[list[tuple[str, np.ndarray]]]:
    """Label numbers are concept + 1; plane 0 is category a, planes 1 and 2 are category b."""
    return [list(zip("abb", planes.astype(int), strict=True)) for planes in case.planes]


CONCEPTS = [(1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "b")]


@pytest.mark.parametrize("quantile", [0.005, 0.05, 0.3, 0.9])
@pytest.mark.parametrize(
    ("images", "grid", "size"), [(12, (9, 9), (14, 14)), (7, (16, 12), (8, 8)), (40, (5, 7), (15, 11))]
)
def test_equal_to_the_reference(
    images: int, grid: tuple[int, int], size: tuple[int, int], quantile: float
) -> None:
    case = make_case(images, images, grid, size)
    batches = [list(range(start, min(start + 5, images))) for start in range(0, images, 5)]
    result = run(case, quantile, batches, pilot=[0])
    expected = reference.profile(
        case.responses,
        annotations_of(case),
        CONCEPTS,
        ["a", "b"],
        size=size,
        quantile=quantile,
        valid=case.valid,
    )
    np.testing.assert_array_equal(result.thresholds.value, expected["threshold"])
    np.testing.assert_array_equal(
        result.thresholds.state, [STATES[state] for state in expected["state"].tolist()]
    )
    np.testing.assert_array_equal(result.tally.exceeding, expected["exceeding"])
    np.testing.assert_array_equal(result.counted.counts.maximum, expected["maximum"])
    np.testing.assert_array_equal(result.tally.intersection[:, 1:], expected["intersection"])
    np.testing.assert_array_equal(result.tally.active, expected["active"])
    np.testing.assert_array_equal(result.tally.active_total, expected["active_total"])
    colours = reference.colour_sums(expected["mask"], case.colours, case.valid)
    np.testing.assert_array_equal(result.tally.colour_sum, colours)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    quantile=st.sampled_from([0.001, 0.005, 0.02, 0.2, 0.5]),
    pilot=st.integers(0, 9),
    order=st.permutations(range(5)),
)
def test_any_pilot_and_any_order_give_the_same(
    seed: int, quantile: float, pilot: int, order: list[int]
) -> None:
    case = make_case(seed, 10, (6, 6), (9, 9))
    plain = run(case, quantile, [list(range(10))], pilot=[0])
    split = run(case, quantile, [[2 * i, 2 * i + 1] for i in order], pilot=[pilot])
    np.testing.assert_array_equal(plain.thresholds.value, split.thresholds.value)
    np.testing.assert_array_equal(plain.thresholds.state, split.thresholds.state)
    for name in ("intersection", "active", "active_total", "exceeding", "colour_sum"):
        np.testing.assert_array_equal(getattr(plain.tally, name), getattr(split.tally, name))
    np.testing.assert_array_equal(plain.counted.top_image, split.counted.top_image)


def test_exactly_k_positions_exceed_an_untied_threshold() -> None:
    case = make_case(5, 30, (11, 11), (11, 11))
    result = run(case, 0.005, [list(range(30))], pilot=[3])
    wanted = round(0.005 * int(case.valid.sum()) * 121)
    live = result.thresholds.state == State.LIVE
    assert live.any()
    assert (result.tally.exceeding[live] == wanted).all()


def test_a_crowded_bracket_is_searched_more_finely(monkeypatch: pytest.MonkeyPatch) -> None:
    """With hardly any room for lists, more rounds are counted and the answer stays the same."""
    case = make_case(9, 12, (9, 9), (14, 14))
    batches = [list(range(12))]
    plain = run(case, 0.05, batches, pilot=[0])
    monkeypatch.setattr("interpret_core.measures.dissection.brackets.LISTED", 1)
    monkeypatch.setattr("interpret_core.measures.dissection.brackets.LEAST_LISTED", 1)
    fine = run(case, 0.05, batches, pilot=[0])
    assert fine.rounds > plain.rounds
    np.testing.assert_array_equal(plain.thresholds.value, fine.thresholds.value)
    np.testing.assert_array_equal(plain.tally.intersection, fine.tally.intersection)


def test_units_with_more_to_list_than_there_is_room_are_listed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case(4, 12, (9, 9), (14, 14))
    plain = run(case, 0.3, [list(range(12))], pilot=[0])
    monkeypatch.setattr("interpret_core.measures.dissection.tally.ROOM", 1)
    narrow = run(case, 0.3, [list(range(12))], pilot=[0])
    np.testing.assert_array_equal(plain.tally.intersection, narrow.tally.intersection)
    np.testing.assert_array_equal(plain.tally.exceeding, narrow.tally.exceeding)


def test_strongest_images_and_masks() -> None:
    case = make_case(6, 40, (9, 7), (14, 15))
    result = run(case, 0.05, [list(range(20)), list(range(20, 40))], pilot=[0])
    expected = reference.top_images(case.responses, TOP, case.valid)
    np.testing.assert_array_equal(result.counted.top_image, expected["top_image"])
    present = expected["top_image"] >= 0
    np.testing.assert_array_equal(result.counted.top_response[present], expected["top_response"][present])
    wanted = np.zeros((40, len(KINDS)), bool)
    units, ranks = np.nonzero(present)
    wanted[expected["top_image"][units, ranks], units] = True
    runs = encode(units_last(case.responses), result.thresholds.value, wanted, case.size)
    literal = reference.masks(case.responses, result.thresholds.value, case.size)
    for unit, rank in zip(units, ranks, strict=True):
        image = expected["top_image"][unit, rank]
        place = image * len(KINDS) + unit
        mine = runs.runs[runs.offsets[place] : runs.offsets[place + 1]]
        assert [tuple(run) for run in mine.tolist()] == reference.mask_runs(literal[image, unit])
        np.testing.assert_array_equal(decode(mine, case.size), literal[image, unit])
        assert runs.peaks[place] == expected["top_peak"][unit, rank]


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=2, max_size=50))
def test_keys_keep_the_order_of_floats(values: list[float]) -> None:
    array = np.array(values, np.float32)
    keys = key_of(array)
    assert (np.argsort(keys, kind="stable") == np.argsort(array + np.float32(0), kind="stable")).all()
    np.testing.assert_array_equal(value_of(keys), array + np.float32(0))
