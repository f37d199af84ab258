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

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from interpret_core.measures.attribution.gradient import gradients
from interpret_core.networks.arithmetic import double, in_reach

SMALLEST_CHANGE = 0.01  # of F below which a residual is measured against this instead (method §5)
GROWTH = 3  # points of a refined panel for each one before
SHARE = 0.5  # of the tolerance, that panels left as they are may miss together

Target = Callable[[Tensor], Tensor]
Numbers = NDArray[np.int64]


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
class Line:
    """Straight paths of N images.

    Attributes:
        start, end: (N, …), responses of the reference inputs and of the images.
        first, last: (N,) float64, F at start and end where it is known already, else None.
    """

    start: Tensor
    end: Tensor
    first: Tensor | None = None
    last: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Averaged:
    """What a path gives for N images.

    Attributes:
        gradient: (N, …), the mean of ∂F/∂a along the path, in the response's type.
        change: (N,) float64, ΔF = F(a) − F(a'), everything beside the layer as for the image.
        points: (N,) int32, gradients evaluated.
    """

    gradient: Tensor
    change: NDArray[np.float64]
    points: NDArray[np.int32]


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


def integrate(tail: Tail, target: Target, response: Tensor, baseline: Tensor, rule: Rule) -> Integrated:
    """Integrate the gradients of F along the straight path to each image's response.

    Args:
        tail: the network behind the layer.
        target: (M, K) output -> (M,) F.
        response: (N, U, h, w), of the images.
        baseline: (N, U, h, w), of their reference inputs.
        rule: points and tolerance.

    Raises:
        BlockedError: no gradient reaches the response.
    Source: method §5; completeness with the layer's own endpoints, where captum takes F(x').
    """
    found = average(tail, target, Line(baseline, response), rule)
    return credited(found.gradient, response - baseline, found)


def average(tail: Tail, target: Target, line: Line, rule: Rule) -> Averaged:
    """The mean gradients along paths, refined until they account for F's change.

    Args:
        tail: as for `integrate`.
        target: as for `integrate`.
        rule: as for `integrate`.
        line: the paths.
    """
    path = _Path(tail, target, line, rule)
    path.begin()
    while rule.tolerance > 0 and path.refine():
        pass
    return path.result()


def credited(gradient: Tensor, difference: Tensor, path: Averaged) -> Integrated:
    """Attributions by mean gradients along a path.

    Args:
        gradient: (N, U, h, w), the mean gradients with respect to the response.
        difference: (N, U, h, w), a − a'.
        path: they come from.
    """
    attribution = gradient * difference
    summed = in_reach(attribution).sum(tuple(range(1, attribution.ndim)), dtype=torch.float64).cpu().numpy()
    return Integrated(attribution, path.change, summed - path.change, path.points)


