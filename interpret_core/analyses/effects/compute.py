"""What each single unit does for each class: estimated for all units, measured for the strongest.

To first order, silencing a unit to zero changes F by −Σ a·∂F/∂a over its positions (method §8). That ranks
all units after one backward pass per image; the strongest of them are then silenced one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.analyses.ablation.ablator import BATCH, Ablator, batch_of, evaluated_content
from interpret_core.analyses.ablation.plan import AblationPlan, ablation_plan
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.relevance.attribution import KEPT, MEMORY, no_gradient
from interpret_core.errors import NonFiniteError
from interpret_core.measures.ablation.answers import Answers, joined
from interpret_core.measures.ablation.evaluation import share, tally
from interpret_core.measures.ablation.selection import Selection
from interpret_core.measures.attribution.gradient import BlockedError, gradients
from interpret_core.networks import Network
from interpret_core.networks.arithmetic import plain_arithmetic
from interpret_core.networks.cutting import INPUT, NotCuttableError
from interpret_core.runtime.execution import Execution, Reporter
from interpret_core.runtime.subjects import identify, loaded
from interpret_core.store.keys import content_key
from interpret_core.store.records import Record
from interpret_core.store.store import Store

STRONGEST = 50  # units that are silenced one by one
BOTH_WAYS = 0.01  # of a class's mean probability, below which a change is not called help or harm


class UnitName(NamedTuple):
    """A unit and where it is."""

    layer: str
    unit: int


@dataclass(frozen=True, eq=False)
class Effects:
    """Changes by silencing single units to zero: V units of all layers side by side, C classes, S silenced.

    Attributes:
        arrays: first_order (V, C) f32, the estimated change of the class's mean probability; strongest (S,)
            i64 into V, by their largest estimate for any class; exact (S, C) f64, the measured change of
            that mean, paired; exact_accuracy (S, C) f64, the measured change of accuracy.
        metadata: network (name, digest, evidence), dataset (name, digest), split, layers [[name, units]],
            classes [[name, images]].
    """

    arrays: Mapping[str, NDArray[Any]]
    metadata: Mapping[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the C classes."""
        return tuple(name for name, _ in self.metadata["classes"])

    @property
    def images(self) -> tuple[int, ...]:
        """n of each class."""
        return tuple(int(n) for _, n in self.metadata["classes"])

    @cached_property
    def units(self) -> tuple[UnitName, ...]:
        """The V units, layer by layer."""
        return tuple(
            UnitName(str(name), unit) for name, units in self.metadata["layers"] for unit in range(units)
        )

    @property
    def first_order(self) -> NDArray[np.float32]:
        """(V, C), the estimates."""
        return self.arrays["first_order"]

    @property
    def strongest(self) -> NDArray[np.int64]:
        """(S,) into V, the strongest estimate first."""
        return self.arrays["strongest"]

    @property
    def exact(self) -> NDArray[np.float64]:
        """(S, C), the measured changes of the mean probability."""
        return self.arrays["exact"]

    @property
    def exact_accuracy(self) -> NDArray[np.float64]:
        """(S, C), the measured changes of accuracy."""
        return self.arrays["exact_accuracy"]

    def two_faced(self) -> NDArray[np.int64]:
        """(T,) into S: units whose silence hurts one class and helps another, each by at least BOTH_WAYS.

        As measured; the first is the one with the largest smaller side: min(largest loss, largest gain).
        """
        sides = np.minimum(-np.nanmin(self.exact, 1), np.nanmax(self.exact, 1))
        order = np.argsort(-sides, kind="stable")
        return order[sides[order] >= BOTH_WAYS]


def effects_key(plan: AblationPlan) -> str:
    """Where the effects on a plan's images are kept."""
    return content_key("effects", evaluated_content(plan) | {"strongest": STRONGEST})


def find_effects(plan: AblationPlan) -> Effects | None:
    """The effects, if they are in the store."""
    record = plan.store.get(effects_key(plan))
    return None if record is None else _named(plan, record)


def run_effects(request: AblationRequest, store: Store, execution: Execution | None = None) -> Effects:
    """Estimate every unit's effect on every class and measure the strongest; found, if they were before.

    Args:
        request: network, data set and images; who ranks does not matter here.
        store: where the result is kept.
        execution: device, progress and cancellation.

    Raises:
        UserError: unknown names, or no image to evaluate.
        NonFiniteError: NaN or infinity in a gradient or an output.
        Cancelled: the user stopped it; nothing is kept.
    """
    execution = execution or Execution()
    reporter = Reporter(execution.tell, execution.cancelled)
    network = loaded(identify(request.network, store, execution.device), store).required
    plan = ablation_plan(request, store, network)
    with plain_arithmetic():
        record = store.compute(effects_key(plan), lambda: _record(plan, reporter), execution.cancelled)
    return _named(plan, record)


