"""What an estimate is about: network and data set, and which images show which class."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from interpret_core import datasets
from interpret_core.analyses.estimate.extents import Extent
from interpret_core.analyses.estimate.request import EstimateRequest
from interpret_core.classes.known import ClassPlan, NeedsSurvey, class_plan
from interpret_core.datasets import Dataset
from interpret_core.networks import Network
from interpret_core.runtime.evaluated import EvaluatedImages, evaluated_images
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.subjects import Subject
from interpret_core.runtime.survey import known_survey, surveyed
from interpret_core.store.store import Store

SEEN = 64  # images whose annotations are read where no survey says which of them show what


@dataclass(frozen=True, eq=False)
class Classed:
    """Which images show which class.

    Attributes:
        plan: the classes.
        dataset: whose images they are: the data set, or some images of it.
        share: images of the data set to those.
    """

    plan: ClassPlan
    dataset: Dataset
    share: float

    @property
    def sampled(self) -> bool:
        """Whether only some images were looked at, so that there may be more classes."""
        return self.share > 1


@dataclass(frozen=True, eq=False)
class Situation:
    """Network, data set, store.

    Attributes:
        request, store, execution: as asked.
        subject, dataset: found.
        extent: how much there is to compute.
    """

    request: EstimateRequest
    store: Store
    execution: Execution
    subject: Subject
    dataset: Dataset
    extent: Extent

    @property
    def network(self) -> Network:
        """The network, loaded."""
        return self.subject.required

    @property
    def digests(self) -> tuple[str, str]:
        """Of network and data set."""
        return self.network.digest, self.dataset.digest

    @cached_property
    def classed(self) -> Classed:
        """The classes; where a survey would have to tell them and is not there, as some images show them.

        Raises:
            UserError: the network knows no class.
        """
        self.network.require_classes()
        try:
            plan = class_plan(self.dataset, self.network.spec, known_survey(self.dataset, self.store))
        except NeedsSurvey:
            return self._looked_at()
        return Classed(plan, self.dataset, 1.0)

    def _looked_at(self) -> Classed:
        count = len(self.dataset)
        images = np.unique(np.linspace(0, count - 1, min(SEEN, count)).round().astype(int)).tolist()
        with (
            datasets.excerpt(self.dataset, images) as name,
            tempfile.TemporaryDirectory(prefix="unitscope-sample-") as folder,
            Store(folder) as store,
        ):
            some = datasets.open_dataset(name)
            survey = surveyed(some, store, self.execution.reporter())[1]
        return Classed(class_plan(some, self.network.spec, survey), some, count / len(images))

    def class_images(self, split: str, most: int | None = None) -> dict[str, int]:
        """Images of each class, at most so many, in the data set that is asked about."""
        times = self.classed.share * self.extent.share
        return self.extent.class_images(self.classed.plan, split, times, most)

    def evaluated(self, split: str) -> EvaluatedImages:
        """The images that are there to be evaluated.

        Raises:
            DatasetError: there is none.
        """
        classed = self.classed
        return evaluated_images(self.network, classed.dataset, self.store, classed.plan, split)
