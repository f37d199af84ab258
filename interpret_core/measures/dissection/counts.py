"""First pass: where in each unit's responses the cut lies, by counting float bit patterns.

A float32 is mapped to an integer key with the same order, so a histogram over keys is exact, merges by
addition, and needs the same memory for a hundred images or a hundred thousand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.dissection.widths import COUNT, added, room_for

FEWEST_BINS, MOST_BINS = 1 << 11, 1 << 14
ENTRIES = 1 << 20  # of a layer's histogram, unless it has very many units
BLOCK = 16  # units a thread handles together: one cache line of float32
ZERO = 1 << 31  # the key of 0.0
POSITIVE = ZERO + 1  # the key of the smallest positive float


def bins_for(units: int) -> int:
    """Bins of each unit's window: more where a layer has few units, which is where it has many positions."""
    return min(max(1 << (ENTRIES // max(units, 1)).bit_length() - 1, FEWEST_BINS), MOST_BINS)


def key_of(value: NDArray[np.float32] | np.float32) -> NDArray[np.int64]:
    """Order-preserving integer key of float32 values; −0 counts as 0."""
    bits = (np.asarray(value, np.float32) + np.float32(0)).view(np.int32).astype(np.int64)
    return np.where(bits >= 0, bits + ZERO, -bits - 1)


def value_of(key: NDArray[np.int64] | int) -> NDArray[np.float32]:
    """Inverse of `key_of`; keys beyond the finite range become ±inf."""
    lowest, highest = key_of(np.float32(-np.inf)), key_of(np.float32(np.inf))
    clipped = np.clip(np.asarray(key, np.int64), lowest, highest)
    bits = np.where(clipped >= ZERO, clipped - ZERO, -clipped - 1)
    return np.ascontiguousarray(bits.astype(np.int32)).view(np.float32)


@dataclass(frozen=True)
class Windows:
    """Per unit, the span of keys counted finely: `bins_for(U)` bins of 2**shift keys from `low` on.

    Attributes:
        base: (U,) int64, first key counted, ≤ low: the first bin reaches down to it.
        low: (U,) int64, where bins of equal width begin.
        shift: (U,) int64, log2 of a bin's width in keys.
        zeros_below: (U,) bool, whatever lies below `base` is exactly zero.
    """

    base: NDArray[np.int64]
    low: NDArray[np.int64]
    shift: NDArray[np.int64]
    zeros_below: NDArray[np.bool_]

    @classmethod
    def spanning(
        cls, low: NDArray[np.int64], high: NDArray[np.int64], zeros_below: NDArray[np.bool_]
    ) -> Windows:
        """The finest windows that hold the keys low … high − 1."""
        wanted = -(-np.maximum(high - low, 1) // bins_for(len(low)))  # keys of a bin, at least
        shift = np.frexp((wanted - 1).astype(np.float64))[1].astype(np.int64)  # bits of a whole number: exact
        return cls(low.astype(np.int64), low.astype(np.int64), shift, zeros_below)

    @classmethod
    def whole(cls, minimum: NDArray[np.float32]) -> Windows:
        """Every float that can occur above `minimum` (U,): positive ones only after a ReLU."""
        unsigned = minimum >= 0
        low = np.where(unsigned, POSITIVE, 0)
        return cls.spanning(low, np.full(low.shape, 2 * ZERO), unsigned)

    def key_at(self, slot: NDArray[np.int64]) -> NDArray[np.int64]:
        """(U,) lower edge of a bin (U,) of each unit; the number of bins gives the end of the window."""
        return np.where(slot == 0, self.base, self.low + (slot << self.shift))


@dataclass
class Counts:
    """What counting a set of images tells about each unit; two of them add up, in any order.

    Attributes:
        histogram: (U, bins) int32 (int64 once more positions are seen), values by key within the unit's
            window.
        above: (U,) int64, values above the window.
        minimum, maximum: (U,) float32.
        positions: values seen per unit.
    """

    histogram: NDArray[Any]
    above: NDArray[np.int64]
    minimum: NDArray[np.float32]
    maximum: NDArray[np.float32]
    positions: int

    @property
    def bins(self) -> int:
        """Bins of each unit."""
        return int(self.histogram.shape[1])

    @classmethod
    def empty(cls, units: int) -> Counts:
        """Counts of no image."""
        infinite = np.full(units, np.inf, np.float32)
        bins = np.zeros((units, bins_for(units)), COUNT)
        return cls(bins, np.zeros(units, np.int64), infinite, -infinite, 0)

    def merge(self, other: Counts) -> None:
        """Add the counts of other images, taken with the same windows."""
        self.histogram = added(self.histogram, other.histogram)
        self.above += other.above
        np.minimum(self.minimum, other.minimum, out=self.minimum)
        np.maximum(self.maximum, other.maximum, out=self.maximum)
        self.positions += other.positions

    def add(self, responses: NDArray[np.float32], valid: NDArray[np.bool_], windows: Windows) -> None:
        """Count one batch (its minimum and maximum are added by `see`).

        Args:
            responses: (n, P, U) float32, C-contiguous: positions before units, as channels-last gives them.
            valid: (n,) bool; other images only keep their slot.
            windows: of this layer.
        """
        positions = self.positions + int(np.count_nonzero(valid)) * int(responses.shape[1])
        self.histogram = room_for(self.histogram, positions)
        low_value = value_of(windows.base)
        _count(
            (responses, responses.view(np.int32)),
            valid,
            low_value,
            (windows.low, windows.shift),
            self.histogram,
            self.above,
        )
        self.positions = positions

    def see(self, minima: NDArray[np.float32], maxima: NDArray[np.float32]) -> None:
        """Take in the extremes of the valid images of a batch, each (n, U) float32."""
        if len(minima):
            np.minimum(self.minimum, minima.min(0), out=self.minimum)
            np.maximum(self.maximum, maxima.max(0), out=self.maximum)


@nb.njit(inline="always")
def _select(values, low, chosen, first, width):  # type: ignore[no-untyped-def]
    """List the entries of a (P, U) map at or above their unit's bound, without a branch.

    A mispredicted branch costs as much as ten values, and a few per cent of the values pass.
    """
    count = 0
    for p in range(values.shape[0]):
        for i in range(width):
            chosen[count] = p * BLOCK + i
            count += values[p, first + i] >= low[first + i]
    return count


@nb.njit(parallel=True, cache=True)
def _count(batch, valid, low_value, window, histogram, above):  # type: ignore[no-untyped-def]
    values, bits = batch
    low_key, shift = window
    images, positions, units = values.shape
    for block in nb.prange((units + BLOCK - 1) // BLOCK):
        first = block * BLOCK
        chosen = np.empty(positions * BLOCK + 1, np.int32)
        for n in range(images):
            if not valid[n]:
                continue
            if first + BLOCK <= units:  # a constant width lets the compiler use vector instructions
                count = _select(values[n], low_value, chosen, first, BLOCK)
            else:
                count = _select(values[n], low_value, chosen, first, units - first)
            for c in range(count):
                p = chosen[c] // BLOCK
                u = first + chosen[c] % BLOCK
                b = np.int64(bits[n, p, u])
                if b == -2147483648:  # −0.0
                    b = np.int64(0)
                key = b + 2147483648 if b >= 0 else -b - 1
                slot = (key - low_key[u]) >> shift[u]
                if slot >= histogram.shape[1]:
                    above[u] += 1
                else:
                    histogram[u, max(slot, 0)] += 1