def _record(plan: AblationPlan, reporter: Reporter) -> Record:
    units = [UnitName(layer.name, unit) for layer in plan.layers for unit in range(layer.units)]
    chosen = min(STRONGEST, len(units))
    reporter.total = len(plan.images) * (2 + chosen)
    estimate = _first_order(plan, reporter)
    strongest = np.argsort(-np.abs(estimate).max(1), kind="stable")[:chosen]
    ablator = Ablator(plan)
    intact = _answers(ablator, {}, reporter)
    changes = []
    for place in strongest.tolist():
        layer, unit = units[place]
        changes.append(_change(plan, intact, _answers(ablator, {layer: (unit,)}, reporter)))
    arrays: dict[str, NDArray[Any]] = {
        "first_order": estimate.astype(np.float32),
        "strongest": strongest.astype(np.int64),
        "exact": np.stack([probability for probability, _ in changes]),
        "exact_accuracy": np.stack([accuracy for _, accuracy in changes]),
    }
    return Record(arrays, _metadata(plan))


def _first_order(plan: AblationPlan, reporter: Reporter) -> NDArray[np.float64]:
    """(V, C) −mean over the class's images of Σ a·∂P/∂a."""
    sums = np.zeros((sum(layer.units for layer in plan.layers), len(plan.classes)))
    step = int(np.clip(MEMORY // (KEPT * plan.network.cutter.tail_bytes[INPUT]), 1, BATCH))
    for start in range(0, len(plan.images), step):
        rows = np.arange(start, min(start + step, len(plan.images)))
        products = np.concatenate([_product(*pair) for pair in _gradients(plan, rows)], 1)
        if not np.isfinite(products).all():
            raise NonFiniteError(
                f"A gradient of {plan.request.network} is NaN or infinite on one of "
                f"{', '.join(plan.dataset.records[int(index)].image for index in plan.images[rows])}; "
                "expected finite numbers. Check the weights."
            )
        np.subtract.at(sums.T, plan.labels[rows], products)
        reporter.advance("estimating all units", len(rows))
    return sums / plan.population


def _gradients(plan: AblationPlan, rows: NDArray[np.int64]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Layer by layer, the responses to some images and the gradients of each image's own class there."""
    images = batch_of(plan, plan.images[rows]).to(plan.network.device)
    names = [layer.name for layer in plan.layers]
    own = _Own(plan, rows)
    try:
        output, responses = plan.network.cutter.sweep(images, names)
    except NotCuttableError:
        yield from _behind(plan.network, images, names, own)
        return
    try:
        yield from zip(responses, gradients(own(output), responses), strict=True)
    except BlockedError as error:
        raise no_gradient(plan.network, names[error.number]) from error


def _behind(
    network: Network, images: torch.Tensor, names: list[str], own: _Own
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """The same where gradients cannot be read off one run: a run per layer."""
    rows = torch.arange(len(images), device=images.device)
    for name in names:
        cut = network.cutter(images, [name])
        place = cut.responses[name].detach().clone().requires_grad_()
        try:
            (gradient,) = gradients(own(cut.tail(name, place, rows)), [place])
        except BlockedError as error:
            raise no_gradient(network, name) from error
        yield place, gradient


class _Own:
    """The sum over some images of the probability of each one's own class."""

    def __init__(self, plan: AblationPlan, rows: NDArray[np.int64]) -> None:
        self._head = plan.network.head
        labels = plan.labels[rows]
        # By class: which rows show it, and its outputs.
        self._groups = [
            (np.flatnonzero(labels == label).tolist(), plan.classes[label].outputs)
            for label in np.unique(labels).tolist()
        ]

    def __call__(self, output: torch.Tensor) -> torch.Tensor:
        sums = [self._head.probability(output[rows], group).sum() for rows, group in self._groups]
        return torch.stack(sums).sum()


def _product(response: torch.Tensor, gradient: torch.Tensor) -> NDArray[np.float64]:
    """(N, U) Σ a·∂P/∂a over the positions."""
    product: NDArray[np.float64] = (response.detach() * gradient).double().sum((2, 3)).cpu().numpy()
    return product


def _answers(ablator: Ablator, selection: Selection, reporter: Reporter) -> Answers:
    parts = []
    for start in range(0, len(ablator.plan.images), BATCH):
        rows = np.arange(start, min(start + BATCH, len(ablator.plan.images)))
        parts.append(ablator.evaluate(rows, selection, {}))
        reporter.advance("silencing units one by one" if selection else "intact network", len(rows))
    return joined(parts)


def _change(
    plan: AblationPlan, before: Answers, after: Answers
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(C,) changes of the mean probability and of the accuracy, by class."""
    classes = len(plan.classes)
    difference = after.probability.astype(np.float64) - before.probability
    paired = np.bincount(plan.labels, difference, minlength=classes)
    right = [tally(one, plan.labels, plan.outputs).accuracy for one in (before, after)]
    return share(paired, plan.population), right[1] - right[0]


def _metadata(plan: AblationPlan) -> dict[str, Any]:
    network = plan.network
    return {
        "network": {"name": network.name, "digest": network.digest, "evidence": network.evidence},
        "dataset": {"name": plan.dataset.name, "digest": plan.dataset.digest},
        "split": plan.request.split,
        "layers": [[layer.name, layer.units] for layer in plan.layers],
        "classes": [[one.name, int(n)] for one, n in zip(plan.classes, plan.population, strict=True)],
    }


def _named(plan: AblationPlan, record: Record) -> Effects:
    """Under today's names: the same content may have borne others."""
    changed = {
        "network": {**record.metadata["network"], "name": plan.request.network},
        "dataset": {**record.metadata["dataset"], "name": plan.dataset.name},
    }
    return Effects(record.arrays, {**record.metadata, **changed})
