"""What an ablation costs each class, as rows: intact beside silenced, intervals, random controls.

Pure functions over answers: no Streamlit, no files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.ablation.ablator import Estimate
from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.analyses.ablation.table import spread
from interpret_core.analyses.relevance.result import FEW
from interpret_core.measures.ablation.answers import Answers
from interpret_core.measures.ablation.evaluation import Evaluation, tally
from interpret_core.measures.ablation.intervals import mean, proportion
from interpret_core.measures.ablation.selection import SEEDS, Selection, shuffled
from interpret_core.measures.ablation.settings import HAND, RANDOM, Setting
from interpret_core.numbers import known

ACCURACY, PROBABILITY = "accuracy", "probability"
METRICS = {ACCURACY: "accuracy", PROBABILITY: "mean probability of the class"}
_WIDE = 10**9  # images that a class of few stands for


class ClassChange(NamedTuple):
    """One class, on the images of it seen so far.

    Attributes:
        images: n; `population`: N, all that are evaluated.
        before, right: k, recognised by the intact network and with units silenced.
        probability_before, probability: means over the n images.
        low, high: limits of the accuracy over all N images; for fewer than 10 of all such images.
        change_low, change_high: limits of the paired change of the probability.
        random, random_probability: mean and deviation of the controls, None where there are none.
        seeds: controls.
    """

    name: str
    target: bool
    images: int
    population: int
    before: int
    right: int
    probability_before: float
    probability: float
    low: float
    high: float
    change_low: float
    change_high: float
    random: tuple[float, float] | None
    random_probability: tuple[float, float] | None
    seeds: int

    @property
    def accuracy(self) -> float:
        """k / n with units silenced."""
        return self.right / self.images if self.images else math.nan

    @property
    def accuracy_before(self) -> float:
        """k / n of the intact network."""
        return self.before / self.images if self.images else math.nan

    @property
    def few(self) -> bool:
        """Whether the class has too few images for its share to say much."""
        return self.population < FEW

    def value(self, metric: str) -> float:
        """With units silenced."""
        return self.accuracy if metric == ACCURACY else self.probability

    def value_before(self, metric: str) -> float:
        """Of the intact network, on the same images."""
        return self.accuracy_before if metric == ACCURACY else self.probability_before

    def limits(self, metric: str) -> tuple[float, float]:
        """Of the value; NaN where they are not known."""
        if metric == ACCURACY:
            return self.low, self.high
        return self.probability_before + self.change_low, self.probability_before + self.change_high

    def control(self, metric: str) -> tuple[float, float] | None:
        """Mean and deviation of the random controls."""
        return self.random if metric == ACCURACY else self.random_probability


class Seen(NamedTuple):
    """The images that both the intact and the silenced network have answered.

    Attributes:
        rows: (n,) places among the plan's images, ascending.
        before, after: answers to them.
    """

    rows: NDArray[np.int64]
    before: Answers
    after: Answers


def seen(intact: Estimate, silenced: Estimate) -> Seen:
    """What can be compared so far."""
    rows = np.intersect1d(intact.rows, silenced.rows)
    return Seen(rows, *(one.answers[np.searchsorted(one.rows, rows)] for one in (intact, silenced)))


def class_rows(
    plan: AblationPlan, both: Seen, controls: Sequence[Evaluation], target: str
) -> list[ClassChange]:
    """A row per class: the target first, then the others, the most harmed first.

    Args:
        plan: images and classes.
        both: what is known so far.
        controls: random ones, complete; none where they are not known.
        target: name of the class that is silenced for, or of none.
    """
    labels = plan.labels[both.rows]
    before, after = (tally(one, labels, plan.outputs) for one in (both.before, both.after))
    limits = _limits(after, plan.population)
    rows = []
    for number, one in enumerate(plan.classes):
        mine = labels == number
        change = mean(
            both.after.probability[mine] - both.before.probability[mine], int(plan.population[number])
        )
        rows.append(
            ClassChange(
                one.name,
                one.name == target,
                int(after.images[number]),
                int(plan.population[number]),
                int(before.right[number]),
                int(after.right[number]),
                float(before.probability[number]),
                float(after.probability[number]),
                float(limits[0][number]),
                float(limits[1][number]),
                float(change.low),
                float(change.high),
                _control([one.accuracy for one in controls], number),
                _control([one.probability for one in controls], number),
                len(controls),
            )
        )
    return sorted(rows, key=_order)


def _limits(
    found: Evaluation, population: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Limits of each class's accuracy: of all its images, or, where they are few, of all there could be."""
    whole = np.where(population < FEW, _WIDE, population)
    limits = proportion(found.right, found.images, whole)
    return limits.low, limits.high


