"""From a network's outputs to probabilities: what its last layer means.

Most networks give logits, to which softmax belongs. Some give probabilities already, and a second softmax
would flatten them; one output alone has no softmax at all. What a network gives is found by running it
(`find_head`), and its owner may say otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from interpret_core.config import HEADS
from interpret_core.errors import NetworkError, ParameterError, unknown

LOGITS, PROBABILITIES, SIGMOID = HEADS
HALF = 0.5  # an only output means its class above this probability
NO_OUTPUT = -1  # an answer that is none of the outputs
_SMALLEST = 1e-12  # a probability's distance from 0 and 1 where its logarithm is taken
_SLACK = 1e-3  # what rows of probabilities in low precision may miss of adding up to 1


@dataclass(frozen=True)
class Head:
    """How K outputs become the probabilities of K classes.

    Attributes:
        kind: "logits", softmax over all outputs; "probabilities", the outputs as they are; "sigmoid", the
            sigmoid of each output for itself.
        exclusive: exactly one of the classes is there, so that probabilities of several add up. Otherwise
            each class is there or not for itself, and a group's probability is 1 − Π (1 − p).
        reason: what decided it, for the screen; empty where nothing is unusual.
    """

    kind: str = LOGITS
    exclusive: bool = True
    reason: str = ""

    def record(self) -> list[Any]:
        """What the network's digest holds of it."""
        return [self.kind, self.exclusive]

    def probabilities(self, outputs: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, K) probabilities of (N, K) outputs."""
        wide = outputs.astype(np.float64)
        if self.kind == PROBABILITIES:
            return wide
        if self.kind == SIGMOID:
            return np.asarray(0.5 * (1 + np.tanh(wide / 2)))
        powers = _powers(wide)
        return np.asarray(powers / powers.sum(1, keepdims=True))

    def together(self, outputs: NDArray[np.floating], members: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(N,) probability of a group of outputs.

        Args:
            outputs: (N, K).
            members: (N, K), the outputs of each row's group.
        """
        if self.kind == LOGITS:
            powers = _powers(outputs.astype(np.float64))
            return np.asarray(np.where(members, powers, 0.0).sum(1) / powers.sum(1))
        probabilities = self.probabilities(outputs)
        if self.exclusive:
            return np.asarray(np.where(members, probabilities, 0.0).sum(1))
        with np.errstate(divide="ignore"):  # of a certain output, whose group is certain too
            return np.asarray(-np.expm1(np.where(members, np.log1p(-probabilities), 0.0).sum(1)))

    def best(self, outputs: NDArray[np.floating]) -> NDArray[np.int64]:
        """(N,) number of the largest output, the first of equal ones.

        One output alone is the answer above a probability of one half; else the answer is NO_OUTPUT.
        """
        if outputs.shape[1] == 1:
            return np.where(self.probabilities(outputs)[:, 0] > HALF, 0, NO_OUTPUT)
        return np.asarray(outputs.argmax(1), np.int64)

    def probability(self, outputs: Tensor, group: Sequence[int]) -> Tensor:
        """(M,) float64 probability of a group of outputs, differentiable.

        Args:
            outputs: (M, K).
            group: numbers of outputs.
        """
        wide = outputs.double()
        chosen = wide[:, list(group)]
        if self.kind == LOGITS:
            return (chosen.logsumexp(1) - wide.logsumexp(1)).exp()
        if self.kind == PROBABILITIES:
            return chosen.sum(1) if self.exclusive or len(group) == 1 else 1 - (1 - chosen).prod(1)
        return -torch.expm1(-torch.nn.functional.softplus(chosen).sum(1))

    def logit(self, outputs: Tensor, group: Sequence[int]) -> Tensor:
        """(M,) float64, the number before the last non-linearity, differentiable.

        Of logits it is the log of the sum of the group's exponentials; else log P, or where classes do not
        exclude each other log P/(1 − P), which for a sigmoid over one output is that output.
        """
        wide = outputs.double()
        if self.kind == LOGITS:
            return wide[:, list(group)].logsumexp(1)
        if self.kind == SIGMOID:
            absent = -torch.nn.functional.softplus(wide[:, list(group)]).sum(1)  # log Π (1 − p)
            return torch.log(-torch.expm1(absent)) - absent if len(group) > 1 else wide[:, group[0]]
        inside = self.probability(outputs, group).clamp(_SMALLEST, 1 - _SMALLEST)
        return inside.log() if self.exclusive else inside.log() - (-inside).log1p()


LOGIT_HEAD = Head()


def stated_head(kind: str, outputs: Tensor, reason: str = "As its owner says.") -> Head:
    """The head that a network's owner states.

    Args:
        kind: one of HEADS.
        outputs: (N, K) of a few images: whether rows of probabilities add up to 1.
        reason: for the screen.

    Raises:
        ParameterError: none of HEADS.
        NetworkError: softmax over one output, which is always 1.
    """
    if kind not in HEADS:
        raise ParameterError(unknown("head", kind, HEADS))
    if kind == LOGITS and outputs.shape[1] == 1:
        raise NetworkError(
            "The head is stated as 'logits', but the network has one output, whose softmax is always 1: "
            "expected 'sigmoid' (one logit) or 'probabilities' (one probability)."
        )
    return Head(kind, kind == LOGITS or (kind == PROBABILITIES and _adds_up(outputs)), reason)


def find_head(outputs: Tensor, *, bounded: bool) -> Head:
    """What outputs mean, by how they look.

    Args:
        outputs: (N, K) of images that differ much.
        bounded: whether the network's last operation, as far as it is known, can give probabilities, and
            extreme images do not lead out of 0 to 1 either.
    """
    if bounded and in_unit_range(outputs):
        adds_up = _adds_up(outputs)
        rows = "each row adds up to 1" if adds_up else "each class for itself"
        reason = f"Its outputs are probabilities already (from 0 to 1, {rows}): no softmax is applied."
        return Head(PROBABILITIES, adds_up, reason)
    if outputs.shape[1] == 1:
        return Head(SIGMOID, False, "It has one output, a logit: its probability is the output's sigmoid.")
    return Head()


def in_unit_range(outputs: Tensor) -> bool:
    """Whether every output lies from 0 to 1; NaN does not."""
    return bool(((outputs >= 0) & (outputs <= 1)).all())


def _adds_up(outputs: Tensor) -> bool:
    sums = outputs.detach().double().sum(1)
    return outputs.shape[1] > 1 and bool(((sums - 1).abs() < _SLACK).all())


def _powers(wide: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(wide - wide.max(1, keepdims=True))
