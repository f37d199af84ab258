"""How well numbers tell images apart, by loops over pairs of images; imports nothing of the house."""

from __future__ import annotations

from collections.abc import Sequence


def auc(responses: Sequence[float], shows: Sequence[bool]) -> float:
    """Share of pairs of an image with the label and one without in which the former is stronger."""
    pairs = won = 0.0
    for one, with_label in zip(responses, shows, strict=True):
        for other, also in zip(responses, shows, strict=True):
            if with_label and not also:
                pairs += 1
                won += 1.0 if one > other else 0.5 if one == other else 0.0
    return won / pairs


def average_precision(responses: Sequence[float], shows: Sequence[bool]) -> float:
    """Mean over the images with the label of the share of them among all that are at least as strong."""
    precisions = []
    for one, with_label in zip(responses, shows, strict=True):
        if with_label:
            stronger = [also for other, also in zip(responses, shows, strict=True) if other >= one]
            precisions.append(sum(stronger) / len(stronger))
    return sum(precisions) / len(precisions)
