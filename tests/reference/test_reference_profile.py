"""The reference against answers worked out by hand, and against torch where torch has the same thing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from . import profile


def cut(values: list[float], quantile: float) -> tuple[float, str, int]:
    found, state, above = profile.threshold(np.array(values, np.float32), quantile)
    assert found.dtype == np.float32
    return float(found), state, above


@pytest.mark.parametrize(
    ("values", "quantile", "expected"),
    [
        pytest.param([1, 2, 3, 4], 0.25, (3.5, "live", 1), id="midpoint"),
        pytest.param([4, 1, 3, 2], 0.5, (2.5, "live", 2), id="order does not matter"),
        pytest.param([-4, -1, -3, -2], 0.5, (-2.5, "live", 2), id="negative responses"),
        pytest.param([0, 0, 0, 8], 0.25, (4, "live", 1), id="fires on exactly k"),
        pytest.param([0, 0, 0, 8], 0.5, (0, "tied", 1), id="fires on fewer than k"),
        pytest.param([0, 0, 0, 0], 0.5, (0, "dead", 0), id="dead"),
        pytest.param([-0.0, 0, -0.0, 0], 0.5, (0, "dead", 0), id="dead with negative zeros"),
        pytest.param([5, 5, 5, 5], 0.5, (5, "tied", 0), id="constant"),
        pytest.param([-5, -5, -5, -5], 0.5, (-5, "tied", 0), id="negative constant"),
        pytest.param([6, 6, 6, 1], 0.5, (1, "tied", 3), id="saturated: next lower value"),
        pytest.param(
            [6, 6, 6, 2, 2, 1], 1 / 3, (2, "tied", 3), id="saturated: all of the lower value stay out"
        ),
        pytest.param([6, 6, 2, 1], 0.5, (4, "live", 2), id="saturated on exactly k"),
        pytest.param([9, 6, 6, 1], 0.5, (6, "tied", 1), id="tie below the maximum"),
        pytest.param([1, 2, 3, 4], 0.1, (4, "live", 0), id="k = 0"),
        pytest.param([4, 4, 3, 2], 0.1, (4, "live", 0), id="k = 0 with a tied maximum"),
        pytest.param([-3, -2], 0.1, (-2, "live", 0), id="k = 0, negative"),
    ],
)
def test_threshold(values: list[float], quantile: float, expected: tuple[float, str, int]) -> None:
    assert cut(values, quantile) == expected


def test_halves_round_to_even() -> None:
    assert [profile.positions_above(n, 0.5) for n in (1, 3, 5)] == [0, 2, 2]
    assert [profile.positions_above(n, 0.005) for n in (99, 100, 101, 1000)] == [0, 0, 1, 5]


def test_all_positions_exceed_at_k_equal_n() -> None:
    found, state, above = cut([3, 3, 5], 0.9)
    assert found == float(np.nextafter(np.float32(3), np.float32(0)))
    assert (state, above) == ("live", 3)


def test_neighbouring_floats_take_the_lower_one() -> None:
    one = np.float32(1)
    after = np.nextafter(one, np.float32(2))
    later = np.nextafter(after, np.float32(2))
    for lower, upper in ((one, after), (after, later)):
        assert cut([upper, lower], 0.5) == (float(lower), "live", 1)
    smallest = np.nextafter(np.float32(0), one)
    assert cut([smallest, 0], 0.5) == (0, "live", 1)


def test_a_response_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        cut([1, float("nan")], 0.5)


@given(
    st.lists(st.floats(-8, 8, width=16), min_size=2, max_size=40),
    st.floats(0.001, 0.999),
)
def test_exactly_k_exceed_unless_tied_or_dead(values: list[float], quantile: float) -> None:
    found, state, above = cut(values, quantile)
    assert above == sum(value > found for value in values)
    if state == "live":
        assert above == profile.positions_above(len(values), quantile)
    elif state == "dead":
        assert not any(values)
    else:
        assert above != profile.positions_above(len(values), quantile)


def test_thresholds_leave_invalid_images_out() -> None:
    responses = np.array([[[[1, 2]]], [[[90, 80]]], [[[3, 4]]]], np.float32)
    found = profile.thresholds(responses, 0.25, [True, False, True])
    assert found["threshold"].tolist() == [3.5]
    assert found["exceeding"].tolist() == [1]
    assert found["maximum"].tolist() == [4]
    assert found["state"].tolist() == ["live"]


def test_bilinear_by_hand() -> None:
    row = profile.bilinear(np.array([[0, 8]]), 1, 4)
    assert row.tolist() == [[0, 2, 6, 8]]
    square = profile.bilinear(np.array([[0, 4], [8, 16]]), 4, 4)
    assert square.tolist() == [[0, 1, 3, 4], [2, 3.25, 5.75, 7], [6, 7.75, 11.25, 13], [8, 10, 14, 16]]
    assert square.dtype == np.float32
    assert profile.bilinear(np.array([[3]]), 2, 3).tolist() == [[3] * 3] * 2
    same = np.arange(12).reshape(3, 4)
    assert profile.bilinear(same, 3, 4).tolist() == same.tolist()


def test_downsampling_by_two_averages_and_by_four_skips() -> None:
    values = np.arange(8)[None]
    assert profile.bilinear(values, 1, 4).tolist() == [[0.5, 2.5, 4.5, 6.5]]
    assert profile.bilinear(values, 1, 2).tolist() == [[1.5, 5.5]]


SIZES = [
    (13, 13, 112, 112),
    (55, 55, 113, 113),
    (224, 224, 112, 112),
    (7, 9, 20, 11),
    (30, 4, 7, 9),
    (1, 5, 3, 3),
]


@pytest.mark.parametrize(("h", "w", "height", "width"), SIZES)
def test_bilinear_equals_torch(h: int, w: int, height: int, width: int) -> None:
    grid = np.random.default_rng(h).normal(size=(h, w)).astype(np.float32)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(grid)[None, None],
        (height, width),
        mode="bilinear",
        align_corners=False,
        antialias=False,
    )[0, 0].numpy()
    np.testing.assert_allclose(profile.bilinear(grid, height, width), theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("h", "w", "height", "width"), SIZES)
def test_bilinear_equals_its_formula_one_pixel_at_a_time(h: int, w: int, height: int, width: int) -> None:
    grid = np.random.default_rng(w).normal(size=(h, w)).astype(np.float32)
    f = np.float32
    out = np.empty((height, width), np.float32)
    for i in range(height):
        for j in range(width):
            y = max((i + 0.5) * h / height - 0.5, 0.0)
            x = max((j + 0.5) * w / width - 0.5, 0.0)
            y0, x0 = min(int(np.floor(y)), h - 1), min(int(np.floor(x)), w - 1)
            y1, x1 = min(y0 + 1, h - 1), min(x0 + 1, w - 1)
            wy, wx = f(y - y0), f(x - x0)
            a, b, c, d = grid[y0, x0], grid[y0, x1], grid[y1, x0], grid[y1, x1]
            left = f(a + f(f(c - a) * wy))
            right = f(b + f(f(d - b) * wy))
            out[i, j] = f(left + f(f(right - left) * wx))
    assert np.array_equal(profile.bilinear(grid, height, width), out)


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(3, 5, 17, 13), (9, 9, 4, 31), (2, 2, 112, 112)]))
def test_no_resampled_value_leaves_the_range_of_the_map(seed: int, sizes: tuple[int, int, int, int]) -> None:
    """What lets a map whose maximum is at most T be skipped, also after rounding."""
    generator = np.random.default_rng(seed)
    grid = (generator.normal(size=sizes[:2]) * 10.0 ** generator.integers(-20, 20, sizes[:2])).astype(
        np.float32
    )
    out = profile.bilinear(grid, *sizes[2:])
    assert out.max() <= grid.max()
    assert out.min() >= grid.min()


def test_masks_are_strictly_above() -> None:
    responses = np.array([[[[0, 1]], [[5, 6]]]], np.float32)
    found = profile.masks(responses, np.array([0, 6], np.float32), (1, 2))
    assert found.tolist() == [[[[False, True]], [[False, False]]]]


CATEGORIES = ("object", "part")
CONCEPTS = [(3, "object"), (7, "object"), (3, "part"), (9, "part")]


@pytest.fixture
def scene() -> tuple[np.ndarray, list[profile.Annotation]]:
    """Three images of 1×4 pixels, two units; worked out in `test_tally_by_hand`."""
    mask = np.array(
        [[[1, 1, 0, 0], [0, 0, 0, 1]], [[1, 1, 1, 1], [0, 0, 0, 0]], [[0, 0, 1, 1], [1, 1, 1, 0]]]
    )
    annotations: list[profile.Annotation] = [
        [
            ("object", np.array([[3, 3, 7, 0]])),
            ("part", np.array([[3, 0, 0, 0]])),
            ("part", np.array([[3, 9, 0, 0]])),
        ],
        [("object", np.array([[7, 0, 0, 0]])), ("part", np.array([[0, 0, 0, 0]]))],
        [("object", np.array([[0, 0, 3, 3]]))],
    ]
    return mask[:, :, None, :].astype(bool), annotations


def test_tally_by_hand(scene: tuple[np.ndarray, list[profile.Annotation]]) -> None:
    mask, annotations = scene
    found = profile.tally(mask, annotations, CONCEPTS, CATEGORIES)
    assert found["category_member"].tolist() == [[True, True], [True, False], [True, False]]
    assert found["category_images"].tolist() == [3, 1]
    assert found["active_total"].tolist() == [8, 4]
    assert found["active"].tolist() == [[8, 2], [4, 1]]
    assert found["concept_pixels"].tolist() == [4, 2, 1, 1]
    assert found["concept_images"].tolist() == [2, 2, 1, 1]
    assert found["intersection"].tolist() == [[4, 1, 1, 1], [1, 0, 0, 0]]


def test_an_invalid_image_counts_nowhere(scene: tuple[np.ndarray, list[profile.Annotation]]) -> None:
    mask, annotations = scene
    found = profile.tally(mask, annotations, CONCEPTS, CATEGORIES, [True, False, True])
    kept = profile.tally(mask[[0, 2]], [annotations[0], annotations[2]], CONCEPTS, CATEGORIES)
    for name in set(found) - {"category_member"}:
        assert found[name].tolist() == kept[name].tolist(), name
    assert found["category_member"].tolist() == [[True, True], [False, False], [True, False]]


def test_other_categories_are_not_looked_at(scene: tuple[np.ndarray, list[profile.Annotation]]) -> None:
    mask, annotations = scene
    only = [concept for concept in CONCEPTS if concept[1] == "part"]
    counts = profile.tally(mask, annotations, only, ["part"])
    assert counts["intersection"].tolist() == [[1, 1], [0, 0]]
    assert counts["active"].tolist() == [[2], [1]]


def test_an_unknown_label_number_is_refused(scene: tuple[np.ndarray, list[profile.Annotation]]) -> None:
    mask, annotations = scene
    with pytest.raises(ValueError, match=r"\[7\].*object"):
        profile.tally(mask, annotations, [(3, "object")], ["object"])


def test_colours_and_shades_by_hand() -> None:
    mask = np.array([[[[1, 1, 0]]], [[[0, 1, 0]]]], bool)
    colours = np.zeros((2, 1, 3, 3), np.uint8)
    colours[0, 0] = [(250, 1, 2), (10, 20, 30), (9, 9, 9)]
    colours[1, 0, 1] = (255, 255, 0)
    assert profile.colour_sums(mask, colours).tolist() == [[515, 276, 32]]
    assert profile.colour_sums(mask, colours, [True, False]).tolist() == [[260, 21, 32]]
    shades = np.array([[[0, 2, 2]], [[1, 1, 0]]])
    found = profile.shade_tally(mask, shades, 3)
    assert found["shade_pixels"].tolist() == [2, 2, 2]
    assert found["shade_intersection"].tolist() == [[1, 1, 1]]


def test_top_images_by_hand() -> None:
    responses = np.array([[[[1, 5]]], [[[5, 5]]], [[[9, 9]]], [[[7, 0]]]], np.float32)
    found = profile.top_images(responses, 4, [True, True, False, True])
    assert found["top_image"].tolist() == [[3, 0, 1, -1]]
    assert found["top_response"].tolist() == [[7, 5, 5, 0]]
    assert found["top_peak"].tolist() == [[0, 1, 0, -1]]


def test_mask_runs_cross_line_ends() -> None:
    assert profile.mask_runs(np.array([[0, 1, 1], [1, 0, 1]], bool)) == [(1, 3), (5, 1)]
    assert profile.mask_runs(np.zeros((2, 2), bool)) == []


def test_profile_in_one_call() -> None:
    """One unit on 2×2, annotated on 4×4; see `test_bilinear_by_hand`: T = 12 leaves 13, 14, 16."""
    responses = np.array([[[[0, 4], [8, 16]]]], np.float32)
    labels = np.zeros((4, 4), int)
    labels[3] = 1
    found = profile.profile(
        responses, [[("object", labels)]], [(1, "object")], ["object"], size=(4, 4), quantile=0.25
    )
    assert found["threshold"].tolist() == [12]
    assert found["active_total"].tolist() == [3]
    assert found["intersection"].tolist() == [[2]]
