"""What a profile is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from interpret_core.concepts import DEFAULT_CATEGORIES
from interpret_core.errors import ParameterError
from interpret_core.measures.dissection.quantile import check_quantile
from interpret_core.options import (
    ALL,
    BATCH_SIZE,
    PLACING,
    BatchSize,
    Data,
    Layers,
    Network,
    Option,
    Permutations,
    Positions,
    Request,
    Seed,
    at_least,
    one_spelling,
)

QUANTILE = 0.005  # the paper's
CUTOFF = 0.04
MIN_IMAGES = 10

Quantile = Annotated[float, Option("Share of positions above a unit's threshold.", "NUMBER")]


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
class ProfileRequest(Request):
    """A profile of some layers of a network on a data set.

    Attributes:
        network, dataset: names (or, from the command line, a factory and a folder).
        layers: short names, or ALL.
        quantile: tail mass of the threshold, in (0, 1).
        min_images: concepts in fewer images are left out of labels and of the chance level.
        categories: annotation categories to compare with.
        cutoff: of the detectors (`Settings`).
        batch_size: images per forward pass; another one may change a response in its last bit.
        permutations, seed: of the chance level; 0 permutations leave it out.
        positions: how a layer's grid lies over the picture, "anchored" or "stretched".
        strict: stop at the first damaged file instead of skipping it.
    """

    analysis: ClassVar[str] = "profile"

    network: Network
    dataset: Data
    layers: Layers = ALL
    quantile: Quantile = QUANTILE
    min_images: Annotated[int, Option("Leave out concepts in fewer images.", "COUNT")] = MIN_IMAGES
    categories: Annotated[tuple[str, ...], Option("Annotation categories, separated by commas.", "NAMES")] = (
        DEFAULT_CATEGORIES
    )
    cutoff: Annotated[
        float, Option("A unit is a detector when its best IoU exceeds this.", "IOU", reading=True)
    ] = CUTOFF
    batch_size: BatchSize = BATCH_SIZE
    permutations: Permutations = 100
    seed: Seed = 0
    positions: Positions = PLACING
    strict: Annotated[bool, Option("Stop at damaged files instead of skipping them.")] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        spelled = one_spelling(check_quantile(self.quantile))
        object.__setattr__(self, "quantile", spelled if spelled < 1 else float(self.quantile))
        self.settings()
        at_least("batch_size", self.batch_size, 1)
        at_least("permutations", self.permutations, 0)
        at_least("seed", self.seed, 0)

    def settings(self) -> Settings:
        """How labels and detectors are read."""
        return Settings(self.min_images, self.cutoff)