def _control(values: Sequence[NDArray[np.float64]], number: int) -> tuple[float, float] | None:
    there = [float(one[number]) for one in values if not math.isnan(one[number])]
    return spread(there) if there else None


def _order(row: ClassChange) -> tuple[bool, bool, float, float]:
    if not row.images:
        return not row.target, True, 0.0, 0.0
    return (
        not row.target,
        False,
        row.accuracy - row.accuracy_before,
        row.probability - row.probability_before,
    )


def random_controls(plan: AblationPlan, setting: Setting, selection: Selection) -> list[Setting]:
    """As many units of each layer at random, five times; none for the intact network.

    Args:
        plan: layers and their units.
        setting: what is silenced.
        selection: its units.
    """
    if not selection:
        return []
    if not setting.units:
        return [
            Setting(RANDOM, fraction=setting.fraction, seed=seed, layers=setting.layers, value=setting.value)
            for seed in range(SEEDS)
        ]
    drawn = []
    for seed in range(SEEDS):
        units = [
            (layer.name, int(unit))
            for layer in plan.every
            for unit in shuffled(layer.units, seed, layer.index)[: len(selection.get(layer.name, ()))]
        ]
        drawn.append(Setting(HAND, units=tuple(units), value=setting.value))
    return drawn


def table(rows: Sequence[ClassChange], about: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows as flat records; what is not known is None."""
    return [
        {
            **about,
            "class": row.name,
            "target": row.target,
            "images": row.images,
            "of_images": row.population,
            "right_intact": row.before,
            "right": row.right,
            "accuracy_intact": known(row.accuracy_before),
            "accuracy": known(row.accuracy),
            "accuracy_low": known(row.low),
            "accuracy_high": known(row.high),
            "probability_intact": known(row.probability_before),
            "probability": known(row.probability),
            "probability_change_low": known(row.change_low),
            "probability_change_high": known(row.change_high),
            "random_accuracy": known(row.random[0]) if row.random else None,
            "random_accuracy_sd": known(row.random[1]) if row.random else None,
            "random_probability": known(row.random_probability[0]) if row.random_probability else None,
            "random_probability_sd": known(row.random_probability[1]) if row.random_probability else None,
            "random_seeds": row.seeds,
        }
        for row in rows
    ]


class Flip(NamedTuple):
    """An image that is taken for something else with units silenced.

    Attributes:
        image: index into the data set; `label`: number of its class.
        before, after: the largest outputs, and their probabilities.
        lost: it was recognised and is not any more; `won`: the other way round.
    """

    image: int
    label: int
    before: int
    after: int
    probability_before: float
    probability: float
    lost: bool
    won: bool


def flips(plan: AblationPlan, both: Seen, target: str) -> list[Flip]:
    """Images whose answer changed: those lost before those won, the target's first, then the surest."""
    changed = np.flatnonzero(both.before.best != both.after.best)
    labels = plan.labels[both.rows]
    right = [one.classes(plan.outputs) == labels for one in (both.before, both.after)]
    made = [
        Flip(
            int(plan.images[both.rows[at]]),
            int(labels[at]),
            int(both.before.best[at]),
            int(both.after.best[at]),
            float(both.before.best_probability[at]),
            float(both.after.best_probability[at]),
            bool(right[0][at] and not right[1][at]),
            bool(right[1][at] and not right[0][at]),
        )
        for at in changed.tolist()
    ]
    names = [one.name for one in plan.classes]
    return sorted(
        made,
        key=lambda flip: (
            2 * flip.won + (not flip.lost and not flip.won),
            names[flip.label] != target,
            -flip.probability_before,
        ),
    )
