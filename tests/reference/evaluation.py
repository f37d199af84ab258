"""How often a network is right, counted image by image as the definitions say.

Axes: N images, K outputs, C classes, each a group of outputs. A picture is taken for a class when any output
of its group is on top; the probability of a class is the sum over its group. Counts are whole numbers; a
share of nothing is None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def ranked(row: Sequence[float]) -> list[int]:
    """Outputs from the largest to the smallest, of equal ones the first in front."""
    return sorted(range(len(row)), key=lambda output: (-row[output], output))


def softmax(row: Sequence[float]) -> list[float]:
    """exp(x) / Σ exp(x), the largest subtracted first."""
    powers = [math.exp(value - max(row)) for value in row]
    return [power / math.fsum(powers) for power in powers]


def share(part: float, whole: float) -> float | None:
    """One division; of nothing there is no share."""
    return part / whole if whole else None


def answered(row: Sequence[float], groups: Sequence[Sequence[int]]) -> int:
    """The class whose group holds the largest output; C where none does."""
    top = ranked(row)[0]
    for number, group in enumerate(groups):
        if top in group:
            return number
    return len(groups)


def confusion(
    logits: Sequence[Sequence[float]], labels: Sequence[int], groups: Sequence[Sequence[int]]
) -> list[list[int]]:
    """C rows of C + 1 counts: true class, answered class; the last column is any other output."""
    table = [[0] * (len(groups) + 1) for _ in groups]
    for row, label in zip(logits, labels, strict=True):
        table[label][answered(row, groups)] += 1
    return table


def of_class(
    logits: Sequence[Sequence[float]], labels: Sequence[int], groups: Sequence[Sequence[int]], wanted: int
) -> dict[str, Any]:
    """Everything said of one class: n, k, top-5, TPR and TNR, probability."""
    own = groups[wanted]
    n = k = top = others = rejected = 0
    probability = 0.0
    for row, label in zip(logits, labels, strict=True):
        answers = ranked(row)
        if label == wanted:
            n += 1
            k += answers[0] in own
            top += any(output in answers[:5] for output in own)
            probability += math.fsum(softmax(row)[output] for output in own)
        else:
            others += 1
            rejected += answers[0] not in own
    rates = share(k, n), share(rejected, others)
    return {
        "images": n,
        "right": k,
        "top": top if len(logits[0]) > 20 else None,
        "others": others,
        "rejected": rejected,
        "accuracy": rates[0],
        "balanced": None if None in rates else (rates[0] + rates[1]) / 2,  # type: ignore[operator]
        "probability": share(probability, n),
    }


def overall(classes: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Accuracy over all images, and the mean accuracy of the classes that have images."""
    recalls = [one["accuracy"] for one in classes if one["images"]]
    return {
        "accuracy": share(sum(one["right"] for one in classes), sum(one["images"] for one in classes)),
        "mean_recall": share(math.fsum(recalls), len(recalls)),
    }
