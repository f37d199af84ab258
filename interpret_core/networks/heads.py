"""From a network's outputs to probabilities: what its last layer means.

Most networks give logits, to which softmax belongs. Some give probabilities already, and a second softmax
would flatten them; one output alone has no softmax at all. What a network gives is found by running it
(`find_head`), and its owner may say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from interpret_core.errors import NetworkError, ParameterError, unknown
from interpret_core.network_tables import HEADS
from interpret_core.networks.arithmetic import double
from interpret_core.networks.graph.ends import LOGARITHMS, UNBOUNDED

LOGITS, PROBABILITIES, SIGMOID = HEADS
HALF = 0.5  # an only output means its class above this probability
NO_OUTPUT = -1  # an answer that is none of the outputs
_SMALLEST = 1e-12  # a probability's distance from 0 and 1 where its logarithm is taken
_NEAR = 1e-2  # so near to 0 or 1 come the probabilities of extreme images, as a rule
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
        wide = double(outputs)
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
        wide = double(outputs)
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


def find_head(outputs: Tensor, extremes: Callable[[], Tensor], ends: str = "") -> Head:
    """What outputs mean, by how they look and how the network ends.

    Args:
        outputs: (N, K) of images that differ much.
        extremes: gives (N, K) of images that no photograph looks like; asked only where it matters.
        ends: what the last operations say: `ends.UNBOUNDED`, `ends.LOGARITHMS`, or nothing.
    """
    usual = Head() if outputs.shape[1] > 1 else Head(
        SIGMOID, False, "It has one output, a logit: its probability is the output's sigmoid."
    )  # fmt: skip
    if bool((outputs < 0).any()) and bool((outputs > 0).any()):
        return usual
    everything = double(torch.cat([outputs, extremes()]).detach())
    if not everything.isfinite().all():
        return usual
    spread = float((everything.amax(0) - everything.amin(0)).max())
    total = _total(everything, spread)
    if total is not None and in_unit_range(everything) and abs(total - 1) < _SLACK:
        return Head(PROBABILITIES, True, _given("each row adds up to 1"))
    if total is not None:
        return replace(usual, reason=_doubt(usual, f"Its outputs add up to {total:.4g} in every row"))
    if ends == UNBOUNDED:
        return usual
    if spread == 0:
        return replace(usual, reason=_doubt(usual, "Its outputs are the same for every image"))
    if in_unit_range(everything):
        near = min(float(everything.min()), 1 - float(everything.max())) < _NEAR
        doubt = "" if near else " None of them comes near 0 or 1, so this is a guess: `head` states it."
        return Head(PROBABILITIES, False, _given("each class for itself") + doubt)
    if 100 * (1 - _NEAR) < float(everything.max()) <= 100 and bool((everything >= 0).all()):
        return replace(usual, reason=_doubt(usual, "Its outputs lie from 0 to 100, as percentages do"))
    logarithms = ends == LOGARITHMS or float(everything.max()) > -_NEAR
    rest = float((everything.exp().sum(1) - 1).abs().max())  # 0 of log_softmax, which softmax gives back
    if logarithms and bool((everything <= 0).all()) and rest > _SLACK:
        said = "Its outputs are never above 0, as logarithms of probabilities are"
        return replace(usual, reason=_doubt(usual, said))
    return usual


def in_unit_range(outputs: Tensor) -> bool:
    """Whether every output lies from 0 to 1; NaN does not."""
    return bool(((outputs >= 0) & (outputs <= 1)).all())


def _given(rows: str) -> str:
    return f"Its outputs are probabilities already (from 0 to 1, {rows}): no softmax is applied."


def _doubt(head: Head, said: str) -> str:
    taken = "logits" if head.kind == LOGITS else "a logit"
    return (
        f"{said}, so what they mean is uncertain: they are taken for {taken}. If they are not, return logits "
        "or probabilities from 0 to 1, or state `head`."
    )


def _total(outputs: Tensor, spread: float) -> float | None:
    """What all rows of outputs add up to, none of them below 0, while they differ; else None."""
    sums = outputs.sum(1)
    total = float(sums.mean())
    if outputs.shape[1] == 1 or bool((outputs < 0).any()) or total <= 0:
        return None
    apart = float((sums - total).abs().max())
    return total if apart < _SLACK * total and spread > _NEAR * total and apart < spread / 20 else None


def _adds_up(outputs: Tensor) -> bool:
    sums = double(outputs.detach()).sum(1)
    return outputs.shape[1] > 1 and bool(((sums - 1).abs() < _SLACK).all())


def _powers(wide: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(wide - wide.max(1, keepdims=True))
