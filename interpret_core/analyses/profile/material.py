"""What a run works on: the network, the data set, its batches, and how a batch reaches the kernels."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.datasets import Batch, ConceptTable, Dataset, Loader, Survey
from interpret_core.datasets.loader import MEMORY, WORKERS
from interpret_core.errors import NonFiniteError
from interpret_core.measures.dissection.bands import SEED
from interpret_core.measures.dissection.chance import MAX_IMAGES, sample_images
from interpret_core.measures.dissection.listed import Annotated
from interpret_core.measures.dissection.twin.choice import AUTO, kernels_for
from interpret_core.measures.dissection.twin.kernels import Kernels
from interpret_core.measures.dissection.twin.places import moved
from interpret_core.networks import Layer, Network
from interpret_core.options import PLACING
from interpret_core.positions import GridLines

PILOT_IMAGES = 8
KEPT_IMAGES = MAX_IMAGES  # decoded once for all passes; those of a longer list are decoded in each
DECODERS = 8  # threads that decode for a card, which leaves the processor to them
T = TypeVar("T")


@dataclass(frozen=True)
class Material:
    """The inputs of a run; nothing here changes while it runs.

    Attributes:
        network, dataset, table, survey: what is profiled.
        batch_size: images per forward pass.
        positions: how a layer's grid lies over the picture.
        tally: which kernels count, see `kernels_for`; decides no number.
    """

    network: Network
    dataset: Dataset
    table: ConceptTable
    survey: Survey
    batch_size: int
    positions: str = PLACING
    tally: str = AUTO

    @cached_property
    def kernels(self) -> Kernels[Any, Any]:
        """What the passes do with responses."""
        return kernels_for(self.network.device, self.tally)

    @cached_property
    def loader(self) -> Loader:
        """Its pictures and masks."""
        workers = min(DECODERS, os.cpu_count() or 1) if self.network.device.type == "cuda" else WORKERS
        # Each pass reads them in the same order: what cannot be kept whole is never found again, and small
        # pictures of a long list would fill the memory with what is quickly decoded.
        memory = MEMORY if len(self.dataset) <= KEPT_IMAGES else 0
        reduce = self.network.preprocessing.reduced
        return Loader(self.dataset, self.table, self.survey, memory=memory, workers=workers, reduce=reduce)

    @cached_property
    def batches(self) -> tuple[range, ...]:
        """Fixed batches in the order of the index; a skipped image keeps its slot."""
        count = len(self.dataset)
        return tuple(
            range(start, min(start + self.batch_size, count)) for start in range(0, count, self.batch_size)
        )

    @property
    def columns(self) -> int:
        """Columns of a tally: unlabelled, the concepts, the shades."""
        return 1 + len(self.table) + len(self.survey.shades)

    @cached_property
    def ranked(self) -> NDArray[np.bool_]:
        """(N,) bool, the images that are ranked by each unit's largest response."""
        chosen = np.zeros(len(self.dataset), np.bool_)
        chosen[sample_images(self.survey.valid, SEED)] = True
        return chosen

    def size(self, shard: Sequence[int]) -> int:
        """Images of some batches together."""
        return sum(len(self.batches[number]) for number in shard)

    def fed(self, shard: Sequence[int], *, annotations: bool = False) -> Iterator[Fed]:
        """Some batches, by their numbers, ready for the network and the kernels."""
        return feed(self, [self.batches[number] for number in shard], annotations)

    def lines(self, layer: str) -> GridLines:
        """Where a layer's grid lies in the picture."""
        return self.network.layer(layer).lines_for(self.positions)

    def spread(self, layer: str) -> float:
        """Annotation pixels per position of a layer's grid."""
        return float(np.prod(self.dataset.annotation_size) / np.prod(self.network.layer(layer).grid))

    def pilot(self) -> tuple[int, ...]:
        """A few valid images, evenly spaced, for a first look at the range of the responses."""
        valid = np.flatnonzero(self.survey.valid)
        chosen = np.linspace(0, len(valid) - 1, min(PILOT_IMAGES, len(valid))).round().astype(int)
        return tuple(int(image) for image in valid[np.unique(chosen)])


