"""What a relevance is asked for, and under which keys it is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any

from interpret_core.datasets.classes import SPLITS
from interpret_core.errors import ParameterError, unknown
from interpret_core.options import at_least, entries, names_of, one_spelling
from interpret_core.store.keys import content_key

ALL_CLASSES = "all"


METHODS = ("layer-ig", "conductance")


BASELINES = ("black", "mean", "blur")


OUTPUTS = ("probability", "logit")


@dataclass(frozen=True)
class RelevanceRequest:
    """The relevance of all listed layers' units for some classes.

    Attributes:
        network, dataset: names (or, from the command line, a factory and a folder).
        classes: names of classes, or ALL_CLASSES that the network knows.
        method: "layer-ig", the path in the layer's own space, or "conductance", the path in input space.
        baseline: the reference input: "black" (0 in pixel space), "mean" (the mean colour that the
            preprocessing subtracts) or "blur" (the image, blurred).
        output: F, the class's "probability" or its "logit".
        split: "train" for the images that rank units, "val" or "all".
        images: at most so many images per class, the first by the digest of their names.
        points: gradients on the path to begin with.
        most_points: … and where refinement ends.
        tolerance: relative residual of completeness at which refinement stops; 0 never refines.
    """

    network: str
    dataset: str
    classes: tuple[str, ...] | str = ALL_CLASSES
    method: str = "layer-ig"
    baseline: str = "black"
    output: str = "probability"
    split: str = "train"
    images: int = 10
    points: int = 16
    most_points: int = 256
    tolerance: float = 0.05

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", names_of(self.classes, ALL_CLASSES, "class"))
        for name, options in (("method", METHODS), ("baseline", BASELINES), ("output", OUTPUTS)):
            if getattr(self, name) not in options:
                raise ParameterError(unknown(name, getattr(self, name), options))
        if self.split not in SPLITS:
            raise ParameterError(unknown("split", self.split, SPLITS))
        at_least("images", self.images, 1)
        at_least("points", self.points, 2)
        at_least("most_points", self.most_points, self.points)
        object.__setattr__(self, "tolerance", _tolerance(self.tolerance))

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, texts and lists."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RelevanceRequest:
        """The inverse of `to_json`; lists become tuples."""
        return cls(**entries(cls, value))


def relevance_key(
    request: RelevanceRequest,
    network_digest: str,
    dataset_digest: str,
    class_name: str,
    outputs: Sequence[int],
    images: Sequence[int],
) -> str:
    """Key of one class's relevance.

    Args:
        request: what is asked for; its classes do not matter here.
        network_digest, dataset_digest: hex digests of the content behind the names.
        class_name: the class, whose object is the mask.
        outputs: the network's outputs that stand for the class.
        images: indices of the images it is computed on: which ones they are may depend on a table of names.
    """
    settings = ("method", "baseline", "output", "points", "most_points", "tolerance")
    content = {
        "network": network_digest,
        "dataset": dataset_digest,
        "class": class_name,
        "outputs": sorted(outputs),
        "images": list(images),
        **{name: getattr(request, name) for name in settings},
    }
    return content_key("relevance", content)


def _tolerance(value: object) -> float:
    exact = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    if not 0 <= exact < math.inf:
        raise ParameterError(f"tolerance is {value!r}, but expected a number from 0 upward.")
    return one_spelling(exact)
