"""What `ablate` reports: facts in words, what each class loses, and the rows of `--out`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from interpret_core import __version__
from interpret_core.analyses.ablation.comparison import ClassChange, Seen, class_rows
from interpret_core.analyses.ablation.comparison import table as comparison_table
from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.analyses.ablation.table import Pair, Point, pair, spread, target_of
from interpret_core.analyses.ablation.table import rows as point_rows
from interpret_core.analyses.relevance.result import FEW
from interpret_core.concepts import PREDICTED_MASKS
from interpret_core.measures.ablation.evaluation import Evaluation
from interpret_core.measures.ablation.settings import HAND, INNER, IOU, RANDOM, RELEVANCE, Setting
from interpret_core.numbers import known
from interpret_core.tables import Row, Table, cell, some

ACCURACY, PROBABILITY = "accuracy", "probability"
Amount = tuple[float, int | None]  # fraction, or total


@dataclass(frozen=True)
class Ablated:
    """What was asked for, evaluated.

    Attributes:
        plan: images, classes and rankings.
        intact: nothing silenced.
        points: in the order of the rows.
        names: classes or concepts that rank.
        left_out: (class, why) of those that cannot.
        stored: settings that were points of a stored grid, the intact network among them.
        seconds: wall-clock.
        controls: as many random units of each layer as were picked by hand, five times.
    """

    plan: AblationPlan
    intact: Point
    points: tuple[Point, ...]
    names: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    stored: int
    seconds: float = 0.0
    controls: tuple[Point, ...] = ()

    @property
    def compared(self) -> list[ClassChange]:
        """Units picked by hand, class by class, with limits and random controls; nothing where none are."""
        if not self.controls:
            return []
        everything = np.arange(len(self.plan.images))
        both = Seen(everything, self.intact.answers, self.points[-1].answers)
        return class_rows(self.plan, both, [one.evaluation for one in self.controls], "")


def report(found: Ablated, verbose: bool) -> Iterator[str | Table]:
    """Lines and tables."""
    yield from facts_in_words(found, verbose)
    if not found.names:
        yield classes_table(found)
        if found.controls:
            yield ""
            yield controls_table(found)
    else:
        yield losses_table(found, ACCURACY)
        yield ""
        yield losses_table(found, PROBABILITY)
    settings = len(found.points) + 1
    yield f"{settings:,} settings evaluated in {found.seconds:.1f} s, {found.stored:,} of them from the grid."


def rows(found: Ablated) -> Iterator[Row]:
    """The rows of `--out`."""
    return point_rows(found.plan, found.intact.answers, found.points)


def description(found: Ablated) -> Row:
    """Everything beside the rows: what was silenced, which images ranked and which were evaluated."""
    plan = found.plan
    return {
        **description_of(plan),
        "spared": [layer.name for layer in plan.layers if layer.name not in _silenced(found)],
        "settings": [
            point.setting.to_json() | {"silenced": {k: list(v) for k, v in _selection(found, point).items()}}
            for point in found.points
        ],
        "left_out": [list(one) for one in [*found.left_out, *plan.ranking.class_plan.left_out]],
        **({"compared": comparison_table(found.compared, {})} if found.controls else {}),
    }


def description_of(plan: AblationPlan) -> Row:
    """What is evaluated, and what ranks."""
    request = plan.request.to_json()
    return {
        "version": __version__,
        "network": {
            "name": plan.request.network,
            "digest": plan.network.digest,
            "evidence": plan.network.evidence,
            "note": plan.network.note,
        },
        "dataset": {"name": plan.dataset.name, "digest": plan.dataset.digest},
        "parameters": {name: value for name, value in request.items() if name not in ("network", "dataset")},
        "class_source": plan.ranking.class_plan.source,
        "classes": [[one.name, int(n)] for one, n in zip(plan.classes, plan.population, strict=True)],
    }


def facts_in_words(found: Ablated, verbose: bool) -> Iterator[str]:
    """What was silenced, by which ranking, on which images it was measured, and what was left out."""
    plan = found.plan
    request = plan.request
    yield (
        f"{request.network} on {request.dataset}, split {request.split}: {len(plan.images):,} images of "
        f"{len(plan.classes):,} classes"
    )
    yield f"evidence: {plan.network.evidence}. {plan.network.note}".rstrip()
    yield from _ranking_in_words(found, verbose)
    yield from _silencing_in_words(found, verbose)
    few = [
        f"{one.name} ({n})" for one, n in zip(plan.classes, plan.population.tolist(), strict=True) if n < FEW
    ]
    if few:
        yield f"fewer than {FEW} images: {some(few, verbose)}"
    left_out = [f"{name} ({why})" for name, why in [*found.left_out, *plan.ranking.class_plan.left_out]]
    if left_out:
        yield f"{len(left_out):,} classes of the data set left out: {some(left_out, verbose)}"


def _ranking_in_words(found: Ablated, verbose: bool) -> Iterator[str]:
    plan = found.plan
    request = plan.request
    ways = {point.setting.by for point in found.points}
    if RELEVANCE in ways:
        yield (
            f"units ranked by {request.method} of the {request.output} from a {request.baseline} baseline, "
            f"split {request.ranked_on}, at most {request.images} images a class"
        )
        if not plan.ranking.class_plan.masked:
            yield "the data set has no object annotation: relevance is summed over the whole image"
        if plan.ranking.class_plan.predicted:
            yield PREDICTED_MASKS
        again = [name for name in found.names if not plan.held_out(name)]
        if again:
            yield (
                f"leave one out: images of {some(again, verbose)} rank and are evaluated; each is evaluated "
                "with a ranking that has not seen it"
            )
    if IOU in ways:
        yield "units ranked by IoU over the whole data set, so also by the images that are evaluated"
    if found.names:
        yield "in each cell: the class itself / the mean of the other classes; k units silenced in all"
    if RANDOM in ways:
        yield f"random control: mean ± deviation of {_seeds(found)} seeds"


def _silencing_in_words(found: Ablated, verbose: bool) -> Iterator[str]:
    """Layers, units picked by hand, and layers that were silenced as a whole."""
    setting = found.points[-1].setting
    value = {"zero": "zero", "mean": "each unit's mean over the ranking images"}[setting.value]
    if setting.by != HAND:
        layers, every = _silenced(found), len(found.plan.layers)
        spared = "; first and last spared" if setting.layers == INNER and len(layers) < every else ""
        yield (f"silenced to {value} in {len(layers):,} of {every:,} layers: {some(layers, verbose)}{spared}")
    if setting.units:
        units = ", ".join(f"{layer}:{unit}" for layer, unit in setting.units)
        also = f"silenced to {value}: {units}" if setting.by == HAND else f"and, picked by hand: {units}"
        yield also
    whole: dict[str, list[str]] = {}
    for point in found.points:
        chosen = _selection(found, point)
        full = [layer.name for layer in found.plan.layers if len(chosen.get(layer.name, ())) == layer.units]
        if full:
            whole[_amount_in_words(_amount(point.setting)) if setting.by != HAND else "this"] = full
    for amount, layers in whole.items():
        whose = "every unit of the network" if len(layers) == len(found.plan.layers) else "every unit"
        yield f"{amount} silences {whose} of {', '.join(layers)}".replace("network of", "network:")


def losses_table(found: Ablated, measure: str) -> Table:
    """A row per class and direction: its own number and the mean of the others, at every fraction."""
    amounts = list(dict.fromkeys(_amount(point.setting) for point in found.points))
    columns = tuple(f"{_amount_in_words(amount)} ({_units(found, amount)})" for amount in amounts)
    title = {ACCURACY: "Accuracy, class / others", PROBABILITY: "Mean probability, class / others"}[measure]
    cells = [
        (name, direction, *(_cell(found, name, direction, amount, measure) for amount in amounts))
        for name in found.names
        for direction in _directions(found)
    ]
    return Table(title, ("ranked for", "rank", *columns), cells, columns)


def classes_table(found: Ablated) -> Table:
    """A row per class: intact and with the units picked by hand silenced."""
    (point,) = found.points
    numbers = ("images", "right", "accuracy", "change", "probability", "paired change")
    keys = ("images", "right", "accuracy", "accuracy_change", "probability", "probability_change")
    cells = [(row["evaluated_class"], *(row[key] for key in keys)) for row in rows(found)]
    return Table(f"With {point.silenced:,} units silenced", ("class", *numbers), cells, numbers)


def controls_table(found: Ablated) -> Table:
    """A row per class: accuracy with its limits, and with as many random units silenced."""
    columns = ("accuracy", "from", "to", "random", "± sd", "seeds")
    cells = []
    for one in found.compared:
        mean, deviation = one.random or (math.nan, math.nan)
        numbers = (one.accuracy, one.low, one.high, mean, deviation)
        cells.append((one.name, *(known(value) for value in numbers), one.seeds))
    return Table("Beside as many random units of each layer", ("class", *columns), cells, columns)


def _cell(found: Ablated, name: str, direction: str, amount: Amount, measure: str) -> str:
    """Class / others; the random controls with their deviations."""
    points = [
        point
        for point in found.points
        if _amount(point.setting) == amount and _direction(point.setting) == direction
    ]
    if direction != RANDOM:
        (one,) = [point for point in points if point.setting.of == name]
        target = target_of(found.plan, one.setting)
        return _numbers(_pair(one.evaluation, measure, target))
    target = target_of(found.plan, Setting(IOU, name))
    pairs = [_pair(point.evaluation, measure, target) for point in points]
    return _spreads([one.target for one in pairs]) + " / " + _spreads([one.others for one in pairs])


def _pair(evaluation: Evaluation, measure: str, target: int | None) -> Pair:
    values = evaluation.accuracy if measure == ACCURACY else evaluation.probability
    if target is None:  # a concept that is no class: all classes are others
        return Pair(math.nan, float(np.nanmean(values)))
    return pair(values, target)


def _numbers(one: Pair) -> str:
    return " / ".join(cell(known(value)) for value in one)


def _spreads(values: Sequence[float]) -> str:
    mean, deviation = spread(values)
    shown = cell(known(mean))
    return shown if math.isnan(deviation) else f"{shown} ± {deviation:.3f}"


def _directions(found: Ablated) -> list[str]:
    return list(dict.fromkeys(_direction(point.setting) for point in found.points))


def _direction(setting: Setting) -> str:
    return RANDOM if setting.by == RANDOM else setting.direction


def _amount(setting: Setting) -> Amount:
    return setting.fraction, setting.total


def _amount_in_words(amount: Amount) -> str:
    fraction, total = amount
    return f"{fraction * 100:g} %" if total is None else f"{total:,} units"


def _units(found: Ablated, amount: Amount) -> str:
    """k of all points with this amount; units picked by hand may be among the ranked ones."""
    counts = sorted({point.silenced for point in found.points if _amount(point.setting) == amount})
    return f"k = {counts[0]:,}" + (f"–{counts[-1]:,}" if len(counts) > 1 else "")


def _seeds(found: Ablated) -> int:
    return len({point.setting.seed for point in found.points if point.setting.by == RANDOM})


def _silenced(found: Ablated) -> list[str]:
    """Layers where the ranking silences."""
    setting = found.points[-1].setting
    return [] if setting.by == HAND else [layer.name for layer in found.plan.silenced_layers(setting)]


def _selection(found: Ablated, point: Point) -> dict[str, tuple[int, ...]]:
    return dict(found.plan.selection(point.setting))
