"""What an evaluation amounts to: the classes, their images and its key, before the network sees any image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.classes.known import ClassPlan, KnownClass
from interpret_core.datasets import Dataset
from interpret_core.errors import DatasetError
from interpret_core.options import ALL
from interpret_core.runtime.names import NamesNow
from interpret_core.runtime.subjects import Subject
from interpret_core.store.keys import content_key
from interpret_core.store.store import Store


@dataclass(frozen=True, eq=False)
class EvaluationPlan:
    """What a request asks for, in full.

    Attributes:
        request, dataset, subject: as asked; the data set's digest is known.
        known: every class of the data set.
    """

    request: EvaluationRequest
    dataset: Dataset
    subject: Subject
    known: ClassPlan

    @property
    def classes(self) -> tuple[KnownClass, ...]:
        """Those that are evaluated, in alphabetical order."""
        return self.known.chosen(ALL)

    def key(self) -> str:
        """Holds what changes the answer: also which outputs and which images are a class."""
        content = {
            "network": self.subject.digest,
            "dataset": self.dataset.digest,
            "split": self.request.split,
            "batch_size": self.request.batch_size,
            "classes": self.told() | {"images": [one.images.tolist() for one in self.classes]},
        }
        return content_key("evaluation", content)

    def labels(self) -> NDArray[np.int64]:
        """(N,) class of each image in the split, −1 for the others."""
        labels = np.full(len(self.dataset), -1)
        for number, one in enumerate(self.classes):
            labels[one.of(self.request.split)] = number
        return labels

    def images(self) -> NDArray[np.int64]:
        """Indices of the images to evaluate, ascending.

        Raises:
            DatasetError: there is none.
        """
        images = np.flatnonzero(self.labels() >= 0)
        if len(images) == 0:
            raise DatasetError(
                f"Data set {self.dataset.name} has no image in split {self.request.split!r} of a class that "
                f"{self.request.network} knows, expected at least one: choose another split, or all."
            )
        return images

    def names(self, store: Store) -> NamesNow:
        """Of network and data set, for what is told of the answer."""
        asked = self.request.network, self.request.dataset
        return NamesNow.of(asked, self.subject.spec, self.subject.digest, store)

    def told(self) -> dict[str, Any]:
        """What was taken for which class, and what was left out."""
        return {
            "classes": [one.name for one in self.classes],
            "source": self.known.source,
            "matches": [
                [one.name, self.known.how[one.name], list(one.outputs), list(one.output_names)]
                for one in self.classes
            ],
            "few": [one.name for one in self.classes if one.few],
            "left_out": [list(one) for one in self.known.left_out],
        }
