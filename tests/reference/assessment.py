"""What a unit responds to, pixel by pixel, as the definitions say.

Axes: N images, P pixels of an image. A pixel has a frozenset of concepts; masks are bool (N, P). A
resample is a list of images, which may name one several times.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

SMOOTHING = 50.0
Mask = NDArray[np.bool_]
Pixels = NDArray[np.generic]  # (N, P) of anything hashable


def base_rate(mask: Mask, fold: Sequence[int], held_out: int) -> float:
    """The share of active pixels in the other folds."""
    return float(mask[np.array(fold) != held_out].mean())


def share_elsewhere(mask: Mask, chosen: Mask, fold: Sequence[int], held_out: int, parent: float) -> float:
    """The share of active pixels among the chosen ones of the other folds, smoothed towards a parent."""
    other = np.array(fold) != held_out
    active = int((mask[other] & chosen[other]).sum())
    return (active + SMOOTHING * parent) / (int(chosen[other].sum()) + SMOOTHING)


def by_code(
    mask: Mask, code: Pixels, fold: Sequence[int], parents: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N, P) each pixel's guess from the pixels of its own code in the other folds."""
    guess = np.empty(mask.shape)
    known: dict[Hashable, float] = {}
    for image, pixel in np.ndindex(mask.shape):
        own, held_out, parent = code[image, pixel], fold[image], float(parents[image, pixel])
        if (own, held_out, parent) not in known:
            chosen = same(code, own)
            known[own, held_out, parent] = share_elsewhere(mask, chosen, fold, held_out, parent)
        guess[image, pixel] = known[own, held_out, parent]
    return guess


def same(code: Pixels, value: Hashable) -> Mask:
    """Where a code is the given one."""
    return np.array([[one == value for one in row] for row in code], np.bool_)


def bases(mask: Mask, fold: Sequence[int]) -> NDArray[np.float64]:
    """(N, P) the base rate of the other folds."""
    rows = [base_rate(mask, fold, one) for one in fold]
    return np.repeat(np.array(rows)[:, None], mask.shape[1], 1)


def by_annotation(mask: Mask, sets: Pixels, fold: Sequence[int]) -> NDArray[np.float64]:
    """(N, P) the same from label sets; one that no other fold has is guessed by its most telling concept."""
    parents = bases(mask, fold)
    known: dict[Hashable, float] = {}
    for image, pixel in np.ndindex(mask.shape):
        own, held_out = sets[image, pixel], fold[image]
        if (own, held_out) not in known:
            base = base_rate(mask, fold, held_out)
            unseen = own and not same(sets[np.array(fold) != held_out], own).any()
            telling = (share_elsewhere(mask, holding(sets, one), fold, held_out, base) for one in own)
            known[own, held_out] = max(telling) if unseen else base
        parents[image, pixel] = known[own, held_out]
    return by_code(mask, sets, fold, parents)


def holding(sets: Pixels, concept: int) -> Mask:
    """Where a concept is among the labels."""
    return np.array([[concept in one for one in row] for row in sets], np.bool_)


def guesses(mask: Mask, shade: Pixels, sets: Pixels, fold: Sequence[int]) -> list[NDArray[np.float64]]:
    """By colour, by annotation, by both."""
    colour = by_code(mask, shade, fold, bases(mask, fold))
    annotation = by_annotation(mask, sets, fold)
    pairs = np.empty(shape=mask.shape, dtype=object)
    for place in np.ndindex(mask.shape):
        pairs[place] = (shade[place], sets[place])
    return [colour, annotation, by_code(mask, pairs, fold, np.maximum(colour, annotation))]


def average_precision(mask: Mask, guess: NDArray[np.float64], images: Sequence[int]) -> float:
    """Of the pixels of these images: the mean, over active pixels, of the precision at their own guess."""
    active, score = mask[list(images)].ravel(), guess[list(images)].ravel()
    if not active.any():
        return 0.0
    precision = [active[score >= one].mean() for one in score[active]]
    return float(np.mean(precision))


def iou(mask: Mask, concept: Mask, annotated: Sequence[bool], images: Sequence[int]) -> float:
    """In the images that annotate the concept's category; 0/0 is 0."""
    rows = [image for image in images if annotated[image]]
    union = int((mask[rows] | concept[rows]).sum())
    return int((mask[rows] & concept[rows]).sum()) / union if union else 0.0


def lift(mask: Mask, concept: Mask, annotated: Sequence[bool], images: Sequence[int]) -> float:
    """Share of active pixels inside a concept over that outside, in the images of its category."""
    rows = [image for image in images if annotated[image]]
    inside, outside = mask[rows][concept[rows]], mask[rows][~concept[rows]]
    if not inside.size or not outside.size or not mask[rows].any():
        return float("nan")
    return float(inside.mean() / outside.mean()) if outside.any() else float("inf")
