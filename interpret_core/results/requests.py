"""What can be asked for, and the keys under which answers are kept.

A key holds everything that changes the answer; the same request has the same digest, whatever the spelling.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from numbers import Real
from typing import Any

from interpret_core.ablation.settings import VALUES
from interpret_core.concepts import DEFAULT_CATEGORIES
from interpret_core.datasets.classes import SPLITS
from interpret_core.errors import ParameterError, unknown
from interpret_core.profile.chance import PERMUTATIONS
from interpret_core.profile.summary import MIN_IMAGES, Settings
from interpret_core.profile.thresholds import check_quantile
from interpret_core.results.records import canonical_json
from interpret_core.results.schema import SCHEMA as SCHEMA

ALL_LAYERS = "all"
BATCH_SIZE = 32
DIGITS = 7  # of a number in a key: as many as tell single-precision numbers apart


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
        spelled = _one_spelling(check_quantile(self.quantile))
        object.__setattr__(self, "quantile", spelled if spelled < 1 else float(self.quantile))
        object.__setattr__(self, "layers", _names(self.layers, ALL_LAYERS, "layer"))
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
        return cls(**_entries(cls, value))


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
        object.__setattr__(self, "classes", _names(self.classes, ALL_CLASSES, "class"))
        for name, options in (("method", METHODS), ("baseline", BASELINES), ("output", OUTPUTS)):
            if getattr(self, name) not in options:
                raise ParameterError(unknown(name, getattr(self, name), options))
        if self.split not in SPLITS:
            raise ParameterError(unknown("split", self.split, SPLITS))
        _at_least("images", self.images, 1)
        _at_least("points", self.points, 2)
        _at_least("most_points", self.most_points, self.points)
        object.__setattr__(self, "tolerance", _tolerance(self.tolerance))

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, texts and lists."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RelevanceRequest:
        """The inverse of `to_json`; lists become tuples."""
        return cls(**_entries(cls, value))


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


@dataclass(frozen=True)
class AblationRequest:
    """What silencing costs a network: who ranks the units, on which images it is measured.

    Attributes:
        network, dataset: names (or, from the command line, a factory and a folder).
        classes: whose units are silenced, or ALL_CLASSES; all classes are watched.
        split: images that are evaluated, "val", "train" or "all".
        ranked_on: split of the images that rank the units. Where an image is in both, it is evaluated with
            a ranking that has not seen it.
        images: ranking images per class, at most.
        method, baseline, output: of the relevance that ranks.
        value: what silenced responses become, "zero" or "mean".
    """

    network: str
    dataset: str
    classes: tuple[str, ...] | str = ALL_CLASSES
    split: str = "val"
    ranked_on: str = "train"
    images: int = 10
    method: str = "layer-ig"
    baseline: str = "black"
    output: str = "probability"
    value: str = "zero"

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", _names(self.classes, ALL_CLASSES, "class"))
        if self.split not in SPLITS:
            raise ParameterError(unknown("split", self.split, SPLITS))
        if self.value not in VALUES:
            raise ParameterError(unknown("value", self.value, VALUES))
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

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, texts and lists."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AblationRequest:
        """The inverse of `to_json`; lists become tuples."""
        return cls(**_entries(cls, value))


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


def survey_key(dataset_digest: str, categories: Sequence[str]) -> str:
    """Key of a data set's survey.

    Args:
        dataset_digest: hex digest of its content.
        categories: of the annotations, in the order in which they are asked for.
    """
    return content_key("survey", {"dataset": dataset_digest, "categories": list(categories)})


def content_key(kind: str, content: Mapping[str, Any]) -> str:
    """A key under which a result is kept.

    Args:
        kind: first part of the key.
        content: everything that changes the result, as JSON.
    """
    text = canonical_json({"schema": SCHEMA, **content})
    return f"{kind}/{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _entries(kind: type, value: Mapping[str, Any]) -> dict[str, Any]:
    """A request's fields out of JSON; what it does not know is left out."""
    known = {field.name for field in fields(kind)}
    return {
        name: tuple(entry) if isinstance(entry, list) else entry
        for name, entry in value.items()
        if name in known
    }


def _names(names: Sequence[str] | str, every: str, kind: str) -> tuple[str, ...] | str:
    if names == every or tuple(names) == (every,):
        return every
    parts = tuple(part.strip() for part in names.split(",")) if isinstance(names, str) else tuple(names)
    parts = tuple(part for part in dict.fromkeys(parts) if part)
    if not parts:
        raise ParameterError(
            f"No {kind} is named, but expected {kind} names separated by commas, or {every}."
        )
    return parts


def _one_spelling(value: float) -> float:
    """A number in a key: 0.005 and 1 − 0.995, 1 and 1.0, 0 and −0 are one; computed is what the key says."""
    return float(f"{value:.{DIGITS}g}") + 0.0


def _tolerance(value: object) -> float:
    exact = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    if not 0 <= exact < math.inf:
        raise ParameterError(f"tolerance is {value!r}, but expected a number from 0 upward.")
    return _one_spelling(exact)


def _at_least(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ParameterError(f"{name} is {value!r}, but expected a whole number of at least {least}.")
