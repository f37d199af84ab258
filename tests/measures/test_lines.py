"""One linear operator: interpolation between the positions, constant beyond them, against numpy's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from interpret_core.measures.attribution.units import pulled_down, unit_sums, upsampling
from interpret_core.measures.dissection.bilinear import axis
from interpret_core.measures.dissection.masks import decode, encode
from interpret_core.positions import GridLine, GridLines, coordinates

LINES = st.builds(GridLine, st.floats(0.5, 40), st.floats(-3, 20))


def along(values: np.ndarray, line: GridLine, target: int) -> np.ndarray:
    """(target, …) by numpy's interpolation between the centres, which holds the outermost values."""
    centres = [line.share(at) for at in range(len(values))]
    pixels = (np.arange(target) + 0.5) / target
    columns = values.reshape(len(values), -1).T
    return np.array([np.interp(pixels, centres, column) for column in columns]).T.reshape(
        target, *values.shape[1:]
    )


def literal(values: np.ndarray, lines: GridLines, size: tuple[int, int]) -> np.ndarray:
    """(H, W) of (h, w)."""
    return along(along(values, lines.rows, size[0]).T, lines.columns, size[1]).T


@settings(deadline=None)
@given(line=LINES, source=st.integers(1, 14), target=st.integers(1, 40), seed=st.integers(0, 99))
def test_tables_and_matrix_are_one_interpolation(line: GridLine, source: int, target: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=source)
    expected = along(values, line, target)
    matrix = upsampling(source, target, line)
    np.testing.assert_allclose(matrix @ values, expected, atol=1e-9)
    np.testing.assert_allclose(matrix.sum(1), 1)
    table = axis(source, target, line)
    following = values[np.minimum(table.low + 1, source - 1)]
    tabled = values[table.low] + (following - values[table.low]) * table.weight
    np.testing.assert_allclose(tabled, expected, atol=1e-5)
    assert table.start[0] == 0
    assert table.start[-1] == target
    assert (np.repeat(np.arange(source), np.diff(table.start)) == table.low).all()


@settings(deadline=None)
@given(
    rows=LINES,
    columns=LINES,
    grid=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    size=st.tuples(st.integers(1, 16), st.integers(1, 16)),
    seed=st.integers(0, 99),
)
def test_sums_and_masks_are_those_of_maps_drawn_out(
    rows: GridLine, columns: GridLine, grid: tuple[int, int], size: tuple[int, int], seed: int
) -> None:
    random, lines = np.random.default_rng(seed), GridLines(rows, columns)
    values = random.normal(size=(1, 2, *grid)).astype(np.float32)
    masks = random.random((1, *size)) < 0.4
    drawn = np.array([literal(np.abs(one), lines, size) for one in values[0].astype(np.float64)])
    found = unit_sums(torch.from_numpy(values), masks, lines)
    np.testing.assert_allclose(found.relevance[0], (drawn * masks).sum((1, 2)), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.total[0], drawn.sum((1, 2)), rtol=1e-9, atol=1e-9)
    inside = pulled_down(masks, grid, lines)
    whole = pulled_down(np.ones_like(masks), grid, lines)
    share = np.where(whole > 0, inside / np.where(whole > 0, whole, 1), 0)
    np.testing.assert_allclose(found.mass[0], (np.abs(values[0]) * share).sum((1, 2)), rtol=1e-9)
    threshold = np.float32([0.1, 0.4])
    units_last = np.ascontiguousarray(values.transpose(0, 2, 3, 1))
    runs = encode(units_last, threshold, np.ones((1, 2), bool), size, lines)
    for unit in range(2):
        mine = decode(runs.runs[runs.offsets[unit] : runs.offsets[unit + 1]], size)
        sure = np.abs(literal(values[0, unit], lines, size) - threshold[unit]) > 1e-5
        expected = literal(values[0, unit], lines, size) > threshold[unit]
        np.testing.assert_array_equal(mine[sure], expected[sure])


def test_a_grid_that_is_spread_evenly_fills_the_picture() -> None:
    assert GridLines.evenly((4, 2)).rows.share(0) == pytest.approx(1 / 8)
    assert GridLines.evenly((4, 2)).columns.share(1) == pytest.approx(3 / 4)
    assert coordinates(GridLine(4, 0.5), 4, 4).tolist() == [0, 1, 2, 3]
    assert coordinates(GridLine(32, 4.5), 24, 32).tolist() == [0] * 4 + list(range(24)) + [23] * 4
    assert GridLines.from_note(GridLines(GridLine(3.5, 1), GridLine(2, 0.25)).note()) == GridLines(
        GridLine(3.5, 1), GridLine(2, 0.25)
    )
