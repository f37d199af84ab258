"""The first-order effect of every unit, as work for any process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.errors import NonFiniteError
from interpret_core.measures.attribution.gradient import KEPT, MEMORY, BlockedError, gradients, no_gradient
from interpret_core.networks import Network
from interpret_core.networks.arithmetic import double, plain_arithmetic
from interpret_core.networks.graph.cuts import INPUT, NotCuttableError
from interpret_core.runtime.evaluated import BATCH, LabelledImages
from interpret_core.runtime.executors.base import Found
from interpret_core.runtime.openings import Opened
from interpret_core.runtime.parts import WHOLE, Parts, Pieces, SideBySide, in_batches
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import MOST_SHARDS, Shard, split

STAGE = "estimating all units"
LARGEST = 32 * 2**20  # bytes that a piece gives, where a batch allows
ROWS = SideBySide({"products": 0})


def first_order(parts: Parts, images: LabelledImages) -> NDArray[np.float64]:
    """(V, C) −mean over the class's images of Σ a·∂P/∂a.

    Raises:
        NonFiniteError: NaN or infinity in a gradient.
        NoGradientError: none reaches a layer.
        Cancelled: the user stopped it; finished parts are kept.
    """
    asked = _AskedGradients(
        images.images,
        images.labels,
        images.outputs,
        int(np.clip(MEMORY // (KEPT * images.network.cutter.tail_bytes[INPUT]), 1, BATCH)),
    )
    units = sum(layer.units for layer in images.layers)
    sums = np.zeros((units, len(images.outputs)))
    start = 0
    for found in parts.of(asked.pieces(images, units)):
        products = found["products"]
        # One image after the other: a sum of floats depends on their order.
        np.subtract.at(sums.T, images.labels[start : start + len(products)], products)
        start += len(products)
    return sums / images.population


@dataclass(frozen=True, eq=False)
class _AskedGradients:
    """What every piece is given: the images as of `LabelledImages`, and how many are a batch."""

    images: NDArray[np.int64]
    labels: NDArray[np.int64]
    outputs: tuple[tuple[int, ...], ...]
    step: int

    def rows(self, number: int) -> NDArray[np.int64]:
        """Places of a batch among the images."""
        return np.arange(number * self.step, min((number + 1) * self.step, len(self.images)))

    def pieces(self, images: LabelledImages, units: int) -> Pieces[Opened]:
        """A pass over the images; a step is an image."""
        work = in_batches((images.network, images.dataset), _products, self, ROWS)
        batches = range(-(-len(self.images) // self.step))
        bytes_in_all = len(self.images) * units * np.dtype(np.float64).itemsize
        pieces = split(batches, max(MOST_SHARDS, -(-bytes_in_all // LARGEST)))
        return Pieces("gradients", STAGE, work, pieces, self.size)

    def size(self, piece: Shard) -> int:
        """Images of a piece."""
        return sum(len(self.rows(number)) for number in piece)


def _products(opened: Opened, asked: _AskedGradients, piece: Shard, reporter: Reporter) -> Found:
    """(n, V) float64, of each image Σ a·∂P/∂a of its own class."""
    images = LabelledImages(*opened, asked.images, asked.labels, asked.outputs)
    found = []
    for number in piece:
        rows = asked.rows(number)
        with plain_arithmetic():
            products = np.concatenate([_product(*pair) for pair in _gradients(images, rows)], 1)
        if not np.isfinite(products).all():
            raise NonFiniteError(
                f"A gradient of {images.network.name} is NaN or infinite on one of "
                f"{', '.join(images.dataset.records[int(index)].image for index in images.images[rows])}; "
                "expected finite numbers. Check the weights."
            )
        found.append(products)
        reporter.advance(STAGE, len(rows))
    return {WHOLE: {"products": np.concatenate(found)}}


def _gradients(
    images: LabelledImages, rows: NDArray[np.int64]
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Layer by layer, the responses to some images and the gradients of each image's own class there."""
    batch = images.batch(images.images[rows]).to(images.network.device)
    names = [layer.name for layer in images.layers]
    own = _OwnProbability(images, rows)
    try:
        output, responses = images.network.cutter.sweep(batch, names)
    except NotCuttableError:
        yield from _behind(images.network, batch, names, own)
        return
    try:
        yield from zip(responses, gradients(own(output), responses), strict=True)
    except BlockedError as error:
        raise no_gradient(images.network.name, names[error.number]) from error


def _behind(
    network: Network, images: torch.Tensor, names: Sequence[str], own: _OwnProbability
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """The same where gradients cannot be read off one run: a run per layer."""
    rows = torch.arange(len(images), device=images.device)
    for name in names:
        cut = network.cutter(images, [name])
        place = cut.responses[name].detach().clone().requires_grad_()
        try:
            (gradient,) = gradients(own(cut.tail(name, place, rows)), [place])
        except BlockedError as error:
            raise no_gradient(network.name, name) from error
        yield place, gradient


class _OwnProbability:
    """The sum over some images of the probability of each one's own class."""

    def __init__(self, images: LabelledImages, rows: NDArray[np.int64]) -> None:
        self._head = images.network.head
        labels = images.labels[rows]
        # By class: which rows show it, and its outputs.
        self._groups = [
            (np.flatnonzero(labels == label).tolist(), images.outputs[label])
            for label in np.unique(labels).tolist()
        ]

    def __call__(self, output: torch.Tensor) -> torch.Tensor:
        sums = [self._head.probability(output[rows], group).sum() for rows, group in self._groups]
        return torch.stack(sums).sum()


def _product(response: torch.Tensor, gradient: torch.Tensor) -> NDArray[np.float64]:
    """(N, U) Σ a·∂P/∂a over the positions."""
    product: NDArray[np.float64] = double(response.detach() * gradient).sum((2, 3)).cpu().numpy()
    return product
