"""The kernels as torch operations: responses stay on their device, and only what can matter is taken out.

Each sum is one of integers, each float operation one that the compiled kernels do, too, in their order; so of
the same responses both count the same. Where a device cannot count (`places.counting_device`), what was
selected on it is counted on the processor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.measures.dissection.brackets import Brackets
from interpret_core.measures.dissection.counts import Windows
from interpret_core.measures.dissection.listed import Annotated
from interpret_core.measures.dissection.masks import Runs
from interpret_core.measures.dissection.twin.kernels import Kernels
from interpret_core.measures.dissection.twin.places import counting_device, numbers, sent
from interpret_core.measures.dissection.twin.tensor_counts import TensorCounts, TensorHistogram
from interpret_core.measures.dissection.twin.tensor_masks import tensor_runs
from interpret_core.measures.dissection.twin.tensor_tally import DeviceAnnotated, TensorTally
from interpret_core.positions import GridLines


@dataclass(frozen=True)
class TensorKernels(Kernels[torch.Tensor, DeviceAnnotated]):
    """See the module.

    Attributes:
        device: where the responses are.
    """

    device: torch.device

    def responses(self, response: torch.Tensor) -> torch.Tensor:
        """(n, h, w, U) float32, contiguous, where it is; no copy of a channels_last one."""
        return response.detach().permute(0, 2, 3, 1).float().contiguous().to(self.device)

    def extremes(self, responses: torch.Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Smallest and largest response of every map."""
        return numbers(responses.amin((1, 2))) + np.float32(0), self.maxima(responses)

    def maxima(self, responses: torch.Tensor) -> NDArray[np.float32]:
        """Largest response of every map."""
        return np.asarray(numbers(responses.amax((1, 2))) + np.float32(0))  # −0 becomes 0

    def annotated(self, batch: Annotated) -> DeviceAnnotated:
        """Labels and colours where pixels are counted."""
        device = counting_device(self.device)
        # Unsigned 16-bit numbers can do little on a device: the bits are read as signed ones.
        labels = sent(batch.labels.reshape(-1, batch.labels.shape[2]).view(np.int16), device)
        return DeviceAnnotated(batch, labels, sent(batch.colours.reshape(-1, 3), device))

    def counts(self, windows: Windows) -> TensorCounts:
        """Counts of no image yet."""
        return TensorCounts(windows, self.device)

    def tally(self, brackets: Brackets, shape: tuple[int, int], lines: GridLines) -> TensorTally:
        """A tally of no image yet."""
        return TensorTally(brackets, shape, lines, self.device)

    def histogram(self, edges: NDArray[np.float32]) -> TensorHistogram:
        """A histogram of no image yet."""
        return TensorHistogram(edges, self.device)

    def masks(
        self,
        responses: torch.Tensor,
        threshold: NDArray[np.float32],
        wanted: NDArray[np.bool_],
        size: tuple[int, int],
        lines: GridLines,
    ) -> Runs:
        """Exact masks of the wanted maps of one batch."""
        return tensor_runs(responses, threshold, wanted, size, lines)
