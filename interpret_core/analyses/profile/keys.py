"""Keys under which a profile is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.networks.layers.layer import Sort, read_at
from interpret_core.positions import placing_content
from interpret_core.runtime.survey import survey_key
from interpret_core.store.keys import content_key

RECIPE = 2  # of assessments: raise when their numbers change


@dataclass(frozen=True)
class ProfileKeys:
    """Keys of everything a profile request consists of.

    Attributes:
        survey: of the data set's survey.
        profile, chance, assessment: by layer.
        run: of the run's intermediate shards.
    """

    survey: str
    profile: Mapping[str, str]
    chance: Mapping[str, str]
    assessment: Mapping[str, str]
    run: str


def profile_keys(
    request: ProfileRequest,
    network_digest: str,
    dataset_digest: str,
    layers: Sequence[str],
    further: Mapping[str, Sort] = MappingProxyType({}),
) -> ProfileKeys:
    """Keys for the given content.

    Args:
        request: what is asked for.
        network_digest: hex digests of the content behind the names.
        dataset_digest: hex digests of the content behind the names.
        layers: the layers asked for, resolved.
        further: what those among them are made by that are no convolutions: the network's digest does not
            say where their response is read.
    """
    common = {
        "network": network_digest,
        "dataset": dataset_digest,
        "quantile": request.quantile,
        "categories": list(request.categories),
        "batch_size": request.batch_size,
    }
    common |= placing_content(request.positions)
    chance = _chance(request.min_images, request.seed, request.permutations)
    read = {layer: {"further": read_at(sort)} for layer, sort in further.items()}
    profile = {
        layer: content_key("profile", common | {"layer": layer} | read.get(layer, {})) for layer in layers
    }
    return ProfileKeys(
        survey_key(dataset_digest, request.categories),
        profile,
        {
            layer: chance_key(key, request.min_images, request.seed, request.permutations)
            for layer, key in profile.items()
        },
        {layer: assessment_key(key, request.min_images, request.seed) for layer, key in profile.items()},
        content_key("partial", common | chance | {"layers": list(layers)}),
    )


def chance_key(profile: str, min_images: int, seed: int, permutations: int) -> str:
    """Of the chance level of the layer whose profile lies under `profile`."""
    return content_key("chance", {"profile": profile} | _chance(min_images, seed, permutations))


def assessment_key(profile: str, min_images: int, seed: int) -> str:
    """Of its assessment."""
    sampled = {"min_images": min_images, "seed": seed, "recipe": RECIPE}
    return content_key("assessment", {"profile": profile} | sampled)


def _chance(min_images: int, seed: int, permutations: int) -> dict[str, int]:
    return {"min_images": min_images, "seed": seed, "permutations": permutations}
