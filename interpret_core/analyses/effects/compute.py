"""What each single unit does for each class: estimated for all units, measured for the strongest.

To first order, silencing a unit to zero changes F by −Σ a·∂F/∂a over its positions (method §8). That ranks
all units after one backward pass per image; the strongest of them are then silenced one by one.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core import datasets
from interpret_core.analyses.effects.plan import STRONGEST, effects_key, effects_of, planned_images
from interpret_core.analyses.effects.request import EffectsRequest
from interpret_core.analyses.effects.result import Effects, UnitName
from interpret_core.analyses.effects.work import first_order
from interpret_core.measures.ablation.answers import Answers
from interpret_core.measures.ablation.evaluation import tally
from interpret_core.measures.ablation.selection import Selection
from interpret_core.numbers import share
from interpret_core.options import ALL
from interpret_core.runtime.evaluated import EvaluatedImages
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.known_layers import KnownLayers
from interpret_core.runtime.parts import Parts, record_of
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.silenced import SilencedImages, silenced_answers
from interpret_core.runtime.subjects import identify, loaded
from interpret_core.runtime.survey import planned
from interpret_core.store.records import Record
from interpret_core.store.store import Store


def run_effects(request: EffectsRequest, store: Store, execution: Execution | None = None) -> Effects:
    """Estimate every unit's effect on every class and measure the strongest; found, if they were before.

    Args:
        request: network, data set and images.
        store: where the result is kept.
        execution: device, executor, progress and cancellation.

    Raises:
        UserError: unknown names, no image to evaluate, or no layer with masks.
        NonFiniteError: NaN or infinity in a gradient or an output.
        Cancelled: the user stopped it; finished parts are kept.
    """
    execution = execution or Execution()
    reporter = execution.reporter()
    dataset = datasets.open_dataset(request.dataset)
    reporter.tell("reading the data set's digest", 0, 0)
    dataset.compute_digest(cancelled=execution.cancelled)
    network = loaded(identify(request.network, store, execution.device), store).required
    network.require_classes()
    planned(dataset, network.spec, store, reporter, execution)
    KnownLayers.of(network).chosen(ALL, request.network)
    images = planned_images(request, store, network)
    record = record_of(store, effects_key(images), partial(_record, images, reporter), execution, reporter)
    return effects_of(images, record)


def _record(images: EvaluatedImages, reporter: Reporter, parts: Parts) -> Record:
    units = [UnitName(layer.name, unit) for layer in images.layers for unit in range(layer.units)]
    chosen = min(STRONGEST, len(units))
    reporter.total = len(images.images) * (2 + chosen)
    estimate = first_order(parts, images)
    strongest = np.argsort(-np.abs(estimate).max(1), kind="stable")[:chosen]
    selections: list[Selection] = [
        {},
        *({units[place].layer: (units[place].unit,)} for place in strongest.tolist()),
    ]
    everything = np.arange(len(images.images))
    settings = [[SilencedImages(everything, selection)] for selection in selections]
    intact, *silenced = silenced_answers(parts, images, settings, "silencing units one by one")
    changes = [_change(images, intact, answers) for answers in silenced]
    arrays: dict[str, NDArray[Any]] = {
        "first_order": estimate.astype(np.float32),
        "strongest": strongest.astype(np.int64),
        "exact": np.stack([probability for probability, _ in changes]),
        "exact_accuracy": np.stack([accuracy for _, accuracy in changes]),
    }
    return Record(arrays, _metadata(images))


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
