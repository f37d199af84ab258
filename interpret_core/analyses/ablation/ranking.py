"""What ranks the units of each layer: a class's relevance, or the IoU with a concept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.profile.plan import LayerKeys, find_profiles
from interpret_core.analyses.profile.result import LayerProfile
from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.errors import ParameterError
from interpret_core.measures.ablation.settings import IOU
from interpret_core.store.store import Store

Scores = Mapping[str, NDArray[np.floating]]  # layer -> (U,), a score per unit


class NotRanked(ParameterError):
    """The ranking that was asked for has not been computed.

    Attributes:
        missing: "relevance" or "iou".
        name: the class or the concept.
    """

    def __init__(self, missing: str, name: str, remedy: str) -> None:
        """The line to show, and what to compute."""
        super().__init__(f"No {missing} of {name!r} has been computed, so nothing ranks the units: {remedy}")
        self.missing, self.name = missing, name


def relevance_scores(found: ClassRelevance, kept: NDArray[np.bool_] | None = None) -> Scores:
    """A class's relevance, by layer.

    Args:
        found: the class.
        kept: (n,) which of its images take part; all of them without it.
    """
    if kept is None:
        return {shape.name: found.layer(shape.name).relevance for shape in found.layers}
    return {
        shape.name: found.layer(shape.name).per_image[kept].astype(np.float64).mean(0)
        for shape in found.layers
    }


def ranked_profiles(keys: LayerKeys, name: str, store: Store) -> dict[str, LayerProfile]:
    """The profiles whose IoU ranks, by layer. It is counted on all images, also on those that are evaluated.

    Args:
        keys: of the profile, for all layers that need a score.
        name: of what ranks, for the message.
        store: holds the profile.

    Raises:
        NotRanked: a layer has not been profiled.
    """
    found = find_profiles(keys, store)
    missing = [layer for layer in keys.layers if layer not in found]
    if missing:
        raise NotRanked(IOU, name, f"profile layer {missing[0]} first.")
    return {layer: one.profile for layer, one in found.items()}
