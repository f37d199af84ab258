"""How often a network is right, by class: counts first, one division at the end.

Axes: N images, K outputs of the network, C classes of the data set. A class is one output or a group of them
(ImageNet has five cats): its probability is their sum, and an answer is the class if it is any of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.ablation.answers import Answers, Outputs, answer
from interpret_core.networks.heads import LOGIT_HEAD, Head
from interpret_core.numbers import share


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
    given: NDArray[np.floating], labels: NDArray[np.integer], outputs: Outputs, head: Head = LOGIT_HEAD
) -> Evaluation:
    """What a network's outputs say of images whose classes are known.

    The answer is the largest of all K outputs, the first of equal ones, and the class it belongs to; a
    network's only output is the answer where its probability is above one half.

    Args:
        given: (N, K) float, finite, as the network gives them.
        labels: (N,) true class of each image, 0 … C − 1.
        outputs: C groups of at least one output each, 0 … K − 1, no output twice.
        head: how the network's outputs become probabilities.

    Returns:
        The Evaluation; of no image at all, every count is 0.

    Raises:
        ValueError: shapes that do not fit, numbers out of range, or an output that is not finite.
    Source: top-1, top-5 and (TPR + TNR)/2 as in Brodersen et al. 2010 (balanced accuracy), class by class.
    """
    return tally(answer(given, labels, outputs, head), labels, outputs)


def tally(answers: Answers, labels: NDArray[np.integer], outputs: Outputs) -> Evaluation:
    """The counts of answers that are known image by image.

    Args:
        answers: to N images.
        labels: (N,) true class of each image, 0 … C − 1.
        outputs: C groups of the network's outputs.
    """
    classes = len(outputs)
    pairs = labels * (classes + 1) + answers.classes(outputs)
    top = answers.in_top
    return Evaluation(
        np.bincount(pairs, minlength=classes * (classes + 1)).reshape(classes, classes + 1),
        None if top is None else np.bincount(labels[top], minlength=classes),
        np.bincount(labels, weights=answers.probability, minlength=classes).astype(np.float64),
    )
