"""Finding profiles in the store: names to digests, digests to keys, keys to layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from interpret_core import datasets
from interpret_core.analyses.base import Cost
from interpret_core.analyses.profile.keys import profile_keys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.result import AssessmentResult, ChanceResult, LayerProfile
from interpret_core.measures.dissection.chance import MAX_IMAGES
from interpret_core.runtime.known_layers import KnownLayers
from interpret_core.runtime.names import NamesNow
from interpret_core.runtime.subjects import Subject, identify, layers_of, loaded
from interpret_core.store.store import Store


@dataclass(frozen=True)
class LayerKeys:
    """Where the parts of a request lie.

    Attributes:
        layers: names asked for, in the network's order.
        survey, run: keys of the data set's survey and of the run's shards.
        profile, chance, assessment: keys by layer; `chance` is empty where no permutations are asked for.
        names: of network and data set, for what is told of the results.
    """

    layers: tuple[str, ...]
    survey: str
    profile: Mapping[str, str]
    chance: Mapping[str, str]
    assessment: Mapping[str, str]
    run: str
    names: NamesNow

    def without_profile(self, store: Store) -> tuple[str, ...]:
        """Layers whose profile is not in the store."""
        there = store.present([self.profile[layer] for layer in self.layers])
        return tuple(layer for layer in self.layers if self.profile[layer] not in there)

    def without_chance(self, store: Store) -> tuple[str, ...]:
        """Layers whose chance level is not in the store."""
        there = store.present(list(self.chance.values()))
        return tuple(layer for layer, key in self.chance.items() if key not in there)

    def without_assessment(self, store: Store) -> tuple[str, ...]:
        """Layers whose assessment is not in the store."""
        there = store.present(list(self.assessment.values()))
        return tuple(layer for layer, key in self.assessment.items() if key not in there)

    def cost(self, request: ProfileRequest, images: int, store: Store) -> Cost:
        """Of what is missing, on a data set of so many images."""
        if self.without_profile(store):
            return profile_cost(images)
        if self.without_chance(store):
            return chance_cost(request, images)
        return assessment_cost(images) if self.without_assessment(store) else Cost("")

    def missing(self, store: Store) -> bool:
        """Whether anything has to be computed."""
        parts = (*self.profile.values(), *self.chance.values(), *self.assessment.values(), self.survey)
        return len(store.present(parts)) < len(parts)


def profile_cost(images: int) -> Cost:
    """Of a profile on so many images."""
    return Cost(f"runs the network three times over {images:,} images")


def chance_cost(request: ProfileRequest, images: int) -> Cost:
    """Of the chance level alone, which is taken on a sample of a large data set."""
    return Cost(f"takes {request.permutations:,} permutations on {min(images, MAX_IMAGES):,} images")


def assessment_cost(images: int) -> Cost:
    """Of the assessment alone, which is taken on a sample of a large data set."""
    return Cost(f"guesses masks from colours and annotation on {min(images, MAX_IMAGES):,} images")


@dataclass(frozen=True)
class LayerResults:
    """A layer's results; `chance` and `assessment` are None until their stage has run."""

    profile: LayerProfile
    chance: ChanceResult | None
    assessment: AssessmentResult | None


def resolve_layers(
    request: ProfileRequest, store: Store, subject: Subject, dataset_digest: str
) -> LayerKeys | None:
    """Keys of a request without building the network; None if its layers are not known yet."""
    for shipped in store.shipped:
        shipped.compare("networks", request.network, subject.digest if subject.known else "")
        shipped.compare("datasets", request.dataset, dataset_digest)
    known = layers_of(subject, store)
    if known is None:
        return None
    names = NamesNow.of((request.network, request.dataset), subject.spec, subject.digest, store)
    return _keys(request, (subject.digest, dataset_digest), known, names)


def resolved(request: ProfileRequest, store: Store, subject: Subject, dataset_digest: str) -> LayerKeys:
    """Keys of a request for a network that is loaded, and therefore known."""
    keys = resolve_layers(request, store, subject, dataset_digest)
    if keys is None:
        raise ValueError(f"{request.network} has not been loaded.")
    return keys


def layer_keys(request: ProfileRequest, store: Store, subject: Subject | None = None) -> LayerKeys:
    """Keys of a request by names alone; builds the network only the first time it is seen.

    Args:
        request: of a profile.
        store: where they lead.
        subject: the network, where it is known already.

    Raises:
        UserError: unknown names.
    """
    digest = datasets.open_dataset(request.dataset).digest
    subject = subject or identify(request.network, store)
    found = resolve_layers(request, store, subject, digest)
    return found or resolved(request, store, loaded(subject, store), digest)


def find_profiles(keys: LayerKeys, store: Store) -> dict[str, LayerResults]:
    """The layers whose profile is in the store, in forward order, by name."""
    return {layer: found for layer in keys.layers if (found := find_layer(keys, store, layer)) is not None}


def find_layer(keys: LayerKeys, store: Store, layer: str) -> LayerResults | None:
    """One layer's results, or None."""
    record = store.get(keys.profile[layer])
    if record is None:
        return None
    key = keys.chance.get(layer)
    chance, assessment = store.get(key) if key else None, store.get(keys.assessment[layer])
    return LayerResults(
        LayerProfile(record.arrays, keys.names.told(record.metadata)),
        ChanceResult(chance.arrays, chance.metadata) if chance else None,
        AssessmentResult(assessment.arrays, assessment.metadata) if assessment else None,
    )


def _keys(
    request: ProfileRequest, digests: tuple[str, str], known: KnownLayers, names: NamesNow
) -> LayerKeys:
    layers = known.chosen(request.layers, request.network)
    known.with_masks(layers, request.network)
    further = {name: sort for name in layers if (sort := known.sort(name)) is not None}
    keys = profile_keys(request, *digests, layers, further)
    chance = keys.chance if request.permutations else {}
    return LayerKeys(layers, keys.survey, keys.profile, chance, keys.assessment, keys.run, names)
