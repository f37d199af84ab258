"""Evaluated settings as rows and as the numbers of the paper's Figs. 5 and 6, for pages and files alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.ablation.answered import answered
from interpret_core.analyses.ablation.grid import Grid
from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.datasets.classes import spelling
from interpret_core.measures.ablation.answers import Answers
from interpret_core.measures.ablation.evaluation import Evaluation, tally
from interpret_core.measures.ablation.settings import HAND, IOU, RANDOM, RELEVANCE, Setting
from interpret_core.numbers import known, mean, share
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.reporter import Reporter

COLUMNS = (
    "ablated_class",
    "evaluated_class",
    "rank",
    "fraction",
    "units",
    "silencing",
    "seed",
    "accuracy_intact",
    "accuracy",
    "top5",
    "balanced_accuracy",
    "probability_intact",
    "probability",
    "images",
    "right",
    "accuracy_change",
    "probability_change",
    "by",
    "evaluated",
    "network",
)
OTHERS, EVERY = "*others", "*all"  # in place of a class: all but the one ranked for, and all
HELD_OUT, LEAVE_ONE_OUT, SEEN = "held out", "leave one out", "seen by the ranking"

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Point:
    """One setting and what the network answered.

    Attributes:
        setting: what was silenced.
        silenced: k, the units silenced in all layers together, ranked on all ranking images.
        answers: to all of the plan's images.
        evaluation: the same as counts by class.
    """

    setting: Setting
    silenced: int
    answers: Answers
    evaluation: Evaluation


class Pair(NamedTuple):
    """A number for the class ranked for, and its mean over the other classes, every class counting alike."""

    target: float
    others: float


def point_of(plan: AblationPlan, setting: Setting, answers: Answers) -> Point:
    """A setting with its answers, counted."""
    silenced = sum(map(len, plan.selection(setting).values()))
    return Point(setting, silenced, answers, tally(answers, plan.labels, plan.outputs))


def measured(
    plan: AblationPlan, grid: Grid, settings: Iterable[Setting], execution: Execution, reporter: Reporter
) -> list[Point]:
    """Points of settings in this order: from the grid where they are in it, else found or computed.

    Args:
        plan: of the settings.
        grid: what is in the store.
        settings: what to silence.
        execution: who computes.
        reporter: told of every image that is not in the grid.

    Raises:
        NotRanked, ParameterError, LayerError: as `AblationPlan.parts`.
        NonFiniteError: NaN or infinity in an output.
        Cancelled: the user stopped it; finished parts are kept.
    """
    asked = list(settings)
    chosen = [Setting() if one.intact else one for one in asked]
    known = {one: answers for one in dict.fromkeys(chosen) if (answers := grid.answers(one)) is not None}
    missing = [one for one in dict.fromkeys(chosen) if one not in known]
    reporter.total += len(missing) * len(plan.images)
    known |= answered(plan, missing, execution, reporter)
    return [point_of(plan, setting, known[one]) for setting, one in zip(asked, chosen, strict=True)]


def target_of(plan: AblationPlan, setting: Setting) -> int | None:
    """The number of the class that units are ranked for; None where it is no class that is evaluated.

    A concept stands for the class whose object it is, or is one label of.
    """
    if setting.by not in (RELEVANCE, IOU):
        return None
    names = [spelling(one.name) for one in plan.classes]
    if spelling(setting.of) in names:
        return names.index(spelling(setting.of))
    found = plan.dataset.concepts().named(setting.of) if setting.by == IOU else ()
    return next((at for at, one in enumerate(plan.classes) if set(found) & set(one.concepts)), None)


def pair(values: NDArray[np.float64], target: int) -> Pair:
    """The target's value and the mean of the others that have images.

    Args:
        values: (C,) accuracies, say; NaN for a class without images.
        target: number of a class.
    """
    return Pair(float(values[target]), mean(np.delete(values, target)))


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation of the random controls; NaN for none, no deviation of one."""
    if not values:
        return math.nan, math.nan
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


def rows(plan: AblationPlan, intact: Answers, points: Iterable[Point]) -> Iterator[Row]:
    """Rows of COLUMNS; what is not known, or has no meaning, is None.

    A point has a row per class, one for the OTHERS of the class ranked for, and one for EVERY class. In the
    last two, images and right are sums, the shares means over classes, every class counting alike.

    Args:
        plan: what was evaluated.
        intact: answers without ablation, which changes are paired with.
        points: settings, evaluated.
    """
    for point in points:
        yield from _point_rows(plan, intact, point)


def evaluated(plan: AblationPlan, setting: Setting) -> tuple[str | None, str | None]:
    """How images take part: those of the class ranked for, and those of the others.

    Returns:
        HELD_OUT, no image ranked and was evaluated; LEAVE_ONE_OUT, each met a ranking that had not seen it;
        SEEN, an IoU is counted over the whole data set; None for units picked by hand.
    """
    if setting.by == HAND:
        return None, None
    if setting.by == IOU:
        return SEEN, SEEN
    if setting.by == RANDOM or not setting.ranking or plan.held_out(setting.of):
        return HELD_OUT, HELD_OUT
    return LEAVE_ONE_OUT, HELD_OUT


def _point_rows(plan: AblationPlan, intact: Answers, point: Point) -> Iterator[Row]:
    setting, found = point.setting, point.evaluation
    before = tally(intact, plan.labels, plan.outputs)
    shares = {
        "accuracy_intact": before.accuracy,
        "probability_intact": before.probability,
        "accuracy": found.accuracy,
        "accuracy_change": found.accuracy - before.accuracy,
        "top5": found.top_accuracy,
        "balanced_accuracy": found.balanced_accuracy,
        "probability": found.probability,
        "probability_change": _paired(plan, intact, point.answers),
    }
    target = target_of(plan, setting)
    mine, rest = evaluated(plan, setting)
    everything = np.arange(len(plan.classes))
    groups = [
        (one.name, everything[[at]], mine if at == target else rest) for at, one in enumerate(plan.classes)
    ]
    if target is not None:
        groups.append((OTHERS, np.delete(everything, target), rest))
    groups.append((EVERY, everything, mine))
    common = _about(plan, point)
    for name, classes, how in groups:
        means = {key: None if one is None else known(mean(one[classes])) for key, one in shares.items()}
        counts = {"images": int(found.images[classes].sum()), "right": int(found.right[classes].sum())}
        row = common | {"evaluated_class": name} | counts | means | {"evaluated": how}
        yield {column: row[column] for column in COLUMNS}


def _about(plan: AblationPlan, point: Point) -> Row:
    """What all rows of a point share."""
    setting = point.setting
    directions = {RANDOM: RANDOM, HAND: None}
    by_fraction = setting.total is None and setting.by != HAND
    return {
        "network": plan.request.network,
        "by": setting.by,
        "ablated_class": setting.of or None,
        "rank": directions.get(setting.by, setting.direction),
        "fraction": float(setting.fraction) if by_fraction else None,
        "units": point.silenced,
        "silencing": setting.value,
        "seed": setting.seed if setting.by == RANDOM and setting.ranking else None,
    }


def _paired(plan: AblationPlan, intact: Answers, answers: Answers) -> NDArray[np.float64]:
    """(C,) mean over a class's images of the change of its probability, image by image."""
    change = answers.probability - intact.probability
    return share(np.bincount(plan.labels, change, len(plan.classes)), plan.population)
