"""Relevance of a few images of a class, as work for any process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.relevance.attribution import Attributing, blurred
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.classes.known import KnownClass
from interpret_core.datasets import DEFAULT_CATEGORIES, Dataset, Loaded, Loader
from interpret_core.errors import DamagedFileError, NonFiniteError
from interpret_core.measures.attribution.path import Integrated
from interpret_core.measures.attribution.target import as_target
from interpret_core.measures.attribution.units import unit_sums
from interpret_core.networks import Network
from interpret_core.networks.arithmetic import plain_arithmetic
from interpret_core.options import Baseline
from interpret_core.positions import GridLines, Placing
from interpret_core.runtime.executors.base import Found, Work, only, whole
from interpret_core.runtime.openings import NetworkOnData, Opened
from interpret_core.runtime.parts import WHOLE, Pieces
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import Shard
from interpret_core.store.records import Arrays

IMAGES = 4  # computed together, and kept together when a run is cut off


@dataclass(frozen=True, eq=False)
class AskedClass:
    """What the pieces of a class have in common.

    Attributes:
        request: as asked.
        known: the class.
        images: (n,) indices of those that can be used.
        layers: names of the layers.
    """

    request: RelevanceRequest
    known: KnownClass
    images: NDArray[np.int64]
    layers: tuple[str, ...]

    def of(self, piece: Shard) -> list[int]:
        """Indices of the images of a piece."""
        (number,) = piece
        found: list[int] = self.images[number * IMAGES : (number + 1) * IMAGES].tolist()
        return found

    def pieces(self, network: Network, dataset: Dataset) -> Pieces[Opened]:
        """A pass over the images; a step is a layer of an image."""
        work = Work(
            NetworkOnData.of(network, dataset), _attributed, self, whole, only, material=(network, dataset)
        )
        each = [(number,) for number in range(-(-len(self.images) // IMAGES))]
        return Pieces(
            "images", self.known.name, work, each, lambda piece: len(self.of(piece)) * len(self.layers)
        )


def mask_of(known: KnownClass, dataset: Dataset, one: Loaded) -> NDArray[np.bool_]:
    """(H, W), the pixels of a class's objects in an image; all of them where the data set does not say."""
    if one.planes is None:
        return np.ones(dataset.annotation_size, np.bool_)
    return np.asarray(np.isin(one.planes, np.add(known.concepts, 1)).any(0))


def _attributed(opened: Opened, asked: AskedClass, piece: Shard, reporter: Reporter) -> Found:
    """Everything of a few images, layer by layer."""
    network, dataset = opened
    known, request, indices = asked.known, asked.request, asked.of(piece)
    loaded = _loaded(network, dataset, known, indices)
    references = _blurred(network, dataset, indices) if request.baseline == Baseline.BLUR else None
    masks = np.stack([mask_of(known, dataset, one) for one in loaded])
    target = as_target(known.outputs, request.output, network.head)
    attributing = Attributing(network, target, request)
    columns: dict[str, list[NDArray[Any]]] = {}
    with plain_arithmetic():
        output, by_layer = attributing.layers([one.image for one in loaded], asked.layers, references)
        for layer, found in by_layer:
            _check(layer, found, request, [dataset.records[index].image for index in indices])
            lines = network.layer(layer).lines_for(request.positions)
            for name, values in _columns(found, masks, lines, request.positions).items():
                columns.setdefault(name, []).append(values)
            reporter.advance(known.name, len(indices))
    arrays: Arrays = {name: np.concatenate(values, 1) for name, values in columns.items()}
    arrays |= {
        "mask_pixels": masks.sum((1, 2)),
        "score": target(output).cpu().numpy(),
        "predicted": network.head.best(output.float().cpu().numpy()),
    }
    return {WHOLE: arrays}


def _loaded(network: Network, dataset: Dataset, known: KnownClass, indices: Sequence[int]) -> list[Loaded]:
    table = dataset.concepts(DEFAULT_CATEGORIES) if known.concepts else None
    loader = Loader(dataset, table, reduce=network.preprocessing.reduced)
    return _sound([loader.read(index, annotations=bool(known.concepts)) for index in indices])


def _blurred(network: Network, dataset: Dataset, indices: Sequence[int]) -> list[NDArray[np.uint8]]:
    """The blurred baseline of each image: blurred whole, and then reduced."""
    loader = Loader(dataset, reduce=lambda whole: network.preprocessing.reduced(blurred(whole)))
    return [one.image for one in _sound([loader.read(index) for index in indices])]


def _sound(found: list[Loaded]) -> list[Loaded]:
    for one in found:
        if one.problem:  # it could be read a moment ago
            raise DamagedFileError(one.problem)
    return found


def _check(layer: str, found: Integrated, request: RelevanceRequest, images: Sequence[str]) -> None:
    finite = found.attribution.flatten(1).isfinite().all(1).cpu().numpy()
    if not finite.all():
        raise NonFiniteError(
            f"The relevance of layer {layer} of {request.network} is NaN or infinite on image "
            f"{images[int(np.argmin(finite))]}; expected finite numbers. Check the weights."
        )


def _columns(found: Integrated, masks: NDArray[np.bool_], lines: GridLines, placing: str) -> Arrays:
    """One layer's arrays of n images, to be put side by side with the other layers'."""
    sums = unit_sums(found.attribution, masks, lines)
    columns: dict[str, NDArray[Any]] = {
        "relevance": sums.relevance,
        "positive": sums.positive,
        "negative": sums.negative,
        "total": sums.total,
        "change": found.change[:, None],
        "gap": found.gap[:, None],
        "points": found.points[:, None],
    }
    return columns if placing == Placing.STRETCHED else columns | {"mass": sums.mass.sum(1)[:, None]}
