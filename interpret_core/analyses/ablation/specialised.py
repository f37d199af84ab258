"""A network made for one class: units that are not needed for it, taken away from the bottom."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from interpret_core import __version__
from interpret_core.analyses.ablation.asked import layers_in
from interpret_core.analyses.ablation.grid import find_grid
from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.analyses.ablation.request import SpecialiseRequest
from interpret_core.analyses.ablation.table import measured
from interpret_core.measures.ablation.answers import Answers
from interpret_core.measures.ablation.evaluation import tally
from interpret_core.measures.ablation.selection import BOTTOM
from interpret_core.measures.ablation.settings import RELEVANCE, Setting
from interpret_core.numbers import known, mean
from interpret_core.runtime.execution import Execution
from interpret_core.tables import Row, Table

REMOVED = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # of each layer's units
COLUMNS = ("layer", "unit", "rank_from_bottom", "relevance", "removed_units", "right", "images")


class Reached(NamedTuple):
    """One share of units removed, and what is left of the class.

    Attributes:
        fraction: of each layer's units; `units`: how many in all.
        right, images: k of n; `others`: mean accuracy of the other classes, NaN where there is none.
        taken, strangers: images of other classes that are taken for this one, k of n.
        probability: mean, of the class.
    """

    fraction: float
    units: int
    right: int
    images: int
    taken: int
    strangers: int
    others: float
    probability: float


@dataclass(frozen=True)
class Specialised:
    """What was asked for.

    Attributes:
        plan: images, classes and rankings.
        request: as asked.
        name: of the class, as the data set spells it.
        reached: a share each, from none upward.
        seconds: wall-clock.
    """

    plan: AblationPlan
    request: SpecialiseRequest
    name: str
    reached: tuple[Reached, ...]
    seconds: float = field(default=0.0)

    @property
    def best(self) -> Reached:
        """The largest share that makes no more new mistakes than the request allows."""
        return kept(self.reached, self.request.mistakes)


def setting_of(name: str, fraction: float, layers: tuple[str, ...] | str, value: str) -> Setting:
    """A share of each layer's units silenced, the least relevant for a class first."""
    if not fraction:
        return Setting()
    return Setting(RELEVANCE, name, BOTTOM, fraction, layers=layers, value=value)


def reached(plan: AblationPlan, name: str, setting: Setting, answers: Answers) -> Reached:
    """What is left of a class under one setting.

    Args:
        plan: what was evaluated.
        name: of a class that is evaluated.
        setting: of `setting_of`.
        answers: to all of the plan's images.
    """
    one, target = tally(answers, plan.labels, plan.outputs), plan.number(name)
    return Reached(
        setting.fraction,
        sum(map(len, plan.selection(setting).values())),
        int(one.right[target]),
        int(one.images[target]),
        int(one.others[target] - one.rejected[target]),
        int(one.others[target]),
        mean(np.delete(one.accuracy, target)),
        float(one.probability[target]),
    )


def kept(steps: Sequence[Reached], lost: int) -> Reached:
    """The largest share up to which no step makes more new mistakes about the class than allowed.

    Images of the class that are lost and images of others that are newly taken for it both count: a network
    that calls everything by the class's name keeps all of its images, and knows nothing.
    """
    first = best = steps[0]
    for one in steps:
        if max(0, first.right - one.right) + max(0, one.taken - first.taken) > lost:
            break
        best = one
    return best


def specialise(request: SpecialiseRequest, plan: AblationPlan, execution: Execution) -> Specialised:
    """Remove more and more units; what ranks them is in the store.

    Raises:
        NotRanked, ParameterError, LayerError: as `AblationPlan.parts`.
        NonFiniteError: NaN or infinity in an output.
        Cancelled: the user stopped it; finished parts are kept.
    """
    start = time.perf_counter()
    name = plan.classes[plan.number(request.of)].name
    layers = layers_in(request.layers)
    settings = [setting_of(name, fraction, layers, request.value) for fraction in REMOVED]
    points = measured(plan, find_grid(plan), settings, execution, execution.reporter())
    steps = tuple(reached(plan, name, point.setting, point.answers) for point in points)
    return Specialised(plan, request, name, steps, time.perf_counter() - start)


def units_of(
    plan: AblationPlan, name: str, layers: tuple[str, ...] | str, value: str, best: Reached
) -> Iterator[Row]:
    """Rows of COLUMNS: the units that can go, the least relevant of each layer first."""
    relevance = plan.relevance(name)
    for layer, units in plan.selection(setting_of(name, best.fraction, layers, value)).items():
        scores = relevance.layer(layer).relevance
        for rank, unit in enumerate(sorted(units, key=lambda one: (scores[one], one)), 1):
            yield {
                "layer": layer,
                "unit": unit,
                "rank_from_bottom": rank,
                "relevance": float(scores[unit]),
                "removed_units": best.units,
                "right": best.right,
                "images": best.images,
            }


def curve(steps: Sequence[Reached]) -> list[Row]:
    """A row per share; what is not known is None."""
    return [
        {
            **one._asdict(),
            "others": known(one.others),
            "probability": known(one.probability),
            "accuracy": one.right / max(1, one.images),
        }
        for one in steps
    ]


def report(found: Specialised, verbose: bool) -> Iterator[str | Table]:
    """How much can go, and the curve."""
    plan, best, intact = found.plan, found.best, found.reached[0]
    yield f"{plan.request.network} on {plan.request.dataset}, split {plan.request.split}, for {found.name}"
    yield f"evidence: {plan.network.evidence}. {plan.network.note}".rstrip()
    yield (
        f"{best.units:,} units ({best.fraction:.0%} of each layer chosen) can go: {best.right} of "
        f"{best.images} images are still right (intact: {intact.right}), {best.taken} of {best.strangers} "
        f"others are taken for it (intact: {intact.taken})"
    )
    columns = ("removed", "units", "right", "images", "taken for it", "of others", "others' accuracy")
    cells = [
        (
            f"{one.fraction:.0%}",
            one.units,
            one.right,
            one.images,
            one.taken,
            one.strangers,
            known(one.others),
        )
        for one in found.reached
    ]
    yield Table(f"Least relevant for {found.name} removed first", columns, cells, columns)
    yield f"Evaluated in {found.seconds:.1f} s."


def description(found: Specialised) -> dict[str, Any]:
    """Everything beside the rows: what was removed, and what was left."""
    plan, request = found.plan, found.request.to_json()
    network = plan.network
    return {
        "version": __version__,
        "network": {
            "name": plan.request.network,
            "digest": network.digest,
            "evidence": network.evidence,
            "note": network.note,
        },
        "dataset": {"name": plan.dataset.name, "digest": plan.dataset.digest},
        "parameters": {name: value for name, value in request.items() if name not in ("network", "dataset")},
        "class": found.name,
        "mistakes": found.request.mistakes,
        "curve": curve(found.reached),
    }
