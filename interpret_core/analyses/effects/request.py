"""What single units' effects are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from interpret_core.options import Data, EvaluatedSplit, Network, Request, Split


@dataclass(frozen=True)
class EffectsRequest(Request):
    """What each single unit does for each class, on the images of a split.

    Attributes:
        network, dataset: names (or, from the command line, a factory and a folder).
        split: images that are evaluated, "val", "train" or "all".
    """

    analysis: ClassVar[str] = "effects"

    network: Network
    dataset: Data
    split: EvaluatedSplit = Split.VAL
