"""The grid of an ablation, computed once and kept: classes × top, bottom × fractions, random controls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.ablation.means import mean_responses, ranking_images
from interpret_core.analyses.ablation.plan import AblationPlan, ablation_plan
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.base import Cost
from interpret_core.measures.ablation.answers import Answers
from interpret_core.measures.ablation.evaluation import Evaluation, tally
from interpret_core.measures.ablation.selection import DIRECTIONS, FRACTIONS, SEEDS
from interpret_core.measures.ablation.settings import RANDOM, RELEVANCE, Setting
from interpret_core.options import ALL, Value
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.parts import Parts, record_of
from interpret_core.runtime.rounds import Postponed
from interpret_core.runtime.silenced import silenced_answers
from interpret_core.runtime.subjects import identify, loaded
from interpret_core.store.keys import content_key
from interpret_core.store.records import Record
from interpret_core.store.store import Store

STEPS = tuple(fraction for fraction in FRACTIONS if fraction > 0)
CONTROLS = ""  # in place of a class's name: the intact network and the random controls


@dataclass(frozen=True, eq=False)
class Grid:
    """Answers at the points of the grid, as far as they are in the store.

    Attributes:
        plan: of the request.
        classes: those whose points are there.
        controls: whether the intact network's and the random controls are.
    """

    plan: AblationPlan
    classes: tuple[str, ...]
    controls: bool
    _answers: Mapping[Setting, Answers]

    def answers(self, setting: Setting) -> Answers | None:
        """The answers to all of the plan's images, None where the setting is no point that is there."""
        return self._answers.get(_spelled(setting))

    def evaluation(self, setting: Setting) -> Evaluation | None:
        """The same as counts by class."""
        found = self.answers(setting)
        return None if found is None else tally(found, self.plan.labels, self.plan.outputs)

    def random(self, fraction: float) -> list[Evaluation]:
        """One evaluation per seed; none where the controls are missing."""
        points = (
            Setting(RANDOM, fraction=fraction, seed=seed, value=self.plan.request.value)
            for seed in range(SEEDS)
        )
        return [found for point in points if (found := self.evaluation(point)) is not None]


def class_points(name: str, value: str) -> list[Setting]:
    """The settings of a class: every direction and fraction."""
    return [
        Setting(RELEVANCE, name, direction, fraction, value=value)
        for direction in DIRECTIONS
        for fraction in STEPS
    ]


def control_points(value: str) -> list[Setting]:
    """The intact network, and every seed and fraction at random."""
    seeds = [
        Setting(RANDOM, fraction=fraction, seed=seed, value=value)
        for seed in range(SEEDS)
        for fraction in STEPS
    ]
    return [_spelled(Setting()), *seeds]


def grid_keys(plan: AblationPlan) -> dict[str, str]:
    """Where the points lie, by class asked for; under CONTROLS those that belong to no class.

    Classes that no image ranks, or only one that is evaluated too, have none.
    """
    common = plan.content() | {
        "layers": list(plan.inner),
        "fractions": list(STEPS),
        "value": plan.request.value,
    }
    if plan.request.value == Value.MEAN:
        common["means"] = ranking_images(plan)
    asked = [one.name for one in plan.ranking.class_plan.chosen(plan.request.classes)]
    ranked = [name for name in asked if name in plan.ranking.keys and plan.rankable(name)]
    keys = {
        name: content_key(
            "ablation", common | {"ranking": plan.ranking.keys[name], "directions": list(DIRECTIONS)}
        )
        for name in ranked
    }
    return {CONTROLS: content_key("ablation", common | {"seeds": SEEDS})} | keys


def settings_in(grid: Grid) -> Iterator[Setting]:
    """The settings of the points that are there."""
    for name in (*([CONTROLS] if grid.controls else []), *grid.classes):
        yield from points_of(grid.plan, name)


def find_grid(plan: AblationPlan) -> Grid:
    """What is in the store; computes nothing."""
    answers: dict[Setting, Answers] = {}
    there = []
    for name, key in grid_keys(plan).items():
        record = plan.store.get(key)
        if record is not None:
            there.append(name)
            answers |= dict(zip(points_of(plan, name), _unstacked(record.arrays), strict=True))
    return Grid(plan, tuple(name for name in there if name), CONTROLS in there, answers)