@dataclass(frozen=True)
class Fed:
    """One batch, ready for the network and the kernels.

    Attributes:
        batch: as read.
        images: (n, 3, h, w) float32 on the network's device.
        annotated: annotations as the run's kernels take them, or None where the stage needs none.
    """

    batch: Batch
    images: torch.Tensor
    annotated: Any


def feed(material: Material, batches: Sequence[Sequence[int]], annotations: bool) -> Iterator[Fed]:
    """Decode ahead of the computation and preprocess, batch by batch."""
    device = material.network.device
    prepared = _prepared(material, batches, annotations)
    for batch, images, found in ahead(prepared) if device.type == "cuda" else prepared:
        there = None if found is None else material.kernels.annotated(found)
        yield Fed(batch, moved(images, device), there)


def _prepared(
    material: Material, batches: Sequence[Sequence[int]], annotations: bool
) -> Generator[tuple[Batch, torch.Tensor, Annotated | None], None, None]:
    """What of a batch needs no accelerator."""
    for batch in material.loader.batches(batches, annotations=annotations):
        images = material.network.preprocessing.batch(batch.images)
        yield batch, images, annotated(material, batch) if annotations else None


def ahead(items: Generator[T, None, None]) -> Iterator[T]:
    """The same, each made in a thread while the one before it is at work: an accelerator need not wait."""
    with closing(items), ThreadPoolExecutor(1, thread_name_prefix="feed") as thread:
        nothing = object()
        following = thread.submit(next, items, nothing)
        while (one := following.result()) is not nothing:
            following = thread.submit(next, items, nothing)
            yield one  # type: ignore[misc]


def annotated(material: Material, batch: Batch) -> Annotated:
    """A batch's annotations as the kernels read them, the shade of each pixel as one more map."""
    if batch.labels is None or batch.colours is None:
        raise TypeError("The batch was read without annotations.")
    shade = material.survey.shades.of(batch.colours).astype(np.uint16) + np.uint16(1 + len(material.table))
    labels = np.empty((*shade.shape, batch.labels.shape[1] + 1), np.uint16)
    labels[..., :-1] = batch.labels.transpose(0, 2, 1)
    labels[..., -1] = shade
    return Annotated(
        labels,
        batch.colours,
        material.survey.category_member[batch.indices],
        batch.valid,
        material.dataset.annotation_size,
    )


def visit(
    material: Material,
    fed: Iterable[Fed],
    layers: Sequence[str],
    see: Callable[[Fed, Layer, Any], None],
    after: Callable[[Fed], None] = lambda _fed: None,
) -> None:
    """Run every batch and show each layer's responses.

    Args:
        material: the network and its batches.
        fed: the network and its batches.
        layers: names of the layers to see.
        see: called with the batch, the layer and its responses as the run's kernels take them, (n, h, w, U)
            float32; they must not be kept.
        after: called when a batch is done.
    """
    kernels = material.kernels
    for one in fed:
        with torch.inference_mode():
            material.network.stream(
                one.images,
                layers,
                lambda layer, response, one=one: see(one, layer, kernels.responses(response)),  # type: ignore[misc]
            )
        after(one)


def extremes(
    material: Material, one: Fed, layer: Layer, responses: Any
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Smallest and largest response of every map, each (n, U) float32.

    Raises:
        NonFiniteError: NaN or infinity in a valid image; the message names the layer and the image.
    """
    low, high = material.kernels.extremes(responses)
    odd = one.batch.valid & ~(np.isfinite(low) & np.isfinite(high)).all(1)
    if odd.any():
        index = int(one.batch.indices[np.flatnonzero(odd)[0]])
        raise NonFiniteError(
            f"Layer {layer.name} of {material.network.name} gives NaN or infinity on image "
            f"{material.dataset.records[index].image}; expected finite responses. Check the weights."
        )
    return low, high
