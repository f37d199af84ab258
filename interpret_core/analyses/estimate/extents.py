"""How much there is to compute: images, concepts, images of classes, and who shares them."""

from __future__ import annotations

from dataclasses import dataclass

from interpret_core.analyses.estimate.request import EstimateRequest
from interpret_core.classes.known import ClassPlan
from interpret_core.datasets import Dataset


@dataclass(frozen=True)
class Extent:
    """What analyses are asked about.

    Attributes:
        images: N.
        concepts: C, in the default categories.
        share: N to the images of the data set that is there.
        workers: processes that share the images, at least 1.
        cores: that they have in this machine.
    """

    images: int
    concepts: int
    share: float
    workers: int
    cores: int

    @classmethod
    def of(cls, request: EstimateRequest, dataset: Dataset, cores: int) -> Extent:
        """As asked, or as the data set is."""
        images = request.images or len(dataset)
        concepts = request.concepts or (len(dataset.concepts()) if dataset.annotated else 0)
        share = images / max(len(dataset), 1)
        return cls(images, concepts, share, request.workers or 1, cores)

    @staticmethod
    def class_images(plan: ClassPlan, split: str, times: float, most: int | None = None) -> dict[str, int]:
        """Images of each class in a split of a data set so many times as large, at most so many."""
        found = {one.name: len(one.of(split)) for one in plan.classes}
        scaled = {name: max(1, round(count * times)) for name, count in found.items() if count}
        return {name: min(count, most or count) for name, count in scaled.items()}
