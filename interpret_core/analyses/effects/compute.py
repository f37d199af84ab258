"""What each single unit does for each class: estimated for all units, measured for the strongest.

To first order, silencing a unit to zero changes F by −Σ a·∂F/∂a over its positions (method §8). That ranks
all units after one backward pass per image; the strongest of them are then silenced one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core import datasets
from interpret_core.analyses.effects.plan import STRONGEST, effects_key, effects_of, planned_images
from interpret_core.analyses.effects.request import EffectsRequest
from interpret_core.analyses.effects.result import Effects, UnitName
from interpret_core.errors import NonFiniteError
from interpret_core.measures.ablation.answers import Answers, joined
from interpret_core.measures.ablation.evaluation import tally
from interpret_core.measures.ablation.selection import Selection
from interpret_core.measures.attribution.gradient import KEPT, MEMORY, BlockedError, gradients, no_gradient
from interpret_core.networks import Network
from interpret_core.networks.arithmetic import double, plain_arithmetic
from interpret_core.networks.graph.cuts import INPUT, NotCuttableError
from interpret_core.numbers import share
from interpret_core.options import ALL
from interpret_core.runtime.evaluated import BATCH, EvaluatedImages
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.known_layers import KnownLayers
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.silencer import Silencer
from interpret_core.runtime.subjects import identify, loaded
from interpret_core.runtime.survey import planned
from interpret_core.store.records import Record
from interpret_core.store.store import Store


def run_effects(request: EffectsRequest, store: Store, execution: Execution | None = None) -> Effects:
    """Estimate every unit's effect on every class and measure the strongest; found, if they were before.

    Args:
        request: network, data set and images.
        store: where the result is kept.
        execution: device, progress and cancellation.

    Raises:
        UserError: unknown names, no image to evaluate, or no layer with masks.
        NonFiniteError: NaN or infinity in a gradient or an output.
        Cancelled: the user stopped it; nothing is kept.
    """
    execution = execution or Execution()
    reporter = execution.reporter()
    dataset = datasets.open_dataset(request.dataset)
    reporter.tell("reading the data set's digest", 0, 0)
    dataset.compute_digest(cancelled=execution.cancelled)
    network = loaded(identify(request.network, store, execution.device), store).required
    network.require_classes()
    planned(dataset, network.spec, store, reporter)
    KnownLayers.of(network).chosen(ALL, request.network)
    images = planned_images(request, store, network)
    with plain_arithmetic():
        record = store.compute(effects_key(images), lambda: _record(images, reporter), execution.cancelled)
    return effects_of(images, record)


def _record(images: EvaluatedImages, reporter: Reporter) -> Record:
    units = [UnitName(layer.name, unit) for layer in images.layers for unit in range(layer.units)]
    chosen = min(STRONGEST, len(units))
    reporter.total = len(images.images) * (2 + chosen)
    estimate = _first_order(images, reporter)
    strongest = np.argsort(-np.abs(estimate).max(1), kind="stable")[:chosen]
    silencer = Silencer(images)
    intact = _answers(silencer, {}, reporter)
    changes = []
    for place in strongest.tolist():
        layer, unit = units[place]
        changes.append(_change(images, intact, _answers(silencer, {layer: (unit,)}, reporter)))
    arrays: dict[str, NDArray[Any]] = {
        "first_order": estimate.astype(np.float32),
        "strongest": strongest.astype(np.int64),
        "exact": np.stack([probability for probability, _ in changes]),
        "exact_accuracy": np.stack([accuracy for _, accuracy in changes]),
    }
    return Record(arrays, _metadata(images))


def _first_order(images: EvaluatedImages, reporter: Reporter) -> NDArray[np.float64]:
    """(V, C) −mean over the class's images of Σ a·∂P/∂a."""
    sums = np.zeros((sum(layer.units for layer in images.layers), len(images.classes)))
    step = int(np.clip(MEMORY // (KEPT * images.network.cutter.tail_bytes[INPUT]), 1, BATCH))
    for start in range(0, len(images.images), step):
        rows = np.arange(start, min(start + step, len(images.images)))
        products = np.concatenate([_product(*pair) for pair in _gradients(images, rows)], 1)
        if not np.isfinite(products).all():
            raise NonFiniteError(
                f"A gradient of {images.network.name} is NaN or infinite on one of "
                f"{', '.join(images.dataset.records[int(index)].image for index in images.images[rows])}; "
                "expected finite numbers. Check the weights."
            )
        np.subtract.at(sums.T, images.labels[rows], products)
        reporter.advance("estimating all units", len(rows))
    return sums / images.population


def _gradients(
    images: EvaluatedImages, rows: NDArray[np.int64]
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
    network: Network, images: torch.Tensor, names: list[str], own: _OwnProbability
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

    def __init__(self, images: EvaluatedImages, rows: NDArray[np.int64]) -> None:
        self._head = images.network.head
        labels = images.labels[rows]
        # By class: which rows show it, and its outputs.
        self._groups = [
            (np.flatnonzero(labels == label).tolist(), images.classes[label].outputs)
            for label in np.unique(labels).tolist()
        ]

    def __call__(self, output: torch.Tensor) -> torch.Tensor:
        sums = [self._head.probability(output[rows], group).sum() for rows, group in self._groups]
        return torch.stack(sums).sum()


def _product(response: torch.Tensor, gradient: torch.Tensor) -> NDArray[np.float64]:
    """(N, U) Σ a·∂P/∂a over the positions."""
    product: NDArray[np.float64] = double(response.detach() * gradient).sum((2, 3)).cpu().numpy()
    return product


def _answers(silencer: Silencer, selection: Selection, reporter: Reporter) -> Answers:
    parts = []
    for start in range(0, len(silencer.images.images), BATCH):
        rows = np.arange(start, min(start + BATCH, len(silencer.images.images)))
        parts.append(silencer.evaluate(rows, selection, {}))
        reporter.advance("silencing units one by one" if selection else "intact network", len(rows))
    return joined(parts)


def _change(
    images: EvaluatedImages, before: Answers, after: Answers
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(C,) changes of the mean probability and of the accuracy, by class."""
    classes = len(images.classes)
    difference = after.probability.astype(np.float64) - before.probability
    paired = np.bincount(images.labels, difference, minlength=classes)
    right = [tally(one, images.labels, images.outputs).accuracy for one in (before, after)]
    return share(paired, images.population), right[1] - right[0]


def _metadata(images: EvaluatedImages) -> dict[str, Any]:
    network = images.network
    return {
        "network": {"name": network.name, "digest": network.digest, "evidence": network.evidence},
        "dataset": {"name": images.dataset.name, "digest": images.dataset.digest},
        "split": images.split,
        "layers": [[layer.name, layer.units] for layer in images.layers],
        "classes": [[one.name, int(n)] for one, n in zip(images.classes, images.population, strict=True)],
    }