def missing_points(plan: AblationPlan) -> dict[str, str]:
    """Names of the classes, and CONTROLS, whose points have to be computed, with their keys."""
    keys = grid_keys(plan)
    there = plan.store.present(list(keys.values()))
    return {name: key for name, key in keys.items() if key not in there}


def grid_cost(plan: AblationPlan, names: Iterable[str] | None = None) -> Cost:
    """What computing points takes.

    Args:
        plan: of the grid.
        names: of classes, CONTROLS among them; those that are missing by default.
    """
    settings = sum(len(points_of(plan, name)) for name in (missing_points(plan) if names is None else names))
    return settings_cost(plan, settings)


def settings_cost(plan: AblationPlan, settings: int) -> Cost:
    """What evaluating so many settings takes, none of which is in the store."""
    return Cost(f"takes {settings:,} settings on {len(plan.images):,} images" if settings else "")


def run_ablation(request: AblationRequest, store: Store, execution: Execution | None = None) -> Grid:
    """Compute what is missing of a grid and keep it.

    Args:
        request: what to compute.
        store: where rankings, results and finished points are kept.
        execution: device, executor, progress and cancellation; its shards do not matter here.

    Raises:
        UserError: unknown names, a class that is not mapped, no image to evaluate, a class not ranked yet; a
            class asked for by name that cannot be ranked.
        NonFiniteError: NaN or infinity in an output; names the image.
        Cancelled: the user stopped it; finished parts are kept.
    """
    execution = execution or Execution()
    reporter = execution.reporter()
    reporter.tell("reading the data set's digest", 0, 0)
    network = loaded(identify(request.network, store, execution.device), store).required
    plan = ablation_plan(request, store, network)
    missing = missing_points(plan)
    reporter.total = sum(len(points_of(plan, name)) for name in missing) * len(plan.images)
    named = () if request.classes == ALL else plan.ranking.class_plan.chosen(request.classes)
    asked = dict.fromkeys([*missing, *(one.name for one in named)])
    for name in (one for one in asked if one != CONTROLS):
        plan.parts(points_of(plan, name)[0])  # better to stop here than after an hour
    postponed = Postponed()
    for name, key in missing.items():
        with postponed:
            record_of(store, key, partial(_record, plan, name), execution, reporter)
    postponed.end()
    return find_grid(plan)


def _record(plan: AblationPlan, name: str, parts: Parts) -> Record:
    """The points of a class, or the controls, stacked."""
    settings = [plan.parts(setting) for setting in points_of(plan, name)]
    means = mean_responses(plan, parts=parts) if plan.request.value == Value.MEAN else {}
    found = silenced_answers(parts, plan, settings, name or "controls", means)
    answers = [one.to_arrays() for one in found]
    stacked = {array: np.stack([one[array] for one in answers]) for array in answers[0]}
    return Record(stacked, _metadata(plan, name))


def points_of(plan: AblationPlan, name: str) -> list[Setting]:
    """The settings of a class, or of CONTROLS."""
    value = plan.request.value
    return class_points(name, value) if name else control_points(value)


def _spelled(setting: Setting) -> Setting:
    """One way to write a setting: what has no meaning for it is left at its default."""
    if setting.intact:
        return Setting()
    if setting.by == RANDOM:
        return Setting(
            RANDOM,
            fraction=setting.fraction,
            total=setting.total,
            seed=setting.seed,
            units=setting.units,
            layers=setting.layers,
            value=setting.value,
        )
    return setting


def _unstacked(arrays: Mapping[str, NDArray[Any]]) -> Iterator[Answers]:
    for number in range(len(arrays["best"])):
        yield Answers.from_arrays({name: values[number] for name, values in arrays.items()})


def _metadata(plan: AblationPlan, name: str) -> dict[str, Any]:
    network, request = plan.network, plan.request
    return {
        "network": {
            "name": network.name,
            "digest": network.digest,
            "evidence": network.evidence,
            "note": network.note,
        },
        "dataset": {"name": plan.dataset.name, "digest": plan.dataset.digest},
        "class": name,
        "request": {
            key: value
            for key, value in request.to_json().items()
            if key not in ("network", "dataset", "classes")
        },
        "fractions": list(STEPS),
        "directions": list(DIRECTIONS) if name else [],
        "seeds": 0 if name else SEEDS,
        "layers": list(plan.inner),
        "spared": [layer.name for layer in plan.layers if layer.name not in plan.inner],
        "classes": [[one.name, int(n)] for one, n in zip(plan.classes, plan.population, strict=True)],
    }
