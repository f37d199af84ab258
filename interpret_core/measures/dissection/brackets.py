"""From counts to a bracket: the narrow span of values in which a unit's threshold must lie.

The threshold sits between the k-th and the (k+1)-th largest response. A bracket holds both, and the next
lower distinct value where the unit may saturate, so that the second pass can settle it exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.dissection.counts import POSITIVE, ZERO, Counts, Windows, key_of, value_of

OCTAVE = 1 << 23  # keys per factor of two
LISTED = 1 << 22  # responses and pixels of a layer that may be listed, some 100 MB at the very most …
LEAST_LISTED = 1 << 14  # … and of a single unit in any case, so that a few odd ones cost no further round
BELOW = -1  # the slot below a window; the number of bins is the one above it


@dataclass(frozen=True)
class Brackets:
    """Per unit, the span low ≤ threshold < high, or the threshold itself.

    Attributes:
        low, high: (U,) float32; a mask pixel ≤ low is inactive, one ≥ high active, whatever the threshold.
        listed_from: (U,) float32; responses from here up to `high` are listed (none where it is known).
        known: (U,) bool, the threshold is `low` exactly (dead, constant, or fires on fewer than k positions).
        floor: (U,) float32, the next value below the listed ones if it is known (0 after a ReLU), else NaN.
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    listed_from: NDArray[np.float32]
    known: NDArray[np.bool_]
    floor: NDArray[np.float32]

    def updated(self, other: Brackets, where: NDArray[np.bool_]) -> Brackets:
        """These brackets with the other's where `where` (U,) is True."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__dataclass_fields__)
        return Brackets(*(np.where(where, new, old) for old, new in pairs))


@dataclass(frozen=True)
class Located:
    """What one round of counting settles.

    Attributes:
        brackets: of every unit; meaningful where not `again`.
        windows: what to count next.
        again: (U,) bool, units that need another round.
    """

    brackets: Brackets
    windows: Windows
    again: NDArray[np.bool_]


@dataclass(frozen=True)
class _Slots:
    """Per unit (U,) int64: slots of rank k, of rank k + 1 (`cut`), of the lower end, of the lowest value."""

    rank: NDArray[np.int64]
    cut: NDArray[np.int64]
    low: NDArray[np.int64]
    lowest: NDArray[np.int64]
    inside: NDArray[np.int64]


def first_windows(counts: Counts, windows: Windows, quantile: float) -> Windows:
    """Windows for the whole data set, from counts of a few images.

    Generous, since a miss costs another pass and a wide window only coarser bins: from two octaves below a
    rank eight times deeper than the cut, to three octaves above the largest value.
    """
    deep = _slots(counts, windows, 8 * round(quantile * counts.positions) + 16).cut
    low = windows.key_at(np.maximum(deep, 0))
    low = np.where(low > POSITIVE, np.maximum(low - 2 * OCTAVE, POSITIVE), np.maximum(low - OCTAVE, 0))
    largest = key_of(counts.maximum)
    silent = counts.minimum == counts.maximum  # in these few images: anything may come
    sparse = (
        windows.zeros_below & (deep == BELOW) & ~silent
    )  # count every positive value: the cut may be at 0
    low = np.where(sparse, np.maximum(largest - 10 * OCTAVE, POSITIVE), low)
    low = np.where(silent | ((deep == BELOW) & ~sparse), windows.low, low)
    high = np.where(silent, 2 * ZERO, np.minimum(largest + 3 * OCTAVE, 2 * ZERO))
    base = np.where(sparse, POSITIVE, low)
    spanning = Windows.spanning(low, high, (base == POSITIVE) & windows.zeros_below)
    # An activation with an upper bound (ReLU6) piles values up there: a bin that begins at the bound holds
    # nothing but the pile, which need not be listed.
    offset = np.maximum(largest - low, 0) & ((np.int64(1) << spanning.shift) - 1)
    aligned = np.where(low > POSITIVE + OCTAVE, low + offset, low)
    return Windows(np.where(sparse, base, aligned), aligned, spanning.shift, spanning.zeros_below)


def locate(
    counts: Counts,
    windows: Windows,
    wanted: int,
    asked: NDArray[np.bool_] | None = None,
    spread: float = 1.0,
) -> Located:
    """Bracket each unit's threshold, or say where to look next.

    Args:
        counts: of every valid image, taken with `windows`.
        windows: (U,) each.
        wanted: k, the number of positions that may exceed the threshold.
        asked: (U,) bool, units still in question; the others' windows are idle. All of them by default.
        spread: annotation pixels per grid position: so many pixels are listed with each response.
    """
    slots = _slots(counts, windows, wanted)
    zeros_below = windows.zeros_below & (counts.minimum >= 0)  # the few images may have misled
    known, exact = _certain(counts, wanted, zeros_below & (slots.rank == BELOW))

    top = key_of(counts.maximum) + 1
    high = np.where(slots.rank >= counts.bins, top, windows.key_at(slots.rank + 1))
    missed = (slots.low == BELOW) & ~zeros_below & (windows.base > 0)
    start = np.where(slots.low == BELOW, np.maximum(slots.lowest, 0), slots.low)
    low = windows.key_at(start)
    whole = Windows.whole(counts.minimum)
    closer = Windows.spanning(low, high, zeros_below & (slots.low == BELOW))
    wide = (start == 0) & (windows.base < windows.low)
    narrower = (closer.shift < windows.shift) | (slots.rank >= counts.bins) | wide
    crowded = (slots.inside * max(spread, 1.0) > listed_room(len(counts.above))) & narrower
    again = (missed | crowded) & ~known
    again &= True if asked is None else asked
    following = Windows.spanning(
        np.where(missed, whole.low, low),
        np.where(again, high, low + 1),
        np.where(missed, whole.zeros_below, closer.zeros_below),
    )
    brackets = _brackets(counts, (low, high), known, exact, zeros_below & (slots.low == BELOW))
    return Located(brackets, following, again)


def listed_room(units: int) -> int:
    """Pixels of each unit that may be listed, in a layer of so many; one with more is counted again."""
    return max(LISTED // max(units, 1), LEAST_LISTED)


def _certain(
    counts: Counts, wanted: int, among_zeros: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Units whose threshold needs no bracket, and what it is: constant ones, none or all wanted, cut at 0."""
    constant = counts.minimum == counts.maximum
    none, every = wanted == 0, wanted >= counts.positions
    exact = np.where(constant | none, counts.maximum, np.float32(0))
    if every:
        exact = np.where(constant, exact, np.nextafter(counts.minimum, np.float32(-np.inf)))
    return constant | none | every | among_zeros, exact


