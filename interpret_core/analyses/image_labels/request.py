"""What labels of whole images are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from interpret_core.options import (
    ALL,
    BATCH_SIZE,
    BatchSize,
    Data,
    Layers,
    Names,
    Network,
    Option,
    Permutations,
    Request,
    Seed,
    at_least,
)


@dataclass(frozen=True)
class ImageLabelsRequest(Request):
    """The label of whole images that each unit of some layers tells best.

    Attributes:
        network, dataset: names (or, from the command line, a factory and a folder).
        layers: short names, or ALL; those without masks have labels too.
        columns: of labels, see `classes.image_labels`; by default all that there are.
        permutations, seed: of the chance level; 0 permutations leave it out.
        batch_size: images per forward pass; another one may change a response in its last bit.
    """

    analysis: ClassVar[str] = "image-labels"

    network: Network
    dataset: Data
    layers: Layers = ALL
    columns: Annotated[
        Names, Option("Columns of classes.csv, folder, or image-wide categories, or all.", "NAMES")
    ] = ALL
    permutations: Permutations = 100
    seed: Seed = 0
    batch_size: BatchSize = BATCH_SIZE

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("permutations", self.permutations, 0)
        at_least("seed", self.seed, 0)
        at_least("batch_size", self.batch_size, 1)
