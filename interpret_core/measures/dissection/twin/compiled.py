"""The kernels that Numba compiles for the processor; responses from elsewhere are copied into its memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.measures.dissection.brackets import Brackets
from interpret_core.measures.dissection.counts import Counts, Windows
from interpret_core.measures.dissection.histogram import DISPLAY_BINS, add_to_histogram
from interpret_core.measures.dissection.listed import Annotated, ListedResponses
from interpret_core.measures.dissection.masks import Runs, encode
from interpret_core.measures.dissection.tally import Tally
from interpret_core.measures.dissection.twin.kernels import CountSum, HistogramSum, Kernels, TallySum
from interpret_core.positions import GridLines

Array = NDArray[np.float32]


class CompiledCounts(CountSum[Array]):
    """Counts in memory."""

    def add(self, responses: Array, valid: NDArray[np.bool_]) -> None:
        """Count the valid images of a batch."""
        self._counts.add(_flat(responses), valid, self.windows)

    def total(self) -> Counts:
        """What was counted."""
        return self._counts


class CompiledTally(TallySum[Array, Annotated]):
    """A tally in memory."""

    def __init__(self, brackets: Brackets, shape: tuple[int, int], lines: GridLines) -> None:
        self._brackets, self._lines = brackets, lines
        self._tally = Tally.empty(len(brackets.low), *shape)

    def add(self, responses: Array, maxima: Array, batch: Annotated) -> ListedResponses:
        """Count one batch."""
        return self._tally.add(responses, maxima, self._brackets, batch, self._lines)

    def total(self) -> Tally:
        """What was counted."""
        return self._tally


class CompiledHistogram(HistogramSum[Array]):
    """A histogram in memory."""

    def __init__(self, edges: Array) -> None:
        self._edges, self._bins = edges, np.zeros((len(edges), DISPLAY_BINS), np.int64)

    def add(self, responses: Array, valid: NDArray[np.bool_]) -> None:
        """Count the valid images of a batch."""
        add_to_histogram(self._bins, _flat(responses), valid, self._edges)

    def total(self) -> NDArray[np.int64]:
        """What was counted."""
        return self._bins


class CompiledKernels(Kernels[Array, Annotated]):
    """See the module."""

    def responses(self, response: torch.Tensor) -> Array:
        """(n, h, w, U) float32, C-contiguous, in memory; no copy of a channels_last one there."""
        return response.detach().permute(0, 2, 3, 1).float().contiguous().cpu().numpy()

    def extremes(self, responses: Array) -> tuple[Array, Array]:
        """Smallest and largest response of every map."""
        return _extreme(torch.amin, responses), self.maxima(responses)

    def maxima(self, responses: Array) -> Array:
        """Largest response of every map."""
        return _extreme(torch.amax, responses)

    def annotated(self, batch: Annotated) -> Annotated:
        """As they are."""
        return batch

    def counts(self, windows: Windows) -> CompiledCounts:
        """Counts of no image yet."""
        return CompiledCounts(windows)

    def tally(self, brackets: Brackets, shape: tuple[int, int], lines: GridLines) -> CompiledTally:
        """A tally of no image yet."""
        return CompiledTally(brackets, shape, lines)

    def histogram(self, edges: Array) -> CompiledHistogram:
        """A histogram of no image yet."""
        return CompiledHistogram(edges)

    def masks(
        self,
        responses: Array,
        threshold: Array,
        wanted: NDArray[np.bool_],
        size: tuple[int, int],
        lines: GridLines,
    ) -> Runs:
        """Exact masks of the wanted maps of one batch."""
        return encode(responses, threshold, wanted, size, lines)


def _flat(responses: Array) -> Array:
    return responses.reshape(len(responses), -1, responses.shape[-1])


def _extreme(function: Callable[[torch.Tensor, int], torch.Tensor], responses: Array) -> Array:
    found = function(torch.from_numpy(_flat(responses)), 1)
    return np.asarray(found.numpy() + np.float32(0))  # −0 becomes 0
