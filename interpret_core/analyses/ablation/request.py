"""What an ablation is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from interpret_core.analyses.relevance.request import ALL_CLASSES, RelevanceRequest
from interpret_core.datasets.classes import SPLITS
from interpret_core.errors import ParameterError, unknown
from interpret_core.measures.ablation.settings import VALUES
from interpret_core.options import entries, names_of


@dataclass(frozen=True)
class AblationRequest:
    """What silencing costs a network: who ranks the units, on which images it is measured.

    Attributes:
        network, dataset: names (or, from the command line, a factory and a folder).
        classes: whose units are silenced, or ALL_CLASSES; all classes are watched.
        split: images that are evaluated, "val", "train" or "all".
        ranked_on: split of the images that rank the units. Where an image is in both, it is evaluated with
            a ranking that has not seen it.
        images: ranking images per class, at most.
        method, baseline, output: of the relevance that ranks.
        value: what silenced responses become, "zero" or "mean".
    """

    network: str
    dataset: str
    classes: tuple[str, ...] | str = ALL_CLASSES
    split: str = "val"
    ranked_on: str = "train"
    images: int = 10
    method: str = "layer-ig"
    baseline: str = "black"
    output: str = "probability"
    value: str = "zero"

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", names_of(self.classes, ALL_CLASSES, "class"))
        if self.split not in SPLITS:
            raise ParameterError(unknown("split", self.split, SPLITS))
        if self.value not in VALUES:
            raise ParameterError(unknown("value", self.value, VALUES))
        self.relevance()

    def relevance(self) -> RelevanceRequest:
        """The request for the relevance that ranks, for all classes."""
        return RelevanceRequest(
            self.network,
            self.dataset,
            method=self.method,
            baseline=self.baseline,
            output=self.output,
            split=self.ranked_on,
            images=self.images,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, texts and lists."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AblationRequest:
        """The inverse of `to_json`; lists become tuples."""
        return cls(**entries(cls, value))
