"""What is asked of the paper's study, and what each network is asked in turn; what is asked of totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from interpret_core.analyses.ablation.request import AblateRequest
from interpret_core.analyses.agreement.request import AgreementRequest
from interpret_core.analyses.profile.request import MIN_IMAGES, ProfileRequest
from interpret_core.analyses.relevance.request import IMAGES, Images, RelevanceRequest
from interpret_core.errors import ParameterError
from interpret_core.options import (
    ALL,
    BATCH_SIZE,
    BatchSize,
    Data,
    Names,
    Option,
    Permutations,
    Request,
)
from interpret_core.reproduction.statements import PROVIDER, statements

PERMUTATIONS = 100  # of the chance level of a profile
NETWORKS = tuple(f"{PROVIDER}{name}" for name in statements().titles)


@dataclass(frozen=True)
class StudyRequest(Request):
    """The study: networks, classes, and options that the paper leaves open.

    Attributes:
        dataset: a name or a folder.
        networks: names; `alexnet` is short for `torchvision/alexnet`.
        classes: whose relevance is computed; None for the house's ten, as far as the data set has them.
        ablated: whose units are silenced; None for the paper's two, as far as they can be.
        images: per class, at most, that relevance is computed on.
        min_images: concepts in fewer images get no label.
        batch_size: images per forward pass.
        permutations: of the profiles' chance level; 0 leaves it out.
    """

    analysis: ClassVar[str] = "study"  # of no registry: it is made of analyses

    dataset: Data
    networks: Annotated[
        tuple[str, ...], Option("Separated by commas; alexnet is short for torchvision/alexnet.", "NAMES")
    ] = NETWORKS
    classes: Annotated[
        Names | None,
        Option("Separated by commas, or all.", "NAMES", shown="ten of ours, as far as they are there"),
    ] = None
    ablated: Annotated[
        Names | None,
        Option("Whose units are silenced.", "NAMES", shown=f"the paper's: {', '.join(statements().ablated)}"),
    ] = None
    images: Images = IMAGES
    min_images: Annotated[int, Option("Leave out concepts in fewer images.", "COUNT")] = MIN_IMAGES
    batch_size: BatchSize = BATCH_SIZE
    permutations: Permutations = PERMUTATIONS

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.networks or ALL in self.networks:
            raise ParameterError(
                f"--networks is {','.join(self.networks)!r}, but expected names separated by commas, such as "
                "alexnet,vgg11,resnet18."
            )
        self.profile("x")  # each checks its options
        self.relevance("x", ALL)

    def profile(self, network: str) -> ProfileRequest:
        """Every layer's units and labels (Fig. 2)."""
        return ProfileRequest(
            network,
            self.dataset,
            min_images=self.min_images,
            batch_size=self.batch_size,
            permutations=self.permutations,
        )

    def relevance(self, network: str, classes: Names) -> RelevanceRequest:
        """Every layer's relevance for the classes (Fig. 4)."""
        return RelevanceRequest(network, self.dataset, classes, images=self.images)

    def agreement(self, network: str, classes: Names) -> AgreementRequest:
        """Both compared (Table I)."""
        return AgreementRequest(
            (network,), self.dataset, classes=classes, images=self.images, batch_size=self.batch_size
        )

    def ablate(self, network: str, classes: Names) -> AblateRequest:
        """What silencing the units of some classes costs (Figs. 5 and 6)."""
        return AblateRequest(network, self.dataset, classes, images=self.images)


@dataclass(frozen=True)
class TotalsRequest(Request):
    """A data set's pixel totals beside published ones.

    Attributes:
        dataset: a name or a folder.
        published: a CSV with the columns concept and pixels, and category if it has one.
        partial: the file lists some concepts only; others are not missed.
    """

    analysis: ClassVar[str] = "totals"

    dataset: Data
    published: Annotated[str, Option("CSV with the columns concept and pixels, best also category.", "FILE")]
    partial: Annotated[bool, Option("The file lists some concepts only: do not miss the others.")] = False
