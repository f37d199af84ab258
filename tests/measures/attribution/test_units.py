"""Relevance per unit against the version that upsamples every map and multiplies by the mask."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from interpret_core.measures.attribution.units import pulled_down, unit_sums


def upsampled(values: torch.Tensor, size: tuple[int, int]) -> np.ndarray:
    return functional.interpolate(values, size, mode="bilinear", align_corners=False).numpy()


@settings(deadline=None)  # the first call imports and allocates
@given(
    grid=st.tuples(st.integers(1, 14), st.integers(1, 14)),
    size=st.tuples(st.integers(1, 16), st.integers(1, 16)),
    seed=st.integers(0, 99),
)
def test_sums_equal_those_of_upsampled_maps(grid: tuple[int, int], size: tuple[int, int], seed: int) -> None:
    random = np.random.default_rng(seed)
    values = torch.from_numpy(random.normal(size=(2, 3, *grid)))
    masks = random.random((2, *size)) < 0.4
    found = unit_sums(values, masks)
    inside = masks[:, None]
    for name, part in (("positive", values.clamp(min=0)), ("negative", values.clamp(max=0))):
        expected = (upsampled(part, size) * inside).sum((2, 3))
        np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-9, atol=1e-12)
    absolute = upsampled(values.abs(), size)
    np.testing.assert_allclose(found.relevance, (absolute * inside).sum((2, 3)), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.total, absolute.sum((2, 3)), rtol=1e-9, atol=1e-12)


def test_a_whole_mask_pulls_down_to_the_pixels_of_the_annotation_grid() -> None:
    whole = np.ones((1, 112, 112), bool)
    assert pulled_down(whole, (13, 13)).sum() == pytest.approx(112 * 112)
    assert pulled_down(whole, (1, 1)).ravel().tolist() == [112 * 112]
    assert pulled_down(~whole, (13, 13)).sum() == 0


def test_memory_format_does_not_matter() -> None:
    values = torch.randn(2, 5, 7, 6)
    masks = np.random.default_rng(0).random((2, 12, 12)) < 0.5
    one, other = (
        unit_sums(values, masks),
        unit_sums(values.contiguous(memory_format=torch.channels_last), masks),
    )
    np.testing.assert_allclose(one.relevance, other.relevance, rtol=1e-12)