def _brackets(
    counts: Counts,
    span: tuple[NDArray[np.int64], NDArray[np.int64]],
    known: NDArray[np.bool_],
    exact: NDArray[np.float32],
    open_below: NDArray[np.bool_],
) -> Brackets:
    """Values of a span of keys; where it is `open_below`, the threshold may lie between zero and the span."""
    low, high = (value_of(key) for key in span)
    listed_from = np.where(known, np.nextafter(exact, np.float32(np.inf)), low)
    high = np.where(known, listed_from, high)
    # Where the bracket reaches the maximum, `high` is the maximum: its ties are counted, not listed.
    high = np.where(~known & (span[1] > key_of(counts.maximum)), counts.maximum, high)
    floor = np.where(open_below & (counts.minimum == 0), np.float32(0), np.float32(np.nan))
    low = np.where(known, exact, np.where(open_below, np.float32(0), low))
    low, high, listed_from = (np.asarray(part, np.float32) for part in (low, high, listed_from))
    return Brackets(low, high, listed_from, known, floor.astype(np.float32))


def _slots(counts: Counts, windows: Windows, wanted: int) -> _Slots:
    units = len(counts.above)
    found = _Slots(*(np.full(units, BELOW, np.int64) for _ in range(5)))
    _scan(counts.histogram, counts.above, wanted, (found.rank, found.cut, found.low, found.lowest))
    start = windows.key_at(np.maximum(found.rank, 0))
    pile = start == key_of(counts.maximum)  # the highest bin holds nothing but the maximum
    _sum_inside(counts.histogram, counts.above, (found.low, found.rank - pile), found.inside)
    return found


@nb.njit(cache=True)
def _scan(histogram, above, wanted, found):  # type: ignore[no-untyped-def]
    """Walk down from the largest values; what is not in the histogram lies below it."""
    rank_slot, cut_slot, low_slot, lowest = found
    bins = histogram.shape[1]
    for u in range(above.shape[0]):
        rank = above[u]
        top = bins if rank > 0 else BELOW
        if rank >= wanted and rank > 0:
            rank_slot[u] = bins
        if rank > wanted:
            cut_slot[u] = bins
        for slot in range(bins - 1, -1, -1):
            if histogram[u, slot] == 0:
                continue
            rank += histogram[u, slot]
            lowest[u] = slot
            top = slot if top == BELOW else top
            # A unit whose largest values tie needs the next lower distinct value as well.
            if cut_slot[u] != BELOW and low_slot[u] == BELOW and cut_slot[u] == top:
                low_slot[u] = slot
            if rank >= wanted and rank_slot[u] == BELOW:
                rank_slot[u] = slot
            if rank > wanted and cut_slot[u] == BELOW:
                cut_slot[u] = slot
                low_slot[u] = slot if slot != top else BELOW


@nb.njit(cache=True)
def _sum_inside(histogram, above, span, inside):  # type: ignore[no-untyped-def]
    low, high = span
    for u in range(histogram.shape[0]):
        inside[u] = above[u] if high[u] >= histogram.shape[1] else 0
        for slot in range(max(low[u], 0), min(high[u] + 1, histogram.shape[1])):
            inside[u] += histogram[u, slot]
