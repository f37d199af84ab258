"""Counts and histograms as torch operations: what `counts` and `histogram` do, value by value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.measures.dissection.counts import ZERO, Counts, Windows, value_of
from interpret_core.measures.dissection.histogram import DISPLAY_BINS
from interpret_core.measures.dissection.twin.kernels import CountSum, HistogramSum
from interpret_core.measures.dissection.twin.places import (
    count_at,
    counting_device,
    numbers,
    pieces,
    room,
    sent,
)
from interpret_core.measures.dissection.widths import widened
from interpret_core.networks.arithmetic import double

NEGATIVE_ZERO = -(1 << 31)  # the bits of −0.0


class TensorCounts(CountSum[torch.Tensor]):
    """Counts on a device: its table has one bin more, for what lies above the window."""

    def __init__(self, windows: Windows, device: torch.device) -> None:
        super().__init__(windows)
        self._there = device
        self._device = counting_device(device)
        lowest = value_of(windows.base)
        self._bound, self._lowest = sent(lowest, device), sent(lowest, self._device)
        self._low, self._shift = sent(windows.low, self._device), sent(windows.shift, self._device)
        units, bins = self._counts.histogram.shape
        self._table = torch.zeros((units, bins + 1), dtype=torch.int64, device=self._device)

    def add(self, responses: torch.Tensor, valid: NDArray[np.bool_]) -> None:
        """Count the valid images of a batch."""
        shown = valid_images(responses, valid)
        for piece in pieces(shown, room(self._there)):
            values = shown[piece]
            place = torch.nonzero((values >= self._bound).reshape(-1)).squeeze(1)
            chosen = values.reshape(-1)[place].to(self._device)
            self._count(chosen, (place % values.shape[-1]).to(self._device))
        self._counts.positions += shown[..., 0].numel()

    def _count(self, value: torch.Tensor, unit: torch.Tensor) -> None:
        # Once more where it is counted: a device may take the smallest numbers for zero when it compares.
        inside = value >= self._lowest[unit]
        value, unit = value[inside], unit[inside]
        bits = value.view(torch.int32).long()
        bits = torch.where(bits == NEGATIVE_ZERO, 0, bits)
        key = torch.where(bits >= 0, bits + ZERO, -bits - 1)
        bins = self._table.shape[1] - 1
        slot = ((key - self._low[unit]) >> self._shift[unit]).clamp(0, bins)
        count_at(self._table, unit * (bins + 1) + slot)

    def total(self) -> Counts:
        """What was counted."""
        table = numbers(self._table)
        return replace(self._counts, histogram=widened(table[:, :-1]), above=table[:, -1].copy())


class TensorHistogram(HistogramSum[torch.Tensor]):
    """A histogram on a device."""

    def __init__(self, edges: NDArray[np.float32], device: torch.device) -> None:
        self._there = device
        self._device = counting_device(device)
        span = (edges[:, -1].astype(np.float64) - edges[:, 0]).astype(np.float64)
        self._first = sent(edges[:, 0].copy(), device)
        self._edges, self._scale = sent(edges, self._device), sent(DISPLAY_BINS / span, self._device)
        self._table = torch.zeros((len(edges), DISPLAY_BINS), dtype=torch.int64, device=self._device)
        self._positions = 0

    def add(self, responses: torch.Tensor, valid: NDArray[np.bool_]) -> None:
        """Count the valid images of a batch."""
        shown = valid_images(responses, valid)
        for piece in pieces(shown, room(self._there)):
            values = shown[piece]
            place = torch.nonzero((values > self._first).reshape(-1)).squeeze(1)
            chosen = values.reshape(-1)[place].to(self._device)
            self._count(chosen, (place % values.shape[-1]).to(self._device))
        self._positions += shown[..., 0].numel()

    def _count(self, value: torch.Tensor, unit: torch.Tensor) -> None:
        """Values above the first edge."""
        last = DISPLAY_BINS - 1
        scaled = double(value - self._edges[unit, 0]) * self._scale[unit]
        slot = scaled.long().clamp_(max=last)
        # The product may round across an edge; the edges themselves decide.
        before = value < self._edges[unit, slot]
        behind = ~before & (slot < last) & (value >= self._edges[unit, slot + 1])
        count_at(self._table, unit * DISPLAY_BINS + slot - before.long() + behind.long())

    def total(self) -> NDArray[np.int64]:
        """What was counted; what does not lie above the first edge is in the first bin."""
        bins = numbers(self._table)
        bins[:, 0] += self._positions - bins.sum(1)
        return bins


def valid_images(responses: torch.Tensor, valid: NDArray[np.bool_]) -> torch.Tensor:
    """The valid (n,) ones of (n, h, w, U) responses; no copy where all are."""
    return responses if valid.all() else responses[sent(np.flatnonzero(valid), responses.device)]
