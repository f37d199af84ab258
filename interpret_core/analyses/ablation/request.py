"""What the grid of an ablation is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from interpret_core.analyses.relevance.request import (
    IMAGES,
    BaselineName,
    MethodName,
    OutputName,
    RankingSplit,
    RelevanceRequest,
)
from interpret_core.errors import ParameterError
from interpret_core.options import (
    ALL,
    Baseline,
    Data,
    Method,
    Names,
    Network,
    Option,
    Output,
    Request,
    Split,
    Value,
    at_least,
)

WAYS = ("relevance", "iou", "hand")  # what ranks; hand: nothing but the units named
DIRECTIONS = ("top", "bottom", "random")
FRACTIONS = "0,0.01,0.02,0.03"  # as in the paper

AblatedClasses = Annotated[
    Names,
    Option("Whose units are silenced; all classes are watched.", "NAMES", flags=("--class", "--classes")),
]
RankingImages = Annotated[int, Option("Images that rank, at most, per class.", "COUNT")]
AblationSplit = Annotated[
    str, Option("Images to evaluate: val (held back), train, or all.", choices=Split, url="on")
]
ValueName = Annotated[str, Option("What responses become: zero, or the unit's mean.", choices=Value)]
LayerNames = Annotated[
    str, Option("Names separated by commas, inner (without first and last), or all.", "NAMES")
]


@dataclass(frozen=True)
class AblationRequest(Request):
    """What silencing costs a network: who ranks the units, on which images it is measured.

    Attributes:
        network, dataset: names (or, from the command line, a factory and a folder).
        classes: whose units are silenced, or ALL; all classes are watched.
        split: images that are evaluated, "val", "train" or "all".
        ranked_on: split of the images that rank the units. Where an image is in both, it is evaluated with
            a ranking that has not seen it.
        images: ranking images per class, at most.
        method, baseline, output: of the relevance that ranks.
        value: what silenced responses become, "zero" or "mean".
    """

    analysis: ClassVar[str] = "ablation"

    network: Network
    dataset: Data
    classes: AblatedClasses = ALL
    split: AblationSplit = Split.VAL
    ranked_on: RankingSplit = Split.TRAIN
    images: RankingImages = IMAGES
    method: MethodName = Method.LAYER_IG
    baseline: BaselineName = Baseline.BLACK
    output: OutputName = Output.PROBABILITY
    value: ValueName = Value.ZERO

    def __post_init__(self) -> None:
        super().__post_init__()
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


@dataclass(frozen=True)
class AblateRequest(Request):
    """What a network can no longer do with units silenced: who ranks them, how many, what it is measured on.

    Attributes:
        network, dataset, classes, split, ranked_on, images, method, baseline, output, value: as in
            `AblationRequest`.
        fractions: of each layer's units, separated by commas; None for `FRACTIONS`.
        rank: of "top", "bottom" and "random", separated by commas.
        by: what ranks: "relevance", "iou", or "hand": nothing but `units`.
        concept: names of concepts whose IoU ranks; None for the classes' objects.
        units: silenced in addition, such as "conv2:41,conv3:7".
        total: in place of fractions, so many units over all layers.
        controls: compare units picked by hand with as many random ones of each layer, five times.
        layers: names separated by commas, "inner" (without the first and the last), or "all".
    """

    analysis: ClassVar[str] = "ablate"

    network: Network
    dataset: Data
    classes: AblatedClasses = ALL
    fractions: Annotated[
        str | None, Option("Of each layer's units, separated by commas.", "SHARES", shown=FRACTIONS)
    ] = None
    rank: Annotated[str, Option("top, bottom, random; several by commas.")] = ",".join(DIRECTIONS)
    by: Annotated[str, Option("What ranks the units: relevance, iou, or hand: none.")] = WAYS[0]
    concept: Annotated[
        str | None, Option("By IoU with these; by default with the class's object.", "NAMES")
    ] = None
    units: Annotated[
        str, Option("Silenced in addition, such as conv2:41,conv3:7; from any layer.", "UNITS")
    ] = ""
    total: Annotated[int | None, Option("Instead of fractions, so many units over all layers.", "COUNT")] = (
        None
    )
    controls: Annotated[
        bool, Option("Compare units picked by hand with as many random ones of each layer.")
    ] = False
    layers: LayerNames = "inner"
    value: ValueName = Value.ZERO
    split: AblationSplit = Split.VAL
    ranked_on: RankingSplit = Split.TRAIN
    images: RankingImages = IMAGES
    method: MethodName = Method.LAYER_IG
    baseline: BaselineName = Baseline.BLACK
    output: OutputName = Output.PROBABILITY

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.controls and self.by != WAYS[-1]:
            raise ParameterError(
                f"--controls is for units picked by hand, but they are ranked by {self.by}, whose random "
                "controls --rank random adds: leave it out."
            )
        self.planned()

    def planned(self) -> AblationRequest:
        """The request of the plan: who ranks, on which images."""
        return _planned(self, self.classes if self.by == WAYS[0] else ALL)


@dataclass(frozen=True)
class SpecialiseRequest(Request):
    """How many units can be removed, the least relevant for a class first, before it is lost.

    Attributes:
        network, dataset, split, ranked_on, images, method, baseline, output, value: as in `AblationRequest`.
        of: the class.
        mistakes: new ones about the class that are allowed; says how the curve is read.
        layers: names separated by commas, "inner" (without the first and the last), or "all".
    """

    analysis: ClassVar[str] = "specialise"

    network: Network
    dataset: Data
    of: Annotated[str, Option("The class that shall be kept.", flags=("--class",))]
    mistakes: Annotated[
        int, Option("New mistakes about the class that are allowed.", "COUNT", reading=True)
    ] = 0
    layers: LayerNames = "inner"
    value: ValueName = Value.ZERO
    split: AblationSplit = Split.VAL
    ranked_on: RankingSplit = Split.TRAIN
    images: RankingImages = IMAGES
    method: MethodName = Method.LAYER_IG
    baseline: BaselineName = Baseline.BLACK
    output: OutputName = Output.PROBABILITY

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("mistakes", self.mistakes, 0)
        self.planned()

    def planned(self) -> AblationRequest:
        """The request of the plan: who ranks, on which images."""
        return _planned(self, (self.of,))


def _planned(request: AblateRequest | SpecialiseRequest, classes: Names) -> AblationRequest:
    """What both have in common: who ranks, and what it is measured on."""
    common = ("network", "dataset", "split", "ranked_on", "images", "method", "baseline", "output", "value")
    return AblationRequest(**{name: getattr(request, name) for name in common}, classes=classes)
