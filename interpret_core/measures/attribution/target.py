"""F: the number whose change is attributed to units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from interpret_core.networks.heads import LOGIT_HEAD, Head

KINDS = ("probability", "logit")


@dataclass(frozen=True)
class Target:
    """What is attributed: a class's probability or its logit; a class may be a group of outputs.

    Attributes:
        outputs: of the network, that stand for the class.
        kind: "probability" of them together, or "logit", the number before the last non-linearity
            (`Head.probability`, `Head.logit`).
        head: how the network's outputs become probabilities.
    """

    outputs: tuple[int, ...]
    kind: str = "probability"
    head: Head = LOGIT_HEAD

    def __call__(self, given: Tensor) -> Tensor:
        """F of each row.

        Args:
            given: (M, K) float, as the network gives them.

        Returns:
            (M,) float64: the softmax of large logits loses the small changes that are summed up here.
        """
        of = self.head.logit if self.kind == "logit" else self.head.probability
        return of(given, self.outputs)


def as_target(outputs: Sequence[int], kind: str, head: Head = LOGIT_HEAD) -> Target:
    """A target with its outputs in order.

    Raises:
        ValueError: no output, or another kind.
    """
    if not outputs or kind not in KINDS:
        raise ValueError(
            f"Expected outputs and 'probability' or 'logit', but got {list(outputs)} and {kind!r}."
        )
    return Target(tuple(sorted(outputs)), kind, head)
