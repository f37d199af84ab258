"""How often a network is right, counted image by image as the definitions say.

Axes: N images, K outputs, C classes. Counts are whole numbers; a share of nothing is None.
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


def confusion(
    logits: Sequence[Sequence[float]], labels: Sequence[int], outputs: Sequence[int]
) -> list[list[int]]:
    """C rows of C + 1 counts: true class, answered class; the last column is any other output."""
    table = [[0] * (len(outputs) + 1) for _ in outputs]
    for row, label in zip(logits, labels, strict=True):
        answer = ranked(row)[0]
        table[label][list(outputs).index(answer) if answer in outputs else len(outputs)] += 1
    return table


def of_class(
    logits: Sequence[Sequence[float]], labels: Sequence[int], outputs: Sequence[int], wanted: int
) -> dict[str, Any]:
    """Everything said of one class: n, k, top-5, TPR and TNR, probability."""
    own = outputs[wanted]
    n = k = top = others = rejected = 0
    probability = 0.0
    for row, label in zip(logits, labels, strict=True):
        answers = ranked(row)
        if label == wanted:
            n += 1
            k += answers[0] == own
            top += own in answers[:5]
            probability += softmax(row)[own]
        else:
            others += 1
            rejected += answers[0] != own
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
