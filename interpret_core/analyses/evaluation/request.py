"""What an evaluation is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from interpret_core.options import (
    BATCH_SIZE,
    BatchSize,
    Data,
    EvaluatedSplit,
    Network,
    Request,
    Split,
    at_least,
)


@dataclass(frozen=True)
class EvaluationRequest(Request):
    """The accuracy of a network on a data set.

    Attributes:
        network, dataset: names (or, from the command line, a factory and a folder).
        split: "val" for the images that rank no unit, "train" for those that do, or "all".
        batch_size: images per forward pass; another one may change an output in its last bit.
    """

    analysis: ClassVar[str] = "evaluation"

    network: Network
    dataset: Data
    split: EvaluatedSplit = Split.VAL
    batch_size: BatchSize = BATCH_SIZE

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("batch_size", self.batch_size, 1)
