"""Attributions of a batch of images at a network's layers: the network's cuts, fed to the integration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.measures.attribution.gradient import (
    BlockedError,
    gradients,
    no_gradient,
    room,
    rows_at_once,
)
from interpret_core.measures.attribution.path import Averaged, Integrated, Line, Rule, average, credited
from interpret_core.measures.attribution.sweep import Target, conductance
from interpret_core.networks import Network
from interpret_core.networks.graph.cuts import INPUT, Cut, Cutter, NotCuttableError

BLUR = 1 / 16  # standard deviation of the blurred baseline, over the image's shorter side


def baselines(network: Network, kind: str, images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """The reference input of each image, as the network takes it.

    Args:
        network: whose preprocessing to use.
        kind: "black", 0 in pixel space; "mean", the mean colour that the preprocessing subtracts; "blur", the
            image blurred until only patches of colour are left.
        images: (h, w, 3) uint8.

    Returns:
        (N, 3, H, W) float32, on the network's device.
    """
    if kind == "mean":
        return torch.zeros_like(network.batch(images))
    if kind == "black":
        return network.batch([np.zeros_like(image) for image in images])
    return network.batch([blurred(image) for image in images])


def blurred(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3) uint8, until only patches of colour are left; an image of another size needs another blur."""
    radius = BLUR * min(image.shape[:2])
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


