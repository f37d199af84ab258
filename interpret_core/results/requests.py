"""What can be asked for, and the keys under which answers are kept.

A key holds everything that changes the answer; the same request has the same digest, whatever the spelling.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from interpret_core.errors import ParameterError
from interpret_core.profile.chance import PERMUTATIONS
from interpret_core.profile.record import DEFAULT_CATEGORIES
from interpret_core.profile.summary import MIN_IMAGES, Settings
from interpret_core.profile.thresholds import check_quantile
from interpret_core.results.records import canonical_json
from interpret_core.results.schema import SCHEMA as SCHEMA

ALL_LAYERS = "all"
BATCH_SIZE = 32


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
        object.__setattr__(self, "quantile", check_quantile(self.quantile))
        object.__setattr__(self, "layers", _layers(self.layers))
        object.__setattr__(self, "categories", tuple(self.categories))
        Settings(min_images=self.min_images)
        _at_least("batch_size", self.batch_size, 1)
        _at_least("permutations", self.permutations, 0)
        _at_least("seed", self.seed, 0)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, texts and lists."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ProfileRequest:
        """The inverse of `to_json`; lists become tuples."""
        known = {field.name for field in fields(cls)}
        entries: dict[str, Any] = {
            name: tuple(entry) if isinstance(entry, list) else entry
            for name, entry in value.items()
            if name in known
        }
        return cls(**entries)


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
    profile = {layer: _key("profile", common | {"layer": layer}) for layer in layers}
    return ProfileKeys(
        _key("survey", {"dataset": dataset_digest, "categories": list(request.categories)}),
        profile,
        {layer: _key("chance", {"profile": key} | chance) for layer, key in profile.items()},
        _key("partial", common | chance | {"layers": list(layers)}),
    )


def _key(kind: str, content: Mapping[str, Any]) -> str:
    text = canonical_json({"schema": SCHEMA, **content})
    return f"{kind}/{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _layers(layers: Sequence[str] | str) -> tuple[str, ...] | str:
    if layers == ALL_LAYERS or tuple(layers) == (ALL_LAYERS,):
        return ALL_LAYERS
    names = tuple(part.strip() for part in layers.split(",")) if isinstance(layers, str) else tuple(layers)
    names = tuple(name for name in dict.fromkeys(names) if name)
    if not names:
        raise ParameterError("No layer is named, but expected layer names separated by commas, or all.")
    return names


def _at_least(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or value < least:
        raise ParameterError(f"{name} is {value!r}, but expected a whole number of at least {least}.")
