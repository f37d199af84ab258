"""What the passes ask of a layer's responses; every implementation counts the same integers of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.measures.dissection.brackets import Brackets
from interpret_core.measures.dissection.counts import Counts, Windows
from interpret_core.measures.dissection.listed import Annotated, ListedResponses
from interpret_core.measures.dissection.masks import Runs
from interpret_core.measures.dissection.tally import Tally
from interpret_core.positions import GridLines

R = TypeVar("R")  # a layer's responses, (n, h, w, U) float32, where an implementation wants them
A = TypeVar("A")  # a batch's annotations likewise


class CountSum(ABC, Generic[R]):
    """The counts of one layer, batch by batch."""

    def __init__(self, windows: Windows) -> None:
        self.windows, self._counts = windows, Counts.empty(len(windows.low))

    def see(self, minima: NDArray[np.float32], maxima: NDArray[np.float32]) -> None:
        """Take in the extremes of the valid images of a batch, each (n, U) float32."""
        self._counts.see(minima, maxima)

    @abstractmethod
    def add(self, responses: R, valid: NDArray[np.bool_]) -> None:
        """Count the valid (n,) images of a batch."""

    @abstractmethod
    def total(self) -> Counts:
        """What was counted; asked once, at the end."""


class TallySum(ABC, Generic[R, A]):
    """The tally of one layer, batch by batch."""

    @abstractmethod
    def add(self, responses: R, maxima: NDArray[np.float32], batch: A) -> ListedResponses:
        """Count one batch; `maxima` (n, U) float32. What can only be counted with the exact threshold."""

    @abstractmethod
    def total(self) -> Tally:
        """What was counted; asked once, at the end."""


class HistogramSum(ABC, Generic[R]):
    """The histogram of one layer, batch by batch."""

    @abstractmethod
    def add(self, responses: R, valid: NDArray[np.bool_]) -> None:
        """Count the valid (n,) images of a batch."""

    @abstractmethod
    def total(self) -> NDArray[np.int64]:
        """(U, DISPLAY_BINS); asked once, at the end."""


class Kernels(ABC, Generic[R, A]):
    """An implementation; the numbers that leave it are NumPy's."""

    @abstractmethod
    def responses(self, response: torch.Tensor) -> R:
        """(n, U, h, w) on the network's device, as this implementation takes them; not to be kept."""

    @abstractmethod
    def extremes(self, responses: R) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Smallest and largest response of every map, (n, U) float32 each; NaN where there is one, no −0."""

    @abstractmethod
    def maxima(self, responses: R) -> NDArray[np.float32]:
        """Largest response of every map, (n, U) float32."""

    @abstractmethod
    def annotated(self, batch: Annotated) -> A:
        """A batch's annotations, made ready once for all layers."""

    @abstractmethod
    def counts(self, windows: Windows) -> CountSum[R]:
        """Counts of no image yet, within a layer's windows."""

    @abstractmethod
    def tally(self, brackets: Brackets, shape: tuple[int, int], lines: GridLines) -> TallySum[R, A]:
        """A tally of no image yet; `shape`: columns and categories, `lines`: where the layer's grid lies."""

    @abstractmethod
    def histogram(self, edges: NDArray[np.float32]) -> HistogramSum[R]:
        """A histogram of no image yet, with edges (U, DISPLAY_BINS + 1)."""

    @abstractmethod
    def masks(
        self,
        responses: R,
        threshold: NDArray[np.float32],
        wanted: NDArray[np.bool_],
        size: tuple[int, int],
        lines: GridLines,
    ) -> Runs:
        """Exact masks of the wanted maps of one batch; see `masks.encode`."""
