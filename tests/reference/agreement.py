"""Agreement of two rankings of the units, and the sets that classes share, as the definitions say.

Axes: U units, C classes. Rankings and counts are loops over units; chance is every possible case, counted.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

from scipy import stats

Column = Sequence[float]  # one number per unit
Pair = tuple[Column, Column]  # IoU and relevance of one class


def marks_of(top: float, units: int) -> int:
    """k: the share of the units, rounded as Python rounds, but at least one."""
    return max(1, round(top * units))


def marked(values: Column, count: int) -> set[int]:
    """The units with the largest values, of equal ones the lower."""
    return set(sorted(range(len(values)), key=lambda unit: (-values[unit], unit))[:count])


def nth_largest(values: Column, count: int) -> float:
    """The count-th largest value."""
    return sorted(values, reverse=True)[count - 1]


def cell(iou: Column, relevance: Column, top: float) -> dict[str, object]:
    """Everything said of one layer and class; a cell that is left out has only the reason."""
    units, count = len(iou), marks_of(top, len(iou))
    if nth_largest(iou, count) == 0:
        return {"state": "no overlap"}
    if nth_largest(relevance, count) == 0:
        return {"state": "no relevance"}
    left, right = marked(iou, count), marked(relevance, count)
    differ = sum((unit in left) != (unit in right) for unit in range(units))
    both = len(left & right)
    constant = len(set(iou)) == 1 or len(set(relevance)) == 1
    return {
        "state": "kept",
        "k": count,
        "both": both,
        "error": Fraction(differ, units),
        "overlap": Fraction(both, count),
        "p_value": float(stats.hypergeom.sf(both - 1, units, count, count)),
        "spearman": math.nan if constant else float(stats.spearmanr(iou, relevance).statistic),
    }


def chance(units: int, count: int) -> Fraction:
    """The mean error over every choice of k marked units beside a fixed one."""
    fixed = set(range(count))
    errors = [
        Fraction(len(fixed ^ set(chosen)), units) for chosen in itertools.combinations(range(units), count)
    ]
    return sum(errors, Fraction(0)) / len(errors)


def network(layers: Sequence[Sequence[Pair]], top: float) -> dict[str, float | None]:
    """Mean over the cells that count, and the population deviation of the layers' means."""
    errors = []
    for classes in layers:
        found = [cell(iou, relevance, top) for iou, relevance in classes]
        errors.append([one["error"] for one in found if one["state"] == "kept"])
    every = [error for layer in errors for error in layer]
    means = [sum(layer, Fraction(0)) / len(layer) for layer in errors if layer]
    if not every:
        return {"error": None, "error_sd": None}
    centre = sum(means, Fraction(0)) / len(means)
    variance = sum(((one - centre) ** 2 for one in means), Fraction(0)) / len(means)
    return {"error": float(sum(every, Fraction(0)) / len(every)), "error_sd": math.sqrt(variance)}


def exact_p(layers: Sequence[Sequence[Pair]], top: float) -> Fraction:
    """Share of all ways to let each layer's units change places that give an error as small or smaller.

    Within a layer the units change places for all classes alike; the layers do so independently.
    """
    by_layer = []
    for classes in layers:
        kept = [pair for pair in classes if cell(*pair, top)["state"] == "kept"]
        units = len(classes[0][0])
        ways = itertools.permutations(range(units)) if kept else [range(units)]
        by_layer.append([_layer_error(kept, order, top) for order in ways])
    observed = sum((errors[0] for errors in by_layer), Fraction(0))  # the first order changes nothing
    sums = [sum(errors, Fraction(0)) for errors in itertools.product(*by_layer)]
    return Fraction(sum(one <= observed for one in sums), len(sums))


def _layer_error(classes: Sequence[Pair], order: Sequence[int], top: float) -> Fraction:
    """Summed error of a layer's classes once the unit `order[i]` has the relevance of unit i.

    The marks move with the units, so that equal relevances stay ranked as they were.
    """
    whole = Fraction(0)
    for iou, relevance in classes:
        count = marks_of(top, len(iou))
        moved = {order[unit] for unit in marked(relevance, count)}
        whole += Fraction(len(marked(iou, count) ^ moved), len(iou))
    return whole


def unit_sets(layers: Sequence[Sequence[Column]], top: float) -> list[set[tuple[int, int]]]:
    """Per class the (layer, unit) of its most relevant units in every layer; none without relevance."""
    sets: list[set[tuple[int, int]]] = [set() for _ in layers[0]]
    for layer, classes in enumerate(layers):
        for number, relevance in enumerate(classes):
            best = marked(relevance, marks_of(top, len(relevance)))
            sets[number] |= {(layer, unit) for unit in best if relevance[unit] > 0}
    return sets


def jaccard(one: set[tuple[int, int]], other: set[tuple[int, int]]) -> Fraction:
    """Units in both over units in either; of two empty sets 0."""
    either = one | other
    return Fraction(len(one & other), len(either)) if either else Fraction(0)


def every_set(units: Sequence[int], sizes: Sequence[int]) -> list[set[tuple[int, int]]]:
    """All sets with so many units of each layer."""
    by_layer = [
        [{(layer, unit) for unit in chosen} for chosen in itertools.combinations(range(number), size)]
        for layer, (number, size) in enumerate(zip(units, sizes, strict=True))
    ]
    return [set().union(*parts) for parts in itertools.product(*by_layer)]


def chance_jaccard(units: Sequence[int], one: Sequence[int], other: Sequence[int]) -> Fraction:
    """Mean Jaccard index over every two sets of these sizes in each layer."""
    left, right = every_set(units, one), every_set(units, other)
    return sum((jaccard(a, b) for a in left for b in right), Fraction(0)) / (len(left) * len(right))


def chance_tail(units: Sequence[int], one: Sequence[int], other: Sequence[int], both: int) -> Fraction:
    """Share of every two sets of these sizes that have so many units in common or more."""
    left, right = every_set(units, one), every_set(units, other)
    return Fraction(sum(len(a & b) >= both for a in left for b in right), len(left) * len(right))


def chance_members(units: int, sizes: Sequence[int], least: int) -> Fraction:
    """Mean number of units in at least so many sets, over every choice of a set of each size."""
    choices = [list(itertools.combinations(range(units), size)) for size in sizes]
    found = total = 0
    for sets in itertools.product(*choices):
        total += 1
        found += sum(sum(unit in chosen for chosen in sets) >= least for unit in range(units))
    return Fraction(found, total)