class _Path:
    """The panels of N images: sums of gradients, and how much of F's change they miss.

    N images, P panels of length 1/P; panel p of image n holds count[n, p] points, and is row n·P + p of all.
    """

    def __init__(self, tail: Tail, target: Target, line: Line, rule: Rule) -> None:
        self._tail, self._target, self._rule = tail, target, rule
        self._start, self._difference = line.start, line.end - line.start
        # Gradients come units last if the responses are: to change memory formats is slow.
        last = self._difference.ndim == 4 and self._difference.is_contiguous(
            memory_format=torch.channels_last
        )
        self._format = torch.channels_last if last else torch.contiguous_format
        self._way = self._flat(self._difference)
        number = len(line.end)
        self._count = np.zeros((number, rule.points), np.int64)
        self._slope = np.zeros((number, rule.points))  # Σ over the panel's points of ⟨∂F/∂a, a − a'⟩
        self._gradients: list[Tensor] = []  # of the panels' rows, `batch` of them in each
        self._ends = np.stack([self._at_end(line.first, 0.0), self._at_end(line.last, 1.0)], 1)
        self._change: NDArray[np.float64] = self._ends[:, 1] - self._ends[:, 0]
        self._scale = np.maximum(np.abs(self._change), SMALLEST_CHANGE)
        self._steps: dict[int, NDArray[np.float64]] = {}  # image -> (P,) change of F over each panel

    def begin(self) -> None:
        """One point in the middle of every panel."""
        images, panels = np.indices(self._count.shape).reshape(2, -1)
        for part, gradient, slope in self._evaluated(images, (panels + 0.5) / self._rule.points):
            self._gradients.append(gradient)
            self._slope[images[part], panels[part]] = slope
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
        self._add(np.array(images), np.array(panels), np.array(at))
        return True

    def result(self) -> Averaged:
        """The mean gradients and how they came about."""
        weight = torch.from_numpy(1 / (self._rule.points * self._count)).to(self._way).view(-1)
        mean = torch.zeros_like(self._way)
        first = 0
        for gradient in self._gradients:
            flat, rows = self._flat(gradient), np.arange(first, first + len(gradient))
            for image, run in _runs(rows // self._rule.points):
                mean[image].addmv_(flat[run].T, weight[first + run.start : first + run.stop])
            first += len(gradient)
        return Averaged(self._shaped(mean), self._change, self._count.sum(1).astype(np.int32))

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

    def _at_end(self, known: Tensor | None, share: float) -> NDArray[np.float64]:
        """(N,) F at one end of every path."""
        if known is not None:
            return np.asarray(known.cpu().numpy(), np.float64)
        every = np.arange(len(self._difference))
        return self._values(every, np.full(len(every), share))

    def _values(self, images: Numbers, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """(M,) F at places on the paths of images."""
        found = []
        with torch.no_grad():
            for part in self._parts(len(images)):
                rows, place = self._placed(images[part], at[part])
                # A tail turns gradients on for its own operations; nothing here asks for them.
                found.append(self._target(self._tail(place, rows)).cpu().numpy())
        return np.concatenate(found) if found else np.zeros(0)

    def _evaluated(
        self, images: Numbers, at: NDArray[np.float64]
    ) -> Iterator[tuple[slice, Tensor, NDArray[np.float64]]]:
        """A batch at a time, the gradients at places on the paths, and ⟨∂F/∂a, a − a'⟩ there."""
        for part in self._parts(len(images)):
            rows, place = self._placed(images[part], at[part])
            place.requires_grad_()
            value = self._target(self._tail(place, rows))
            (gradient,) = gradients(value.sum(), [place])
            gradient = gradient.contiguous(memory_format=self._format)
            flat = self._flat(gradient)
            slope = torch.cat([flat[run] @ self._way[image] for image, run in _runs(images[part])])
            yield part, gradient, double(slope).cpu().numpy()

    def _add(self, images: Numbers, panels: Numbers, at: NDArray[np.float64]) -> None:
        """Add the gradients at further places to their panels."""
        batch = self._rule.batch
        for part, gradient, slope in self._evaluated(images, at):
            np.add.at(self._slope, (images[part], panels[part]), slope)
            for row, kept in zip(gradient, images[part] * self._rule.points + panels[part], strict=True):
                self._gradients[kept // batch][kept % batch].add_(row)

    def _parts(self, number: int) -> list[slice]:
        return [slice(start, start + self._rule.batch) for start in range(0, number, self._rule.batch)]

    def _placed(self, images: Numbers, at: NDArray[np.float64]) -> tuple[Tensor, Tensor]:
        """Image numbers, and the points on their paths, (M, …)."""
        like = self._difference
        shape = (len(images), *like.shape[1:])
        place = torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=self._format)
        for row, (image, share) in enumerate(zip(images, at, strict=True)):
            torch.add(self._start[image], like[image], alpha=float(share), out=place[row])
        return torch.from_numpy(images).to(place.device), place

    def _flat(self, rows: Tensor) -> Tensor:
        """(M, D) rows in the order in which they lie in memory."""
        return (rows.permute(0, 2, 3, 1) if self._format is torch.channels_last else rows).flatten(1)

    def _shaped(self, flat: Tensor) -> Tensor:
        """(N, …) from (N, D)."""
        shape = self._difference.shape[1:]
        if self._format is torch.channels_last:
            return flat.view(-1, *shape[1:], shape[0]).permute(0, 3, 1, 2)
        return flat.view(-1, *shape)


def _runs(images: Numbers) -> Iterator[tuple[int, slice]]:
    """Each image number, and the rows in which it stands one below the other."""
    starts = np.flatnonzero(np.diff(images, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(images)], strict=True):
        yield int(images[start]), slice(int(start), int(stop))
