"""Each unit's mean response, which silenced units may be set to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.errors import DatasetError
from interpret_core.networks.arithmetic import double
from interpret_core.networks.layers.layer import Layer, read_at
from interpret_core.runtime.evaluated import BATCH, LabelledImages, readable
from interpret_core.runtime.executors.base import Found
from interpret_core.runtime.openings import Opened
from interpret_core.runtime.parts import (
    WHOLE,
    Parts,
    Pieces,
    SideBySide,
    batches_in_pieces,
    in_batches,
    unkept,
)
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import Shard
from interpret_core.store.keys import content_key
from interpret_core.store.records import Record


def mean_responses(
    plan: AblationPlan, silenced: Collection[str] = (), parts: Parts | None = None
) -> dict[str, NDArray[np.float64]]:
    """Each unit's mean response over the ranking images of all classes and all positions, by layer.

    Args:
        plan: network and images.
        silenced: layers that are needed; the network's own are always among the answer.
        parts: of what it is computed for; without them it is computed in this process, at once.

    Returns:
        (U,) per layer; computed once and kept. Images that cannot be read are left out, as they are in the
        ranking.

    Raises:
        DatasetError: none of them can be read.
    """
    further = [layer for layer in plan.network.further if layer.name in silenced]
    found = _means(plan, plan.layers, {}, parts)
    for layer in further:
        found |= _means(plan, (layer,), {"further": read_at(layer.sort)}, parts)
    return found


def ranking_images(plan: AblationPlan) -> list[int]:
    """Images that rank the units for any class, ascending: means are taken over them."""
    return sorted({index for indices in plan.ranking.images.values() for index in indices.tolist()})


def _means(
    plan: AblationPlan, layers: Sequence[Layer], more: dict[str, object], parts: Parts | None
) -> dict[str, NDArray[np.float64]]:
    images = ranking_images(plan)
    content = {
        "network": plan.network.digest,
        "dataset": plan.dataset.digest,
        "images": images,
        "batch": BATCH,
    }

    def compute() -> Record:
        sound = _sound(plan, images)
        pieces = _AskedMeans(np.array(sound, np.int64), tuple(layer.name for layer in layers)).pieces(plan)
        sums = {layer.name: np.zeros(layer.units) for layer in layers}
        for found in unkept(pieces) if parts is None else parts.of(pieces):
            for name, total in sums.items():
                for batch in found[name]:  # one after the other, as a sum of floats depends on it
                    total += batch
        return Record({name: total / len(sound) for name, total in sums.items()})

    return dict(plan.store.compute(content_key("responses", content | more), compute, needed=False).arrays)


def _sound(plan: AblationPlan, images: Sequence[int]) -> list[int]:
    """The images that can be read.

    Raises:
        DatasetError: none can.
    """
    if not images:
        raise DatasetError(
            f"No image of {plan.dataset.name} is in split {plan.request.ranked_on!r}, over which units' "
            "means are taken, expected at least one: silence units to zero, or rank on another split."
        )
    sound = [index for index in images if readable(plan.dataset, index)]
    if not sound:
        raise DatasetError(
            f"None of the {len(images)} ranking images of {plan.dataset.name} can be read, expected at "
            "least one: silence units to zero, or replace the images."
        )
    return sound


@dataclass(frozen=True, eq=False)
class _AskedMeans:
    """What every piece is given: indices of the images, and names of the layers."""

    images: NDArray[np.int64]
    layers: tuple[str, ...]

    def pieces(self, plan: AblationPlan) -> Pieces[Opened]:
        """A pass over the images; it is no step of the progress, being short beside what it is for."""
        join = SideBySide(dict.fromkeys(self.layers, 0))
        work = in_batches((plan.network, plan.dataset), _summed, self, join)
        name = f"means-{len(self.layers)}-{self.layers[0]}"
        return Pieces(name, "means", work, batches_in_pieces(-(-len(self.images) // BATCH)), lambda _: 0)


def _summed(opened: Opened, asked: _AskedMeans, piece: Shard, reporter: Reporter) -> Found:
    """(b, U) per layer: of each batch, the sum over its images of the mean over positions."""
    network, dataset = opened
    layers = [network.layer(name) for name in asked.layers]
    nothing = np.zeros(0, np.int64)
    images = LabelledImages(network, dataset, nothing, nothing, ())
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in asked.layers}

    def add(layer: Layer, response: torch.Tensor) -> None:
        found[layer.name].append(double(response).mean((2, 3)).sum(0).cpu().numpy())

    for number in piece:
        reporter.check()
        network.stream(images.batch(asked.images[number * BATCH : (number + 1) * BATCH]), layers, add)
    return {WHOLE: {name: np.stack(sums) for name, sums in found.items()}}
