"""What can be asked for, and the keys under which answers are kept.

A key holds everything that changes the answer; the same request has the same digest, whatever the spelling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from interpret_core.analyses.survey.request import survey_key
from interpret_core.concepts import DEFAULT_CATEGORIES
from interpret_core.errors import ParameterError
from interpret_core.measures.dissection.quantile import check_quantile
from interpret_core.options import BATCH_SIZE, at_least, entries, names_of, one_spelling
from interpret_core.store.keys import content_key

ALL_LAYERS = "all"
PERMUTATIONS = 100
CUTOFF = 0.04
MIN_IMAGES = 10


@dataclass(frozen=True)
class Settings:
    """How labels and detectors are read off the counts.

    Attributes:
        min_images: concepts in fewer images are left out of labels and counts (Broden's own rule: 10).
        cutoff: a unit is a detector when its best IoU exceeds this; 0 gives every live unit its label.
    """

    min_images: int = MIN_IMAGES
    cutoff: float = CUTOFF

    def __post_init__(self) -> None:
        if self.min_images < 1:
            raise ParameterError(
                f"min_images is {self.min_images}, but expected a whole number of at least 1."
            )
        if not 0 <= self.cutoff < 1:
            raise ParameterError(f"cutoff is {self.cutoff}, but expected an IoU from 0 to below 1.")


@dataclass(frozen=True)
class ProfileRequest:
    """A profile of some layers of a network on a data set.

    Attributes:
        network, dataset: names (or, from the command line, a factory and a folder).
        layers: short names, or ALL_LAYERS.
        quantile: tail mass of the threshold, in (0, 1).
        min_images: concepts in fewer images are left out of labels and of the chance level.
        categories: annotation categories to compare with.
        batch_size: images per forward pass; another one may change a response in its last bit.
        permutations, seed: of the chance level; 0 permutations leave it out.
        strict: stop at the first damaged file instead of skipping it.
    """

    network: str
    dataset: str
    layers: tuple[str, ...] | str = ALL_LAYERS
    quantile: float = 0.005
    min_images: int = MIN_IMAGES
    categories: tuple[str, ...] = DEFAULT_CATEGORIES
    batch_size: int = BATCH_SIZE
    permutations: int = PERMUTATIONS
    seed: int = 0
    strict: bool = False

    def __post_init__(self) -> None:
        spelled = one_spelling(check_quantile(self.quantile))
        object.__setattr__(self, "quantile", spelled if spelled < 1 else float(self.quantile))
        object.__setattr__(self, "layers", names_of(self.layers, ALL_LAYERS, "layer"))
        object.__setattr__(self, "categories", tuple(self.categories))
        Settings(min_images=self.min_images)
        at_least("batch_size", self.batch_size, 1)
        at_least("permutations", self.permutations, 0)
        at_least("seed", self.seed, 0)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, texts and lists."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ProfileRequest:
        """The inverse of `to_json`; lists become tuples."""
        return cls(**entries(cls, value))


@dataclass(frozen=True)
class ProfileKeys:
    """Keys of everything a profile request consists of.

    Attributes:
        survey: of the data set's survey.
        profile, chance: by layer.
        run: of the run's intermediate shards.
    """

    survey: str
    profile: Mapping[str, str]
    chance: Mapping[str, str]
    run: str


def profile_keys(
    request: ProfileRequest, network_digest: str, dataset_digest: str, layers: Sequence[str]
) -> ProfileKeys:
    """Keys for the given content.

    Args:
        request: what is asked for.
        network_digest, dataset_digest: hex digests of the content behind the names.
        layers: the layers asked for, resolved.
    """
    common = {
        "network": network_digest,
        "dataset": dataset_digest,
        "quantile": request.quantile,
        "categories": list(request.categories),
        "batch_size": request.batch_size,
    }
    chance = {name: getattr(request, name) for name in ("min_images", "permutations", "seed")}
    profile = {layer: content_key("profile", common | {"layer": layer}) for layer in layers}
    return ProfileKeys(
        survey_key(dataset_digest, request.categories),
        profile,
        {layer: content_key("chance", {"profile": key} | chance) for layer, key in profile.items()},
        content_key("partial", common | chance | {"layers": list(layers)}),
    )
