"""What `bench relevance` times: attributions of every layer, ours and captum's, on images in memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.captum_loop import Loop, Twin
from interpret_core.analyses.relevance.attribution import Attributing, baselines
from interpret_core.analyses.relevance.work import IMAGES
from interpret_core.measures.attribution.path import SMALLEST_CHANGE
from interpret_core.networks import Network


@dataclass(frozen=True, eq=False)
class Turn:
    """One way through all layers of all images.

    Attributes:
        steps: points on every path to begin with.
        seconds: it took.
        total, change: (N, L) Σ G, and the ΔF between the layer's own endpoints.
        points: (N, L) gradients evaluated.
    """

    steps: int
    seconds: float
    total: NDArray[np.float64]
    change: NDArray[np.float64]
    points: NDArray[np.float64]

    @property
    def scale(self) -> NDArray[np.float64]:
        """(N, L) what a residual is relative to."""
        return np.maximum(np.abs(self.change), SMALLEST_CHANGE)

    def within(self, tolerance: float) -> float:
        """Share of the pairs of image and layer whose relative residual is at most that."""
        return float((np.abs(self.total - self.change) <= tolerance * self.scale).mean())


def middle(turns: Sequence[Turn]) -> float:
    """Median of their seconds."""
    return statistics.median(turn.seconds for turn in turns)


@dataclass(frozen=True, eq=False)
class Bench:
    """Images in memory, and what is timed on them.

    Attributes:
        class_name: the class.
        attributing: ours, with the rule that stops at the tolerance.
        twins: for captum, contiguous and in channels_last.
        images: (N, 3, H, W) as the network's preprocessing makes them.
        baseline: (1, 3, H, W), black.
        check: raises when the user stopped the run.
    """

    class_name: str
    attributing: Attributing
    twins: tuple[Twin, Twin]
    images: Tensor
    baseline: Tensor
    check: Callable[[], None]

    @classmethod
    def prepared(
        cls,
        class_name: str,
        attributing: Attributing,
        pictures: Sequence[NDArray[np.uint8]],
        check: Callable[[], None] = lambda: None,
    ) -> Bench:
        """Preprocess the pictures, (h, w, 3) uint8, and build captum's twins."""
        network = attributing.network
        images = network.preprocessing.batch(pictures)
        baseline = baselines(network, attributing.request.baseline, pictures[:1])
        twins = (Twin.of(network), Twin.of(network, channels_last=True))
        return cls(class_name, attributing, twins, images, baseline, check)

    @property
    def network(self) -> Network:
        """The network."""
        return self.attributing.network

    @property
    def layers(self) -> list[str]:
        """Every listed layer."""
        return [layer.name for layer in self.network.layers]

    @property
    def threads(self) -> int:
        """Threads of torch."""
        return torch.get_num_threads()

    def first(self, number: int) -> Bench:
        """The same with the first images only."""
        return replace(self, images=self.images[:number])

    def same_points(self, points: int) -> tuple[Turn, Turn]:
        """Ours and captum, by the midpoint rule with so many points."""
        return self.midpoint(points), self.captum(points)

    def midpoint(self, points: int) -> Turn:
        """Ours, never refined."""
        fixed = replace(self.attributing.request, points=points, tolerance=0)
        return self._ours(replace(self.attributing, request=fixed))

    def adaptive(self) -> Turn:
        """Ours, refined until the tolerance."""
        return self._ours(self.attributing)

    def captum(self, steps: int, channels_last: bool = False) -> Turn:
        """captum's, layer by layer."""
        twin = self.twins[channels_last]
        kept = torch.channels_last if channels_last else torch.contiguous_format
        images, baseline = (one.contiguous(memory_format=kept) for one in (self.images, self.baseline))
        columns = []
        start = time.perf_counter()
        for layer in self.layers:
            self.check()
            rule = Loop(steps, self.attributing.rule(layer).batch)
            found = twin.attribution(layer, self.attributing.target, images, baseline, rule)
            columns.append(found.double().sum((1, 2, 3)).numpy())
        spent = time.perf_counter() - start
        total = np.stack(columns, 1)
        return Turn(steps, spent, total, self._change, np.full(total.shape, float(steps)))

    def _ours(self, attributing: Attributing) -> Turn:
        """As the engine does it: a few images together, layer by layer from one pass over them."""
        start = time.perf_counter()
        parts = [self._part(attributing, part) for part in self.images.split(IMAGES)]
        spent = time.perf_counter() - start
        total, change, points = np.concatenate(parts, 1)
        return Turn(attributing.request.points, spent, total, change, points)

    def _part(self, attributing: Attributing, images: Tensor) -> NDArray[np.float64]:
        """(3, n, L) Σ G, ΔF and points of some images."""
        cut = attributing.network.cutter(images, self.layers)
        columns = []
        # What `Attributing.layers` does once it has preprocessed the pictures.
        for _, found in attributing.integrated(cut, self.baseline, self.layers):
            self.check()
            columns.append(np.stack([found.gap + found.change, found.change, found.points]))
        return np.stack(columns, 2)

    @cached_property
    def _change(self) -> NDArray[np.float64]:
        """(N, L) ΔF between each layer's own endpoints, which no clock counts for captum."""
        return self.midpoint(2).change
