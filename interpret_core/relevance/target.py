"""F: the number whose change is attributed to units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Target:
    """What is attributed: a class's probability or its logit; a class may be a group of outputs.

    Attributes:
        outputs: of the network, that stand for the class.
        kind: "probability", the sum of their softmax probabilities, or "logit", the log of the sum of their
            exponentials (of one output: its logit).
    """

    outputs: tuple[int, ...]
    kind: str = "probability"

    def __call__(self, logits: Tensor) -> Tensor:
        """F of each row.

        Args:
            logits: (M, K) float.

        Returns:
            (M,) float64: the softmax of large logits loses the small changes that are summed up here.
        """
        wide = logits.double()
        group = wide[:, list(self.outputs)].logsumexp(1)
        return group if self.kind == "logit" else (group - wide.logsumexp(1)).exp()


def as_target(outputs: Sequence[int], kind: str) -> Target:
    """A target with its outputs in order.

    Raises:
        ValueError: no output, or another kind.
    """
    if not outputs or kind not in {"probability", "logit"}:
        raise ValueError(
            f"Expected outputs and 'probability' or 'logit', but got {list(outputs)} and {kind!r}."
        )
    return Target(tuple(sorted(outputs)), kind)
