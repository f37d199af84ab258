"""What an estimate is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.effects.request import EffectsRequest
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.request import MethodName, RelevanceRequest
from interpret_core.analyses.survey.request import SurveyRequest
from interpret_core.errors import ParameterError, unknown
from interpret_core.options import (
    ALL,
    BATCH_SIZE,
    BatchSize,
    Classes,
    Data,
    Layers,
    Method,
    Names,
    Network,
    Option,
    Permutations,
    Request,
    at_least,
)

SECONDS = 60
ANALYSES = ("survey", "profile", "image-labels", "relevance", "ablation", "effects", "evaluation")


@dataclass(frozen=True)
class EstimateRequest(Request):
    """What some analyses take on a network and a data set, in their usual settings.

    Attributes:
        network, dataset: names (or, from the command line, a factory and a folder).
        analyses: their names, or ALL of `ANALYSES`.
        layers: of profile, image labels and relevance.
        classes: of relevance and ablation.
        method: of the relevance, also of that which ranks for an ablation.
        batch_size, permutations: of profile and image labels.
        images: as if the data set held so many; None for those that it has.
        concepts: as if it had so many; None for those that it has.
        workers: processes (or workers of a cluster) that share the images; None for one process.
        seconds: that the sample of each analysis takes, about; it measures at least a few images.
    """

    analysis: ClassVar[str] = "estimate"

    network: Network
    dataset: Data
    analyses: Annotated[Names, Option(f"Of {', '.join(ANALYSES)}, or all.", "NAMES")] = ALL
    layers: Layers = ALL
    classes: Classes = ALL
    method: MethodName = Method.LAYER_IG
    batch_size: BatchSize = BATCH_SIZE
    permutations: Permutations = 100
    images: Annotated[int | None, Option("As if the data set held so many images.", "COUNT")] = None
    concepts: Annotated[int | None, Option("As if the data set had so many concepts.", "COUNT")] = None
    workers: Annotated[int | None, Option("As if so many processes shared the images.", "COUNT")] = None
    seconds: Annotated[int, Option("That measuring each analysis takes, about.", "SECONDS")] = SECONDS

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("batch_size", self.batch_size, 1)
        at_least("permutations", self.permutations, 0)
        at_least("seconds", self.seconds, 1)
        for name in ("images", "concepts", "workers"):
            value = getattr(self, name)
            if value is not None:
                at_least(name, value, 1)
        for name in self.chosen():
            if name not in ANALYSES:
                raise ParameterError(unknown("analysis", name, ANALYSES))

    def chosen(self) -> tuple[str, ...]:
        """The analyses asked for, in the usual order where all are."""
        if isinstance(self.analyses, str):
            return ANALYSES if self.analyses == ALL else (self.analyses,)
        return self.analyses

    @property
    def hypothetical(self) -> bool:
        """Whether it is about another data set than the one that is measured."""
        return self.images is not None or self.concepts is not None

    def asked(self) -> dict[str, Request]:
        """The requests whose cost is asked for, by the names of their analyses."""
        pair = self.network, self.dataset
        every: dict[str, Request] = {
            "survey": SurveyRequest(self.dataset),
            "profile": ProfileRequest(
                *pair, self.layers, batch_size=self.batch_size, permutations=self.permutations
            ),
            "image-labels": ImageLabelsRequest(
                *pair, self.layers, batch_size=self.batch_size, permutations=self.permutations
            ),
            "relevance": RelevanceRequest(*pair, self.classes, self.method, layers=self.layers),
            "ablation": AblationRequest(*pair, self.classes, method=self.method),
            "effects": EffectsRequest(*pair),
            "evaluation": EvaluationRequest(*pair, batch_size=self.batch_size),
        }
        return {name: every[name] for name in self.chosen()}
