"""The largest response of every unit in every image, as work for any process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.analyses.image_labels.plan import IMAGES
from interpret_core.datasets import Batch, Dataset, Loader
from interpret_core.datasets.pictures import shrink
from interpret_core.errors import NonFiniteError
from interpret_core.networks import Layer, Network
from interpret_core.runtime.executors.base import Found, Work
from interpret_core.runtime.openings import Opened
from interpret_core.runtime.parts import in_batches
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import Shard
from interpret_core.runtime.texts import texts_as_arrays
from interpret_core.store.records import Arrays

STAGE = "largest responses"
LOOK = (8, 8)  # grid on which pictures are compared, to tell which show one scene


@dataclass(frozen=True)
class AskedMaxima:
    """What every piece is given.

    Attributes:
        layers: names of those that are wanted, or IMAGES.
        images: how many the data set has.
        batch_size: images at a time.
    """

    layers: tuple[str, ...]
    images: int
    batch_size: int

    @property
    def batches(self) -> int:
        """How many there are."""
        return -(-self.images // self.batch_size)

    def rows(self, number: int) -> range:
        """The images of a batch."""
        return range(number * self.batch_size, min((number + 1) * self.batch_size, self.images))

    def size(self, piece: Shard) -> int:
        """Images of a piece."""
        return sum(len(self.rows(number)) for number in piece)

    def work(self, network: Network, dataset: Dataset) -> Work[Opened, Shard]:
        """What is done with a piece."""
        return in_batches((network, dataset), _maxima, self, side_by_side)


def side_by_side(found: Sequence[Found]) -> Found:
    """Image after image, what the batches of a piece gave of each layer."""
    return {
        layer: {name: np.concatenate([one[layer][name] for one in found]) for name in arrays}
        for layer, arrays in found[0].items()
    }


def _maxima(opened: Opened, asked: AskedMaxima, piece: Shard, reporter: Reporter) -> Found:
    """By layer `response` (n, U) float32; of the images `valid`, `look` and why one cannot be read."""
    network, dataset = opened
    layers = [name for name in asked.layers if name != IMAGES]
    batches = [asked.rows(number) for number in piece]
    # Of a photograph only what is needed is kept. What it looks like is of no network, so it is made of the
    # whole photograph, in a loader of its own; that is done once for a data set.
    seen = Loader(dataset, reduce=network.preprocessing.reduced).batches(batches) if layers else repeat(None)
    looks = Loader(dataset, reduce=_look).batches(batches) if IMAGES in asked.layers else repeat(None)
    found = []
    for rows, batch, look in zip(batches, seen, looks, strict=False):
        arrays = {} if batch is None else _responses(network, dataset, batch, layers)
        if look is not None:
            arrays[IMAGES] = _images(look)
        found.append(arrays)
        reporter.advance(STAGE, len(rows))
    return side_by_side(found)


def _look(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return shrink(image, LOOK)


def _responses(network: Network, dataset: Dataset, batch: Batch, layers: Sequence[str]) -> dict[str, Arrays]:
    found: dict[str, Arrays] = {}

    def see(layer: Layer, response: torch.Tensor) -> None:
        # Adding zero turns −0 into 0: one response has one spelling.
        largest: NDArray[np.float32] = response.float().amax((2, 3)).cpu().numpy() + np.float32(0)
        odd = batch.valid & ~np.isfinite(largest).all(1)
        if odd.any():
            image = dataset.records[int(batch.indices[np.flatnonzero(odd)[0]])].image
            raise NonFiniteError(
                f"Layer {layer.name} of {network.name} gives NaN or infinity on image {image}; expected "
                "finite responses. Check the weights."
            )
        found[layer.name] = {"response": largest}

    network.stream(network.batch(batch.images), layers, see)
    return found


def _images(batch: Batch) -> Arrays:
    nothing = np.zeros((*LOOK, 3), np.uint8)  # of one that cannot be read
    images = [one if valid else nothing for one, valid in zip(batch.images, batch.valid, strict=True)]
    look = np.stack([image.reshape(-1, 3) for image in images])
    return {"valid": batch.valid, "look": look, **texts_as_arrays(batch.problems)}
