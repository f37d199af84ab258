"""Where what was measured is kept, and what it says of a request without running anything."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from interpret_core import machine
from interpret_core.analyses.effects.request import EffectsRequest
from interpret_core.analyses.estimate.attributions import relevance_cost
from interpret_core.analyses.estimate.extents import Extent
from interpret_core.analyses.estimate.labelled import image_labels_cost
from interpret_core.analyses.estimate.paces import Measured
from interpret_core.analyses.estimate.profile_costs import ProfileCosts, ProfileWork, survey_cost
from interpret_core.analyses.estimate.result import AnalysisCost
from interpret_core.analyses.estimate.silences import ablation_cost, effects_cost
from interpret_core.analyses.image_labels.plan import LabelKeys
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.analyses.profile.plan import LayerKeys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.plan import RelevancePlan
from interpret_core.analyses.survey.request import SurveyRequest
from interpret_core.datasets import Dataset
from interpret_core.options import Request
from interpret_core.runtime.evaluated import EvaluatedImages
from interpret_core.runtime.executors.kind import ProcessorKind
from interpret_core.store.keys import content_key
from interpret_core.store.store import Store

# What says on how much something is computed, or how it is read, but next to nothing of what a step takes.
_AMOUNTS = ("classes", "images", "split", "ranked_on", "permutations", "seed", "min_images", "strict")
_ALIKE = ("baseline", "output", "value")
_NAMES = ("network", "dataset", "layers")  # in place of which digests stand, and the layers' own names


def sample_key(
    request: Request, digests: tuple[str, str], kind: ProcessorKind, layers: tuple[str, ...] = ()
) -> str:
    """Where the paces of an analysis lie.

    Args:
        request: of it.
        digests: of network and data set.
        kind: of the processes that compute.
        layers: that are computed, where it matters.
    """
    left = {*_AMOUNTS, *_ALIKE, *_NAMES}
    asked = {name: value for name, value in request.to_json().items() if name not in left}
    content = {"analysis": request.analysis, "network": digests[0], "dataset": digests[1], "asked": asked}
    return content_key("sample", content | {"kind": kind.name, "layers": list(layers)})


def find_measured(store: Store, key: str) -> Measured | None:
    """What was measured, None where nothing was."""
    found = store.get_json(key)
    return Measured.from_json(found) if isinstance(found, dict) else None


def profile_work(
    keys: LayerKeys, store: Store, units: Mapping[str, int]
) -> tuple[tuple[str, ...], ProfileWork]:
    """The layers of a profile of which anything is missing, and what; their units say how much."""
    parts = keys.without_profile(store), keys.without_chance(store), keys.without_assessment(store)
    layers = tuple(name for name in keys.layers if any(name in part for part in parts))
    every = max(sum(units.get(name, 1) for name in layers), 1)
    shares = [sum(units.get(name, 1) for name in part) / every for part in parts]
    return layers, ProfileWork(bool(parts[0]), shares[1], shares[2])


class KnownCosts:
    """What analyses take in processes like this one, where it was measured before; nothing is run.

    Args:
        store: where paces are kept.
        device: that computes.
    """

    def __init__(self, store: Store, device: torch.device) -> None:
        self._store, self._kind = store, ProcessorKind.here(device)

    def _paces(
        self, request: Request, digests: tuple[str, str], layers: tuple[str, ...] = ()
    ) -> Measured | None:
        return find_measured(self._store, sample_key(request, digests, self._kind, layers))

    def profile(
        self, request: ProfileRequest, keys: LayerKeys, network_digest: str, dataset: Dataset
    ) -> AnalysisCost | None:
        """Of what is missing of a profile, the survey included; None where that was not measured."""
        digests, extent = (network_digest, dataset.digest), _extent(dataset)
        layers, work = profile_work(keys, self._store, {})
        measured = self._paces(request, digests, layers)
        if measured is None:
            return None
        found = ProfileCosts(request, measured, extent, work).cost()
        if self._store.has(keys.survey):
            return found
        asked = SurveyRequest(request.dataset, request.categories)
        before = self._paces(asked, digests)
        return None if before is None else found.after(survey_cost(before, extent))

    def image_labels(
        self, request: ImageLabelsRequest, keys: LabelKeys, network_digest: str, dataset: Dataset
    ) -> AnalysisCost | None:
        """Of what is missing of labels of whole images; None where that was not measured."""
        layers = keys.missing(self._store)
        measured = self._paces(request, (network_digest, dataset.digest), layers)
        if measured is None:
            return None
        return image_labels_cost(measured, _extent(dataset), request, not keys.unseen(self._store))

    def relevance(self, plan: RelevancePlan, names: tuple[str, ...]) -> AnalysisCost | None:
        """Of some classes."""
        digests = plan.network_digest, plan.dataset.digest
        measured = self._paces(plan.request, digests, plan.layers)
        images = sum(len(plan.images[name]) for name in names if name in plan.images)
        if measured is None:
            return None
        return relevance_cost(measured, _extent(plan.dataset), images, len(names))

    def ablation(self, request: Request, images: EvaluatedImages, settings: int) -> AnalysisCost | None:
        """Of so many settings on all the images."""
        measured = self._paces(request, (images.network.digest, images.dataset.digest))
        if measured is None:
            return None
        return ablation_cost(measured, _extent(images.dataset), settings, len(images.images))

    def effects(self, request: EffectsRequest, images: EvaluatedImages) -> AnalysisCost | None:
        """Of all units on all the images."""
        measured = self._paces(request, (images.network.digest, images.dataset.digest))
        if measured is None:
            return None
        units = sum(layer.units for layer in images.layers)
        extent = _extent(images.dataset)
        return effects_cost(measured, extent, len(images.images), units, len(images.classes))


def _extent(dataset: Dataset) -> Extent:
    """The data set as it is, computed by one process."""
    concepts = len(dataset.concepts()) if dataset.annotated else 0
    return Extent(len(dataset), concepts, 1.0, 1, machine.cores())
