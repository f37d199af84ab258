"""What ranks the units of each layer: a class's relevance, or the IoU with a concept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from interpret_core.ablation.settings import IOU
from interpret_core.errors import ParameterError, unknown
from interpret_core.relevance.record import ClassRelevance
from interpret_core.results.identities import Subject
from interpret_core.results.profiles import find_profiles, layer_keys
from interpret_core.results.requests import ProfileRequest
from interpret_core.results.store import Store

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


def iou_scores(
    request: ProfileRequest, subject: Subject, layers: Sequence[str], concept: str, store: Store
) -> Scores:
    """The IoU with a concept, by layer. It is counted on all images, also on those that are evaluated.

    Args:
        request: of the profile.
        subject: the network that is ablated.
        layers: all that need a score.
        concept: its name.
        store: holds the profile.

    Raises:
        NotRanked: a layer has not been profiled.
        ParameterError: no such concept.
    """
    found = find_profiles(layer_keys(request, store, subject), store)
    missing = [name for name in layers if name not in found]
    if missing:
        raise NotRanked(IOU, concept, f"profile layer {missing[0]} first.")
    names = next(iter(found.values())).profile.concept_names
    if concept not in names:
        raise ParameterError(unknown("concept", concept, names))
    return {name: one.profile.iou[:, names.index(concept)] for name, one in found.items()}
