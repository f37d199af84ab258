from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from interpret_core.datasets import colours, open_dataset, shades, survey
from interpret_core.datasets.colours import (
    COLOUR_NAMES,
    describe,
    distinct,
    name_indices,
    nearest,
    to_lab,
    to_rgb,
)
from interpret_core.datasets.shades import CELLS, STEPS, cell_centres, cell_of, make_shades
from tests.planted_dataset import PALETTE, make_planted


def counts(pixels: np.ndarray) -> np.ndarray:
    return np.bincount(cell_of(pixels.astype(np.uint8)).reshape(-1), minlength=32**3)


def photograph(seed: int = 0) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(120, 60, (80, 80, 3)), 0, 255).astype(np.uint8)


def test_cells_are_eighths_of_the_channels() -> None:
    for colour in ((0, 0, 0), (255, 255, 255), (7, 8, 200), (128, 15, 16)):
        index = int(cell_of(np.array(colour, dtype=np.uint8)))
        assert np.unravel_index(index, (32, 32, 32)) == tuple(c // 8 for c in colour)
        expected = to_lab([c // 8 * 8 + 4 for c in colour])
        np.testing.assert_allclose(cell_centres()[index] / STEPS, expected, atol=0.5001 / STEPS)


def test_a_photograph_has_sixty_four_distinct_shades() -> None:
    cells = counts(photograph())
    shades = make_shades(cells)
    assert len(shades) == 64
    assert shades.table.shape == (32, 32, 32)
    assert len(set(shades.names)) == 64
    totals = shades.totals(cells)
    assert totals.sum() == 80 * 80
    assert totals.min() > 0
    assert (np.diff(shades.lab[:, 0]) >= -1e-2).all()  # by lightness


def test_the_table_is_the_nearest_centre_of_the_cells_centre() -> None:
    shades = make_shades(counts(photograph()))
    pixels = photograph(1)
    lab = cell_centres()[cell_of(pixels).reshape(-1)] / STEPS
    distance = ((lab[:, None] - shades.lab[None]) ** 2).sum(axis=2)
    chosen = shades.of(pixels).reshape(-1)
    assert chosen.dtype == np.uint8
    np.testing.assert_allclose(distance[np.arange(len(chosen)), chosen], distance.min(axis=1))


def test_k_means_has_converged() -> None:
    cells = counts(photograph())
    shades = make_shades(cells)
    owner = shades.table.reshape(-1)
    centres = cell_centres()
    for s in range(len(shades)):
        mine = owner == s
        mean = np.average(centres[mine], axis=0, weights=cells[mine])
        np.testing.assert_allclose(mean, shades.lab[s] * STEPS, atol=0.5001)


def test_shades_are_seeded_and_scale_free() -> None:
    cells = counts(photograph())
    first, again, tenfold = make_shades(cells), make_shades(cells), make_shades(cells * 10)
    np.testing.assert_array_equal(first.lab, again.lab)
    np.testing.assert_array_equal(first.table, tenfold.table)
    assert not np.array_equal(first.lab, make_shades(cells, seed=1).lab)


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None)
def test_few_colours_give_one_shade_each(colours: list[tuple[int, int, int]]) -> None:
    pixels = np.array(colours, dtype=np.uint8)
    cells = counts(pixels)
    shades = make_shades(cells)
    assert len(shades) == len(set(cell_of(pixels).tolist()))
    assert shades.totals(cells).min() > 0
    assert np.abs(shades.rgb[shades.of(pixels)].astype(int) - pixels).max() <= 8


def test_planted_colours_are_counted_exactly(tmp_path: Path) -> None:
    planted = make_planted(tmp_path / "p", images=4, size=64, annotation=32)
    dataset = open_dataset(planted.root)
    found = survey(dataset, dataset.concepts())
    red = int(found.shades.of(np.array([255, 0, 0], dtype=np.uint8)))
    assert found.shade_pixels[red] == planted.pixels("object", "red square")
    assert "red" in found.shades.names[red]


def test_the_basic_colours_have_their_names() -> None:
    for name, values in PALETTE.items():
        for colour in values:
            assert COLOUR_NAMES[int(name_indices(colour))] == name, colour


def test_lightness_words_and_numbers() -> None:
    lab = to_lab([[0, 60, 0], [0, 70, 0], [0, 160, 0], [160, 255, 160], [0, 0, 0], [200, 225, 255]])
    assert describe(lab) == ("dark green", "dark green 2", "green", "light green", "black", "light blue")
    assert distinct(["a", "b", "a", "a"]) == ("a", "b", "a 2", "a 3")


def test_lab_and_back() -> None:
    colours = np.random.default_rng(3).integers(0, 256, (50, 3))
    np.testing.assert_array_equal(to_rgb(to_lab(colours)), colours)


def test_nearest_takes_the_first_of_equals() -> None:
    points = np.array([[0, 0, 0], [1 << 23, -1, 3]])
    centres = np.array([[1, 0, 0], [0, 1, 0], [2, 0, 0], [1 << 23, 0, 3], [1 << 23, -2, 3]])
    assert nearest(points, centres).tolist() == [0, 3]


def test_nearest_is_exact_to_the_last_step() -> None:
    random = np.random.default_rng(2)
    points, centres = (random.integers(-(1 << 23), 1 << 23, (n, 3)) for n in (500, 40))
    centres[1::2] = centres[::2] + random.integers(-1, 2, (20, 3))  # pairs that a step tells apart
    distance = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
    assert distance.max() > 2**48
    np.testing.assert_array_equal(nearest(points, centres), distance.argmin(axis=1))


# Another processor's arithmetic: the same to about 1e-13 of a unit. The bytes must not depend on it.


def test_no_cell_lies_where_arithmetic_could_round_it_otherwise() -> None:
    steps = to_lab(np.stack(np.indices((CELLS,) * 3), axis=-1).reshape(-1, 3) * 8 + 4) * STEPS
    assert np.abs(steps - np.floor(steps) - 0.5).min() > 1e-6, "800 times what processors differ by"
    np.testing.assert_array_equal(np.rint(steps), cell_centres())


@pytest.mark.parametrize("seed", range(3))
def test_shades_do_not_depend_on_the_last_digits_of_the_arithmetic(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = counts(photograph())
    expected = make_shades(cells)
    random = np.random.default_rng(seed)

    def disturbed(function: Callable[[ArrayLike], NDArray[Any]]) -> Callable[[ArrayLike], NDArray[Any]]:
        return lambda value: function(value) + random.uniform(-1e-12, 1e-12, np.shape(value))

    monkeypatch.setattr(shades, "to_lab", disturbed(to_lab))
    monkeypatch.setattr(colours, "rgb2lab", disturbed(colours.rgb2lab))
    monkeypatch.setattr(colours, "lab2rgb", disturbed(colours.lab2rgb))
    found = make_shades(cells)
    assert found.lab.tobytes() == expected.lab.tobytes()
    assert found.rgb.tobytes() == expected.rgb.tobytes()
    assert found.table.tobytes() == expected.table.tobytes()
    assert found.names == expected.names


def test_names_do_not_depend_on_the_last_digits_of_the_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of all 2**24 colours has another name at 1e-7 units from it; here a sample, at 1e-9."""
    random = np.random.default_rng(0)
    sample = random.integers(0, 256, (200_000, 3))
    expected = name_indices(sample)
    exact = to_lab(sample)
    for _ in range(2):
        monkeypatch.setattr(colours, "to_lab", lambda _: exact + random.choice([-1e-9, 1e-9], exact.shape))
        np.testing.assert_array_equal(name_indices(sample), expected)


def test_shades_of_one_lightness_are_in_the_order_of_their_hue() -> None:
    random = np.random.default_rng(1)
    centres = [(50 * STEPS, *ab) for ab in random.integers(-100, 101, (300, 2)).tolist()]
    centres += [(50 * STEPS, a, b) for a, b in ((0, 0), (5, 0), (-5, 0), (0, 5), (0, -5), (7, 7), (3, 3))]
    ordered = sorted(centres, key=shades._place)
    hues = [np.arctan2(b, a) for _, a, b in ordered]
    assert (np.diff(hues) > -1e-12).all()


def test_a_data_set_of_any_size_has_shades() -> None:
    """Sums of coordinates times pixels must not wrap around."""
    cells = counts(photograph())
    many = make_shades(cells * (1 << 45))
    assert many.lab.tobytes() == make_shades(cells * (1 << 20)).lab.tobytes()
    assert many.totals(cells).sum() == cells.sum()


@pytest.mark.real
@pytest.mark.skipif(not os.environ.get("INTERPRET_REAL_DATA"), reason="INTERPRET_REAL_DATA is not set")
def test_names_agree_with_how_people_name_colours() -> None:
    table = np.load(Path(os.environ["INTERPRET_REAL_DATA"]) / "color_names_32x32x32.npy")
    steps = np.arange(32) * 8 + 4
    mine = name_indices(np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1))
    assert (mine == table).mean() >= 0.85
