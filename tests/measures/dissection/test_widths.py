"""Counts never overflow: they get room before it can happen, and what is kept loses nothing."""

from __future__ import annotations

import numpy as np
import pytest

from interpret_core.measures.dissection.counts import Counts, Windows
from interpret_core.measures.dissection.listed import Annotated
from interpret_core.measures.dissection.tally import Tally
from interpret_core.measures.dissection.widths import added, narrowed, room_for, widened

MOST = np.iinfo(np.int32).max


@pytest.mark.parametrize(
    ("largest", "kind"),
    [(0, np.uint8), (255, np.uint8), (256, np.uint16), (65_536, np.uint32), (2**32, np.int64)],
)
def test_the_narrowest_kind_that_holds_all(largest: int, kind: type) -> None:
    counts = np.array([[3, largest]], np.int64)
    small = narrowed(counts)
    assert small.dtype == kind
    assert np.array_equal(small, counts)
    again = widened(small)
    assert again.dtype == (np.int32 if largest <= MOST else np.int64)
    assert np.array_equal(again, counts)


def test_sums_get_room_before_they_overflow() -> None:
    counts, more = np.array([MOST - 1, 5], np.int32), np.array([1, 0], np.int64)
    same = added(counts, more)
    assert same is counts
    assert same.tolist() == [MOST, 5]
    wider = added(same, np.array([1, 1], np.uint8))
    assert wider.tolist() == [MOST + 1, 6]
    assert wider.dtype == np.int64
    assert room_for(wider, 2**40) is wider


def test_a_histogram_gets_room_with_its_positions() -> None:
    counts = Counts.empty(1)
    windows = Windows.whole(np.zeros(1, np.float32))
    counts.positions = MOST - 1
    slot = int(counts.bins) // 2
    counts.histogram[0, slot] = MOST - 1
    ones = np.full((1, 4, 1), windows_value(windows, slot), np.float32)
    counts.add(ones, np.ones(1, np.bool_), windows)
    assert counts.histogram[0, slot] == MOST + 3


def windows_value(windows: Windows, slot: int) -> float:
    from interpret_core.measures.dissection.counts import value_of

    return float(value_of(windows.key_at(np.array([slot])))[0])


@pytest.mark.slow
def test_a_tally_gets_room_with_its_pixels() -> None:
    from interpret_core.measures.dissection.brackets import Brackets

    tally = Tally.empty(1, 3, 1)
    tally.active_total[0] = tally.intersection[0, 0] = MOST
    bracket = [np.array([value], np.float32) for value in (0.25, 0.5, 0.25)]
    brackets = Brackets(*bracket, np.zeros(1, np.bool_), np.zeros(1, np.float32))
    batch = Annotated(
        np.zeros((1, 4, 2), np.uint16),
        np.zeros((1, 0, 3), np.uint8),
        np.ones((1, 1), np.bool_),
        np.ones(1, np.bool_),
        (2, 2),
    )
    responses = np.ones((1, 2, 2, 1), np.float32)
    tally.add(responses, np.ones((1, 1), np.float32), brackets, batch)
    assert tally.intersection.tolist() == [[MOST + 8, 0, 0]], "four pixels with two maps each"
    tally.merge(tally)
    assert tally.intersection[0, 0] == 2 * (MOST + 8)
