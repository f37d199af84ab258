"""Windows of counting: the finest that hold a span, in whole numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from interpret_core.measures.dissection.counts import Windows, bins_for


@given(st.lists(st.integers(1, 1 << 33), min_size=1, max_size=40), st.integers(0, 1 << 31))
def test_windows_are_the_finest_that_hold_their_span(spans: list[int], start: int) -> None:
    # Beside each span the powers of two and their neighbours, where a logarithm could round to either side.
    bins = bins_for(len(spans))
    spans[0] = max(spans[0], bins) // bins * bins
    low = np.full(len(spans), start, np.int64)
    windows = Windows.spanning(low, low + np.array(spans), np.zeros(len(spans), np.bool_))
    for span, shift in zip(spans, windows.shift.tolist(), strict=True):
        assert bins << shift >= span
        assert shift == 0 or bins << (shift - 1) < span


def test_windows_of_powers_of_two() -> None:
    bins = bins_for(1)
    for power in range(34):
        for beside in (-1, 0, 1):
            span = max((1 << power) + beside, 1)
            (shift,) = Windows.spanning(np.zeros(1, np.int64), np.array([span]), np.zeros(1, np.bool_)).shift
            assert shift == max((-(-span // bins) - 1).bit_length(), 0)
