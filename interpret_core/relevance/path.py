"""Layer integrated gradients: the path from a baseline's response to the image's, in the layer's own space.

    G = (a − a') ⊙ ∫₀¹ ∂F/∂a (a' + α (a − a')) dα

The path is divided into panels of equal length, one midpoint each: the midpoint rule. What is known exactly
about a panel is the change of F over it, so the panels whose gradients miss it most are found, and a panel
is refined by replacing its points with three times as many, of which every third is already there: nested,
and no gradient is evaluated twice. An image is done when the sum over all panels, Σ G, is within the
tolerance of F's change over the whole path (completeness; Sundararajan et al. 2017, §5, take 5 %).

The integrand has kinks (ReLU, max-pooling) and often one short stretch where F changes at all, which is why
a uniform rule wastes most of its points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from interpret_core.relevance.record import SMALLEST_CHANGE

GROWTH = 3  # points of a refined panel for each one before
SHARE = 0.5  # of the tolerance, that panels left as they are may miss together


class Tail(Protocol):
    """What is left of a network behind a layer."""

    def __call__(self, responses: Tensor, rows: Tensor) -> Tensor:
        """(M, K) output for responses (M, U, h, w) of the images `rows` (M,); differentiable."""


@dataclass(frozen=True)
class Rule:
    """How finely the path is divided.

    Attributes:
        points: panels, each with one point to begin with.
        most: points of one image at most.
        tolerance: of the relative residual; 0 leaves the midpoint rule with `points` points as it is.
        batch: responses evaluated at once, for memory.
    """

    points: int = 16
    most: int = 256
    tolerance: float = 0.05
    batch: int = 64


@dataclass(frozen=True, eq=False)
class Integrated:
    """The result for N images.

    Attributes:
        attribution: (N, U, h, w), G, in the response's type.
        change: (N,) float64, ΔF = F(a) − F(a'), everything beside the layer as for the image.
        gap: (N,) float64, Σ G − ΔF.
        points: (N,) int32, gradients evaluated.
    """

    attribution: Tensor
    change: NDArray[np.float64]
    gap: NDArray[np.float64]
    points: NDArray[np.int32]


def integrate(
    tail: Tail, target: Callable[[Tensor], Tensor], response: Tensor, baseline: Tensor, rule: Rule
) -> Integrated:
    """Integrate the gradients of F along the straight path to each image's response.

    Args:
        tail: the network behind the layer.
        target: (M, K) output -> (M,) F.
        response: (N, U, h, w), of the images.
        baseline: (N, U, h, w), of their reference inputs.
        rule: points and tolerance.
    Source: method §5; completeness with the layer's own endpoints, where captum takes F(x').
    """
    path = _Path(tail, target, response, baseline, rule)
    path.begin()
    while rule.tolerance > 0 and path.refine():
        pass
    return path.result()


class _Path:
    """The panels of N images: sums of gradients, and how much of F's change they miss.

    N images, P panels of length 1/P; panel p of image n holds count[n, p] points.
    """

    def __init__(
        self, tail: Tail, target: Callable[[Tensor], Tensor], response: Tensor, baseline: Tensor, rule: Rule
    ) -> None:
        self._tail, self._target, self._rule = tail, target, rule
        self._baseline, self._difference = baseline, response - baseline
        number = len(response)
        self._count = np.zeros((number, rule.points), np.int64)
        self._slope = np.zeros((number, rule.points))  # Σ over the panel's points of ⟨∂F/∂a, a − a'⟩
        # Units last, as the gradients come: adding across memory formats is slow.
        self._gradient = response.new_zeros(
            (number, rule.points, *response.shape[2:], response.shape[1])
        ).permute(0, 1, 4, 2, 3)
        every = np.arange(number)
        ends = np.stack([self._values(every, np.zeros(number)), self._values(every, np.ones(number))], 1)
        self._change: NDArray[np.float64] = ends[:, 1] - ends[:, 0]
        self._scale = np.maximum(np.abs(self._change), SMALLEST_CHANGE)
        self._ends = ends
        self._steps: dict[int, NDArray[np.float64]] = {}  # image -> (P,) change of F over each panel

    def begin(self) -> None:
        """One point in the middle of every panel."""
        images, panels = np.indices(self._count.shape).reshape(2, -1)
        self._evaluate(images, panels, (panels + 0.5) / self._rule.points)
        self._count[:] = 1

    def refine(self) -> bool:
        """More points where they are needed; whether there were any."""
        wanted = [pair for image in np.flatnonzero(self._missing()) for pair in self._worst(int(image))]
        if not wanted:
            return False
        images, panels, at = [], [], []
        for image, panel in wanted:
            count = int(self._count[image, panel])
            new = [k for k in range(GROWTH * count) if k % GROWTH != GROWTH // 2]  # those are there already
            at += [(panel + (k + 0.5) / (GROWTH * count)) / self._rule.points for k in new]
            images += [image] * len(new)
            panels += [panel] * len(new)
            self._count[image, panel] = GROWTH * count
        self._evaluate(np.array(images), np.array(panels), np.array(at))
        return True

    def result(self) -> Integrated:
        """G and how far to trust it."""
        weight = torch.from_numpy(1 / (self._rule.points * self._count)).to(self._gradient)
        mean = (self._gradient * weight[:, :, None, None, None]).sum(1)
        attribution = mean * self._difference
        summed = attribution.double().sum((1, 2, 3)).cpu().numpy()
        points = self._count.sum(1).astype(np.int32)
        return Integrated(attribution, self._change, summed - self._change, points)

    def _integral(self) -> NDArray[np.float64]:
        """(N, P) the panels' parts of Σ G."""
        return self._slope / (self._rule.points * self._count)

    def _missing(self) -> NDArray[np.bool_]:
        """(N,) whether the residual is above the tolerance."""
        gap = np.abs(self._integral().sum(1) - self._change)
        return np.asarray(gap > self._rule.tolerance * self._scale)

    def _worst(self, image: int) -> list[tuple[int, int]]:
        """The panels of an image to refine: those that miss most of their own change of F.

        The others may miss half the tolerance together. What does not fit into `most` points is left out.
        """
        if image not in self._steps:
            self._steps[image] = self._over_panels(image)
        missed = np.abs(self._integral()[image] - self._steps[image])
        order = np.argsort(-missed, kind="stable")
        left = missed.sum() - np.cumsum(missed[order])
        allowed = SHARE * self._rule.tolerance * self._scale[image]
        enough = int(np.argmax(left <= allowed)) + 1
        free = self._rule.most - int(self._count[image].sum())
        chosen = []
        for panel in order[:enough]:
            cost = (GROWTH - 1) * int(self._count[image, panel])
            if cost <= free:
                free -= cost
                chosen.append((image, int(panel)))
        return chosen

    def _over_panels(self, image: int) -> NDArray[np.float64]:
        """(P,) change of F over each panel of an image."""
        inner = np.arange(1, self._rule.points) / self._rule.points
        values = self._values(np.full(len(inner), image), inner)
        return np.diff(np.concatenate([self._ends[image, :1], values, self._ends[image, 1:]]))

    def _values(self, images: NDArray[np.int64], at: NDArray[np.float64]) -> NDArray[np.float64]:
        """(M,) F at places on the paths of images."""
        found = []
        with torch.no_grad():
            for part in self._parts(len(images)):
                rows, place = self._placed(images[part], at[part])
                # A tail turns gradients on for its own operations; nothing here asks for them.
                found.append(self._target(self._tail(place, rows)).cpu().numpy())
        return np.concatenate(found) if found else np.zeros(0)

    def _evaluate(
        self, images: NDArray[np.int64], panels: NDArray[np.int64], at: NDArray[np.float64]
    ) -> None:
        """Add the gradients at places on the paths to their panels."""
        for part in self._parts(len(images)):
            rows, place = self._placed(images[part], at[part])
            place.requires_grad_()
            value = self._target(self._tail(place, rows))
            (gradient,) = torch.autograd.grad(value.sum(), place)
            for row, (image, panel) in enumerate(zip(images[part], panels[part], strict=True)):
                self._gradient[image, panel] += gradient[row]
                self._slope[image, panel] += float(_inner(gradient[row], self._difference[image]))

    def _parts(self, number: int) -> list[slice]:
        return [slice(start, start + self._rule.batch) for start in range(0, number, self._rule.batch)]

    def _placed(self, images: NDArray[np.int64], at: NDArray[np.float64]) -> tuple[Tensor, Tensor]:
        """Image numbers, and the points on their paths, (M, U, h, w)."""
        place = torch.empty_like(self._difference[:1]).repeat(len(images), 1, 1, 1)
        if self._difference.is_contiguous(memory_format=torch.channels_last):
            place = place.contiguous(memory_format=torch.channels_last)
        for row, (image, share) in enumerate(zip(images, at, strict=True)):
            torch.add(self._baseline[image], self._difference[image], alpha=float(share), out=place[row])
        return torch.from_numpy(images).to(place.device), place


def _inner(one: Tensor, other: Tensor) -> Tensor:
    """⟨one, other⟩ of two (U, h, w) in the same memory format, without a copy of either."""
    return torch.dot(one.permute(1, 2, 0).reshape(-1), other.permute(1, 2, 0).reshape(-1))
