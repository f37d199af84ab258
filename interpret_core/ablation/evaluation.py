"""How often a network is right, by class: counts first, one division at the end.

Axes: N images, K outputs of the network, C classes of the data set. A class is one output or a group of them
(ImageNet has five cats): its probability is their sum, and an answer is the class if it is any of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

TOP = 5
LEAST_FOR_TOP = 20  # with so few outputs or fewer, the best five say nothing


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Answers of a network to N images of C classes; adding two gives that of both sets of images.

    A share of nothing (a class without images, no image of another class) is NaN: there is no number to show.

    Attributes:
        confusion: (C, C + 1) int64, images of the row's class that were taken for the column's; the last
            column counts those taken for an output that is none of the classes.
        in_top: (C,) int64, images with an output of their class among the five largest; None up to 20
            outputs.
        probability_sum: (C,) float64, summed probability of the true class.
    """

    confusion: NDArray[np.int64]
    in_top: NDArray[np.int64] | None
    probability_sum: NDArray[np.float64]

    def __add__(self, other: Evaluation) -> Evaluation:
        top = None if self.in_top is None or other.in_top is None else self.in_top + other.in_top
        return Evaluation(self.confusion + other.confusion, top, self.probability_sum + other.probability_sum)

    @cached_property
    def images(self) -> NDArray[np.int64]:
        """(C,) n, the images of each class."""
        return self.confusion.sum(1)

    @cached_property
    def right(self) -> NDArray[np.int64]:
        """(C,) k, those whose largest output is of their class."""
        return np.diagonal(self.confusion).copy()

    @property
    def others(self) -> NDArray[np.int64]:
        """(C,) images of the other classes."""
        return self.images.sum() - self.images

    @property
    def rejected(self) -> NDArray[np.int64]:
        """(C,) images of the other classes that were not taken for this one."""
        return self.others - (self.confusion[:, :-1].sum(0) - self.right)

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """(C,) k / n: the share of a class's images that are right."""
        return share(self.right, self.images)

    @property
    def top_accuracy(self) -> NDArray[np.float64] | None:
        """(C,) the share of a class's images with an output of the class among the five largest."""
        return None if self.in_top is None else share(self.in_top, self.images)

    @property
    def balanced_accuracy(self) -> NDArray[np.float64]:
        """(C,) one against the rest, (TPR + TNR) / 2: 1/2 is what always the same answer gives."""
        return (self.accuracy + share(self.rejected, self.others)) / 2

    @property
    def probability(self) -> NDArray[np.float64]:
        """(C,) mean probability of the true class."""
        return share(self.probability_sum, self.images)

    @property
    def overall_accuracy(self) -> float:
        """Right images over all images."""
        return float(share(self.right.sum(), self.images.sum()))

    @property
    def overall_top_accuracy(self) -> float | None:
        """The same for the five largest outputs."""
        return None if self.in_top is None else float(share(self.in_top.sum(), self.images.sum()))

    @property
    def overall_probability(self) -> float:
        """Mean probability of the true class over all images."""
        return float(share(self.probability_sum.sum(), self.images.sum()))

    @property
    def mean_recall(self) -> float:
        """Mean accuracy of the classes that have images: every class counts alike."""
        there = self.images > 0
        return float(share(math.fsum(self.accuracy[there]), there.sum()))


def evaluate(
    logits: NDArray[np.floating], labels: NDArray[np.integer], outputs: Sequence[Sequence[int]]
) -> Evaluation:
    """What a network's outputs say of images whose classes are known.

    The answer is the largest of all K outputs, the first of equal ones, and the class it belongs to.

    Args:
        logits: (N, K) float, finite, before the softmax.
        labels: (N,) true class of each image, 0 … C − 1.
        outputs: C groups of at least one output each, 0 … K − 1, no output twice.

    Returns:
        The Evaluation; of no image at all, every count is 0.

    Raises:
        ValueError: shapes that do not fit, numbers out of range, or an output that is not finite.
    Source: top-1, top-5 and (TPR + TNR)/2 as in Brodersen et al. 2010 (balanced accuracy), class by class.
    """
    _check(logits, labels, outputs)
    classes = len(outputs)
    class_of = np.full(logits.shape[1], classes, np.int64)
    for number, group in enumerate(outputs):
        class_of[list(group)] = number
    pairs = labels * (classes + 1) + class_of[logits.argmax(1)]
    own = class_of == labels[:, None]  # (N, K): outputs of each image's true class
    probability = np.bincount(labels, weights=_probability(logits, own), minlength=classes)
    return Evaluation(
        np.bincount(pairs, minlength=classes * (classes + 1)).reshape(classes, classes + 1),
        np.bincount(labels[_in_top(logits, own)], minlength=classes) if _top_counts(logits) else None,
        probability.astype(np.float64),
    )


def _top_counts(logits: NDArray[np.floating]) -> bool:
    return logits.shape[1] > LEAST_FOR_TOP


def _in_top(logits: NDArray[np.floating], own: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) whether fewer than five outputs come before the best of the class, of equal ones the first."""
    best = np.where(own, logits, -np.inf).argmax(1)[:, None]
    value = np.take_along_axis(logits, best, 1)
    earlier = np.arange(logits.shape[1]) < best
    return np.asarray(((logits > value) | ((logits == value) & earlier)).sum(1) < TOP)


def _probability(logits: NDArray[np.floating], own: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N,) softmax, summed over the outputs of the class, in double precision."""
    wide = logits.astype(np.float64)
    powers = np.exp(wide - wide.max(1, keepdims=True))
    return np.asarray(np.where(own, powers, 0.0).sum(1) / powers.sum(1))


def share(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    """part / whole, NaN where there is no whole."""
    above, below = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(above, below, out=np.full(np.broadcast(above, below).shape, np.nan), where=below > 0)


def _check(
    logits: NDArray[np.floating], labels: NDArray[np.integer], outputs: Sequence[Sequence[int]]
) -> None:
    flat = np.array([output for group in outputs for output in group], np.int64)
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or not all(map(len, outputs)) or len(flat) == 0:
        raise ValueError(
            f"Expected logits (N, K), labels (N,) and C groups of outputs, none empty, but got "
            f"{logits.shape}, {labels.shape} and groups of {[len(group) for group in outputs]}."
        )
    for name, values, limit in (("labels", labels, len(outputs)), ("outputs", flat, logits.shape[1])):
        if len(values) and (values.min() < 0 or values.max() >= limit):
            raise ValueError(
                f"Expected {name} from 0 to {limit - 1}, but got {values.min()} to {values.max()}."
            )
    if len(np.unique(flat)) != len(flat):
        raise ValueError(f"Expected different outputs for every class, but got {flat.tolist()}.")
    if not np.isfinite(logits).all():
        raise ValueError("Expected finite logits, but got NaN or infinity.")
