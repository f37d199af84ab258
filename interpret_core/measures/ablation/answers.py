"""What a network answered, image by image: kept instead of all K outputs of every image.

Axes: N images, K outputs of the network, C classes of the data set, each one output or several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.networks.heads import LOGIT_HEAD, NO_OUTPUT, Head

TOP = 5
LEAST_FOR_TOP = 20  # with so few outputs or fewer, the best five say nothing

Outputs = Sequence[Sequence[int]]


@dataclass(frozen=True, eq=False)
class Answers:
    """A network's answers to N images.

    Attributes:
        best: (N,) int32, the largest output, the first of equal ones; −1 where a network's only output is
            not the answer either.
        best_probability: (N,) float32, its probability; of the only output, where it is not the answer.
        probability: (N,) float32, of the true class: of all its outputs together.
        in_top: (N,) bool, an output of the true class is among the five largest; None up to 20 outputs.
    """

    best: NDArray[np.int32]
    best_probability: NDArray[np.float32]
    probability: NDArray[np.float32]
    in_top: NDArray[np.bool_] | None

    def __len__(self) -> int:
        return len(self.best)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Answers:
        """The answers to some of the images."""
        top = None if self.in_top is None else self.in_top[rows]
        return Answers(self.best[rows], self.best_probability[rows], self.probability[rows], top)

    def classes(self, outputs: Outputs) -> NDArray[np.int64]:
        """(N,) number of the class that the largest output belongs to; C where it belongs to none.

        Args:
            outputs: C groups.
        """
        return class_of(self.best, outputs)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """By the names of the attributes, for a record."""
        arrays: dict[str, NDArray[Any]] = {
            "best": self.best,
            "best_probability": self.best_probability,
            "probability": self.probability,
        }
        return arrays if self.in_top is None else arrays | {"in_top": self.in_top}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Answers:
        """The inverse of `to_arrays`."""
        return cls(
            arrays["best"],
            arrays["best_probability"],
            arrays["probability"],
            arrays["in_top"].astype(np.bool_) if "in_top" in arrays else None,
        )


def answer(
    given: NDArray[np.floating], labels: NDArray[np.integer], outputs: Outputs, head: Head = LOGIT_HEAD
) -> Answers:
    """What a network's outputs say of images whose classes are known.

    Args:
        given: (N, K) float, finite, as the network gives them.
        labels: (N,) true class of each image, 0 … C − 1.
        outputs: C groups of at least one output each, 0 … K − 1, no output twice.
        head: how the network's outputs become probabilities.

    Raises:
        ValueError: shapes that do not fit, numbers out of range, or an output that is not finite.
    """
    _check(given, labels, outputs)
    owner = class_of(np.arange(given.shape[1]), outputs)
    own = owner == labels[:, None]  # (N, K): outputs of each image's true class
    best = head.best(given)
    shown = np.maximum(best, 0)[:, None]  # of the only output, also where it is not the answer
    return Answers(
        best.astype(np.int32),
        np.take_along_axis(head.probabilities(given), shown, 1)[:, 0].astype(np.float32),
        head.together(given, own).astype(np.float32),
        _in_top(given, own) if given.shape[1] > LEAST_FOR_TOP else None,
    )


def joined(parts: Sequence[Answers]) -> Answers:
    """Several answers as one, in this order; at least one."""
    tops = [part.in_top for part in parts if part.in_top is not None]
    return Answers(
        np.concatenate([part.best for part in parts]),
        np.concatenate([part.best_probability for part in parts]),
        np.concatenate([part.probability for part in parts]),
        np.concatenate(tops) if tops else None,
    )


def class_of(best: NDArray[np.integer], outputs: Outputs) -> NDArray[np.int64]:
    """The class that each output belongs to, C for those of no class.

    Args:
        best: (N,) numbers of outputs, −1 for none of them.
        outputs: C groups.
    """
    size = max([int(best.max(initial=0)), *(max(group) for group in outputs)]) + 1
    owner = np.full(size, len(outputs), np.int64)
    for number, group in enumerate(outputs):
        owner[list(group)] = number
    return np.where(best == NO_OUTPUT, len(outputs), owner[np.maximum(best, 0)])


def _in_top(given: NDArray[np.floating], own: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) whether fewer than five outputs come before the best of the class, of equal ones the first."""
    best = np.where(own, given, -np.inf).argmax(1)[:, None]
    value = np.take_along_axis(given, best, 1)
    earlier = np.arange(given.shape[1]) < best
    return np.asarray(((given > value) | ((given == value) & earlier)).sum(1) < TOP)


def _check(given: NDArray[np.floating], labels: NDArray[np.integer], outputs: Outputs) -> None:
    flat = np.array([output for group in outputs for output in group], np.int64)
    if given.ndim != 2 or labels.shape != given.shape[:1] or not all(map(len, outputs)) or len(flat) == 0:
        raise ValueError(
            f"Expected outputs (N, K), labels (N,) and C groups of outputs, none empty, but got "
            f"{given.shape}, {labels.shape} and groups of {[len(group) for group in outputs]}."
        )
    for name, values, limit in (("labels", labels, len(outputs)), ("outputs", flat, given.shape[1])):
        if len(values) and (values.min() < 0 or values.max() >= limit):
            raise ValueError(
                f"Expected {name} from 0 to {limit - 1}, but got {values.min()} to {values.max()}."
            )
    if len(np.unique(flat)) != len(flat):
        raise ValueError(f"Expected different outputs for every class, but got {flat.tolist()}.")
    if not np.isfinite(given).all():
        raise ValueError("Expected finite outputs, but got NaN or infinity.")
