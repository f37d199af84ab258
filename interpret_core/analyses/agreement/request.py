"""What an agreement is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from interpret_core.analyses.profile.request import QUANTILE, ProfileRequest, Quantile
from interpret_core.analyses.relevance.request import (
    IMAGES,
    MOST_POINTS,
    POINTS,
    TOLERANCE,
    BaselineName,
    Images,
    MethodName,
    MostPoints,
    OutputName,
    Points,
    RankingSplit,
    RelevanceRequest,
    Tolerance,
)
from interpret_core.errors import ParameterError
from interpret_core.options import (
    AGREEMENT_PERMUTATIONS,
    ALL,
    BATCH_SIZE,
    PLACING,
    TOP_SHARE,
    Baseline,
    BatchSize,
    Classes,
    Data,
    Layers,
    Method,
    Option,
    Output,
    Permutations,
    Positions,
    Request,
    Seed,
    Split,
    at_least,
    fields_of,
)

NETWORKS = "Known names, or package.module:factory[@weights.safetensors]; several by commas, or repeated."


@dataclass(frozen=True)
class AgreementSettings:
    """How agreement is read off IoU and relevance.

    Attributes:
        top: share of a layer's units to mark, above 0 and at most 1.
        permutations: of the network's p-value; 0 leaves it out.
        seed: of the permutations.
    """

    top: float = TOP_SHARE
    permutations: int = AGREEMENT_PERMUTATIONS
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.top <= 1:
            raise ParameterError(f"top is {self.top!r}, but expected a share above 0 and at most 1.")
        at_least("permutations", self.permutations, 0)
        at_least("seed", self.seed, 0)


@dataclass(frozen=True)
class AgreementRequest(Request):
    """Whether the units that overlap a class's object most matter most for it, network by network.

    Attributes:
        networks, dataset: names (or, from the command line, factories and a folder).
        top, permutations, seed: as in `AgreementSettings`.
        untrained: compare with the untrained controls, and compute what they need.
        layers, quantile, batch_size: of the profiles; positions: of both.
        classes, method, baseline, output, split, images, points, most_points, tolerance: of the relevances.
    """

    analysis: ClassVar[str] = "agreement"

    networks: Annotated[tuple[str, ...], Option(NETWORKS, "NAMES", flags=("--network",), repeated=True)]
    dataset: Data
    top: Annotated[float, Option("Share of a layer's units to mark.", "SHARE")] = TOP_SHARE
    untrained: Annotated[bool, Option("Compare with the untrained controls, and compute what they need.")] = (
        False
    )
    classes: Classes = ALL
    layers: Layers = ALL
    quantile: Quantile = QUANTILE
    batch_size: BatchSize = BATCH_SIZE
    method: MethodName = Method.LAYER_IG
    baseline: BaselineName = Baseline.BLACK
    output: OutputName = Output.PROBABILITY
    split: RankingSplit = Split.TRAIN
    images: Images = IMAGES
    points: Points = POINTS
    most_points: MostPoints = MOST_POINTS
    tolerance: Tolerance = TOLERANCE
    positions: Positions = PLACING
    permutations: Permutations = AGREEMENT_PERMUTATIONS
    seed: Seed = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.networks:
            raise ParameterError("No network is named, but expected --network with one name or more.")
        self.settings()
        for name in self.networks:
            self.profile(name)
            self.relevance(name)

    def settings(self) -> AgreementSettings:
        """How agreement is read."""
        return AgreementSettings(self.top, self.permutations, self.seed)

    def profile(self, network: str) -> ProfileRequest:
        """The profile of one network."""
        return ProfileRequest(
            network,
            self.dataset,
            self.layers,
            self.quantile,
            batch_size=self.batch_size,
            permutations=0,
            positions=self.positions,
        )

    def relevance(self, network: str) -> RelevanceRequest:
        """The relevances of one network."""
        names = {one.name for one in fields_of(RelevanceRequest)} - {"network"}
        return RelevanceRequest(network, **{name: getattr(self, name) for name in names})

    def of(self, *networks: str) -> AgreementRequest:
        """The same of other networks."""
        return replace(self, networks=networks)
