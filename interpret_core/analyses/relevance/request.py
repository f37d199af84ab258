"""What a relevance is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Annotated, ClassVar

from interpret_core.errors import ParameterError
from interpret_core.options import (
    ALL,
    PLACING,
    Baseline,
    Classes,
    Data,
    Layers,
    Method,
    Network,
    Option,
    Output,
    Positions,
    Request,
    Split,
    at_least,
    one_spelling,
)

IMAGES = 10  # per class
POINTS, MOST_POINTS, TOLERANCE = 16, 256, 0.05  # of the path, and when it is refined no more

MethodName = Annotated[str, Option("layer-ig (path in the layer's space) or conductance.", choices=Method)]
BaselineName = Annotated[str, Option("Reference input: black, mean or blur.", choices=Baseline)]
OutputName = Annotated[
    str, Option("What is attributed: probability or logit.", flags=("--of",), choices=Output)
]
RankingSplit = Annotated[str, Option("Images that rank: train, val or all.", choices=Split)]
Images = Annotated[int, Option("At most, per class.", "COUNT")]
Points = Annotated[int, Option("Gradients on each path to begin with.", "COUNT")]
MostPoints = Annotated[int, Option("Gradients on each path at most.", "COUNT")]
Tolerance = Annotated[float, Option("Residual at which refinement stops; 0: none.", "SHARE")]


@dataclass(frozen=True)
class RelevanceRequest(Request):
    """The relevance of layers' units for some classes.

    Attributes:
        network, dataset: names (or, from the command line, a factory and a folder).
        classes: names of classes, or ALL that the network knows.
        layers: short names, or ALL convolutions.
        method: "layer-ig", the path in the layer's own space, or "conductance", the path in input space.
        baseline: the reference input: "black" (0 in pixel space), "mean" (the mean colour that the
            preprocessing subtracts) or "blur" (the image, blurred).
        output: F, the class's "probability" or its "logit".
        split: "train" for the images that rank units, "val" or "all".
        images: at most so many images per class, the first by the digest of their names.
        points: gradients on the path to begin with.
        most_points: … and where refinement ends.
        positions: how a layer's grid lies over the picture, "anchored" or "stretched".
        tolerance: relative residual of completeness at which refinement stops; 0 never refines.
    """

    analysis: ClassVar[str] = "relevance"

    network: Network
    dataset: Data
    classes: Classes = ALL
    method: MethodName = Method.LAYER_IG
    baseline: BaselineName = Baseline.BLACK
    output: OutputName = Output.PROBABILITY
    split: RankingSplit = Split.TRAIN
    images: Images = IMAGES
    points: Points = POINTS
    most_points: MostPoints = MOST_POINTS
    tolerance: Tolerance = TOLERANCE
    layers: Layers = ALL
    positions: Positions = PLACING

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("images", self.images, 1)
        at_least("points", self.points, 2)
        at_least("most_points", self.most_points, self.points)
        object.__setattr__(self, "tolerance", _tolerance(self.tolerance))


def _tolerance(value: object) -> float:
    exact = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    if not 0 <= exact < math.inf:
        raise ParameterError(f"tolerance is {value!r}, but expected a number from 0 upward.")
    return one_spelling(exact)