@dataclass(frozen=True)
class Attributing:
    """Attributions for one class.

    Attributes:
        network: the network.
        target: F.
        request: method, points and tolerance.
    """

    network: Network
    target: Target
    request: RelevanceRequest

    def layers(
        self,
        images: Sequence[NDArray[np.uint8]],
        names: Sequence[str],
        references: Sequence[NDArray[np.uint8]] | None = None,
    ) -> tuple[Tensor, Iterator[tuple[str, Integrated]]]:
        """The output for some images, and layer by layer their attributions; INPUT stands for the pixels.

        Args:
            images: (h, w, 3) uint8, few enough for one batch.
            names: of layers.
            references: the baselines as images, where they are made already: of reduced images, none can be
                made that is blurred as much as the whole one's.
        """
        batch = self.network.batch(images)
        if references is None:
            reference = baselines(self.network, self.request.baseline, images)
        else:
            reference = self.network.batch(references)
        cut = self.network.cutter(batch, names)
        swept = self.request.method == "conductance"
        found = self._swept(batch, reference, names) if swept else self.integrated(cut, reference, names)
        return cut.output, ((name, self._upright(name, one)) for name, one in found)

    def _upright(self, layer: str, found: Integrated) -> Integrated:
        """Turned to lie as the picture does."""
        if layer == INPUT:
            return found
        return replace(found, attribution=self.network.upright(layer, found.attribution))

    def rule(self, layer: str) -> Rule:
        """The request's rule, with as many responses at once as fit into memory."""
        batch = rows_at_once(self.network.cutter.tail_bytes[layer], self.network.device)
        request = self.request
        return Rule(request.points, request.most_points, request.tolerance, batch)

    def integrated(
        self, cut: Cut, reference: Tensor, names: Sequence[str]
    ) -> Iterator[tuple[str, Integrated]]:
        """Layer by layer, integrated gradients of a batch that is cut already.

        Args:
            cut: of the images.
            reference: (N, 3, H, W), their baselines.
            names: of layers.
        """
        # A black picture is the same for all: one run of it serves every image.
        one = reference if self.request.baseline == "blur" else reference[:1]
        ends = self.network.cutter(one, names)
        share = self.network.cutter.paths
        left = Counter(share[name] for name in names)
        found: dict[str, Averaged] = {}
        for name in names:
            own = _LayerPath(name, self, cut, ends)
            if share[name] not in found:
                with _named(self.network, [name]):
                    found[share[name]] = own.averaged()
            yield name, credited(own.pulled(found[share[name]].gradient), own.difference, found[share[name]])
            left[share[name]] -= 1
            if not left[share[name]]:
                del found[share[name]]

    def _swept(
        self, images: Tensor, reference: Tensor, names: Sequence[str]
    ) -> Iterator[tuple[str, Integrated]]:
        sweeper = _Sweeper(self.network.cutter)
        rule = replace(self.rule(INPUT), batch=max(1, self.rule(INPUT).batch // 2))
        with _named(self.network, names):
            by_image = [
                conductance(sweeper, self.target, images[at : at + 1], reference[at : at + 1], names, rule)
                for at in range(len(images))
            ]
        for place, name in enumerate(names):
            yield name, joined([layers[place] for layers in by_image])


@dataclass(frozen=True, eq=False)
class _LayerPath:
    """A layer's own part of the work: the path is taken at its front, which may serve other layers too.

    As far as the network is affine behind a layer, the path stays straight, and the gradients at the response
    are those at the front times one matrix. So the mean gradient is carried back instead of every one: the
    same sum in another order.
    """

    name: str
    attributing: Attributing
    cut: Cut
    ends: Cut

    @property
    def response(self) -> Tensor:
        return self.cut.responses[self.name]

    @property
    def baseline(self) -> Tensor:
        return self.ends.responses[self.name].expand_as(self.response)

    @property
    def difference(self) -> Tensor:
        return self.response - self.baseline

    @property
    def rule(self) -> Rule:
        return self.attributing.rule(self.name)

    def averaged(self) -> Averaged:
        """The mean gradients at the front, of as many images at a time as their panels' fit into memory."""
        with torch.no_grad():
            line = Line(self._carried(self.baseline), self._carried(self.response), *self._known())
        one = self.rule.points * line.end[0].numel() * line.end.element_size()
        step = max(1, room(line.end[0].device) // one)
        parts = [self._part(line, slice(at, at + step)) for at in range(0, len(line.end), step)]
        return Averaged(
            torch.cat([part.gradient for part in parts]),
            np.concatenate([part.change for part in parts]),
            np.concatenate([part.points for part in parts]),
        )

    def pulled(self, gradient: Tensor) -> Tensor:
        """Gradients with respect to the response from those at the front."""
        parts = []
        for part, rows in self._batches():
            place = self.response[part].detach().requires_grad_()
            with torch.enable_grad():
                front = self.cut.carried(self.name, place, rows)
            parts.append(torch.autograd.grad(front, place, gradient[part])[0])
        return torch.cat(parts)

    def _part(self, line: Line, part: slice) -> Averaged:
        ends = (line.start, line.end, line.first, line.last)
        some = Line(*(end if end is None else end[part] for end in ends))  # type: ignore[arg-type]

        def tail(responses: Tensor, rows: Tensor) -> Tensor:
            return self.cut.behind(self.name, responses, rows + part.start)

        return average(tail, self.attributing.target, some, self.rule)

    def _known(self) -> tuple[Tensor | None, Tensor]:
        """F of the baseline where nothing goes around the layer, and F of the images: no run is needed."""
        target, cutter = self.attributing.target, self.attributing.network.cutter
        last = target(self.cut.output)
        crossed = self.name == INPUT or self.name in cutter.crossed
        return (target(self.ends.output).expand_as(last) if crossed else None), last

    def _carried(self, response: Tensor) -> Tensor:
        return torch.cat(
            [self.cut.carried(self.name, response[part], rows) for part, rows in self._batches()]
        )

    def _batches(self) -> Iterator[tuple[slice, Tensor]]:
        rows = torch.arange(len(self.response), device=self.response.device)
        for start in range(0, len(rows), self.rule.batch):
            part = slice(start, start + self.rule.batch)
            yield part, rows[part]


@dataclass(frozen=True)
class _Sweeper:
    """A cutter as conductance needs it."""

    cutter: Cutter

    @property
    def crossed(self) -> frozenset[str]:
        return self.cutter.crossed

    def responses(self, images: Tensor, layers: Sequence[str]) -> tuple[Tensor, list[Tensor]]:
        cut = self.cutter(images, layers)
        return cut.output, [cut.responses[name] for name in layers]

    def gradients(self, images: Tensor, layers: Sequence[str], target: Target) -> list[Tensor]:
        try:
            output, responses = self.cutter.sweep(images, layers)
        except NotCuttableError:
            return [self._behind(images, layer, target) for layer in layers]
        return gradients(target(output).sum(), responses)

    def _behind(self, images: Tensor, layer: str, target: Target) -> Tensor:
        """The gradient at one layer by a run of what is behind it: the slower way."""
        cut = self.cutter(images, [layer])
        place = cut.responses[layer].detach().clone().requires_grad_()
        rows = torch.arange(len(images), device=images.device)
        (gradient,) = gradients(target(cut.tail(layer, place, rows)).sum(), [place])
        return gradient


@contextmanager
def _named(network: Network, layers: Sequence[str]) -> Iterator[None]:
    """Says of which layer no gradient reaches the responses."""
    try:
        yield
    except BlockedError as error:
        raise no_gradient(network.name, layers[error.number]) from error


def joined(parts: Sequence[Integrated]) -> Integrated:
    """Several images' results as one."""
    return Integrated(
        torch.cat([part.attribution for part in parts]),
        np.concatenate([part.change for part in parts]),
        np.concatenate([part.gap for part in parts]),
        np.concatenate([part.points for part in parts]),
    )
