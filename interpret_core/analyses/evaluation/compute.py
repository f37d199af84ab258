"""How often an intact network is right on the images of a data set's classes; counted once and kept."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core import datasets
from interpret_core.analyses.survey.compute import planned
from interpret_core.classes.known import ClassPlan
from interpret_core.datasets import Batch, Dataset
from interpret_core.datasets.classes import ALL, SPLITS, VAL
from interpret_core.errors import DamagedFileError, DatasetError, NonFiniteError, ParameterError
from interpret_core.measures.ablation.evaluation import Evaluation, evaluate
from interpret_core.networks import Network, NetworkSpec
from interpret_core.options import BATCH_SIZE
from interpret_core.runtime.execution import Execution, Reporter
from interpret_core.runtime.subjects import Subject, identify, loaded
from interpret_core.store.records import Record, canonical_json
from interpret_core.store.schema import SCHEMA
from interpret_core.store.store import Store


@dataclass(frozen=True)
class EvaluationRequest:
    """The accuracy of a network on a data set.

    Attributes:
        network, dataset: names (or, from the command line, a factory and a folder).
        split: "val" for the images that rank no unit, "train" for those that do, or "all".
        batch_size: images per forward pass; another one may change an output in its last bit.
    """

    network: str
    dataset: str
    split: str = VAL
    batch_size: int = BATCH_SIZE

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ParameterError(f"split is {self.split!r}, but expected one of {', '.join(SPLITS)}.")
        if not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise ParameterError(
                f"batch_size is {self.batch_size!r}, but expected a whole number of at least 1."
            )


@dataclass(frozen=True)
class Evaluated:
    """An evaluation and where it comes from.

    Attributes:
        evaluation: counts by class, in the order of `classes`.
        metadata: network (name, title, digest, evidence, note, outputs), dataset (name, digest), split,
            batch_size, classes (names), images (evaluated), skipped [[image, reason]],
            left_out [[class, reason]], source (of the images of a class), matches [[class, how, numbers of
            its outputs, their names]], few (classes with so few images that either split has all of them).
        computed: False where the answer was on disk.
        seconds: wall-clock seconds of this call.
    """

    evaluation: Evaluation
    metadata: dict[str, Any]
    computed: bool
    seconds: float

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that were evaluated, in alphabetical order."""
        return tuple(self.metadata["classes"])


def run_evaluation(request: EvaluationRequest, store: Store, execution: Execution | None = None) -> Evaluated:
    """Evaluate an intact network, or read the answer where it was evaluated before.

    Args:
        request: what to evaluate.
        store: where the answer is kept.
        execution: device, progress and cancellation; its shards do not matter here.

    Raises:
        UserError: unknown names, neither classes.csv nor objects, no class that the network knows, no image
            in the split.
        NonFiniteError: NaN or infinity in an output.
        Cancelled: the user stopped it; nothing is kept.
    """
    execution = execution or Execution()
    start = time.perf_counter()
    run = _Run(request, store, execution)
    record = store.get(run.key())
    computed = record is None
    if record is None:
        run.load()
        record = store.compute(run.key(), run.record, execution.cancelled)
    evaluation = Evaluation(
        record.arrays["confusion"], record.arrays.get("in_top"), record.arrays["probability_sum"]
    )
    # The same content may bear another name today.
    renamed = {
        part: {**record.metadata[part], "name": getattr(request, part)} for part in ("network", "dataset")
    }
    return Evaluated(evaluation, {**record.metadata, **renamed}, computed, time.perf_counter() - start)


class _Run:
    """One evaluation: everything that its key needs is known before the network sees any image."""

    def __init__(self, request: EvaluationRequest, store: Store, execution: Execution) -> None:
        self.request, self.execution = request, execution
        self.reporter = Reporter(execution.tell, execution.cancelled)
        self.store = store
        self.dataset: Dataset = datasets.open_dataset(request.dataset)
        self.reporter.tell("reading the data set's digest", 0, 0)
        self.digest = self.dataset.compute_digest(cancelled=execution.cancelled)
        self._take(identify(request.network, store, execution.device))

    def load(self) -> None:
        """Build the network: what was loaded decides, whatever was known of its name before."""
        self._take(loaded(self.subject, self.store))
        self.subject.required.require_classes()

    def _take(self, subject: Subject) -> None:
        self.subject = subject
        self.spec: NetworkSpec = subject.spec
        self.plan: ClassPlan = planned(self.dataset, self.spec, self.store, self.reporter)
        self.classes = self.plan.chosen(ALL)

    def key(self) -> str:
        """Holds what changes the answer: also which outputs and which images are a class."""
        content = {
            "schema": SCHEMA,
            "network": self.subject.digest,
            "dataset": self.digest,
            "split": self.request.split,
            "batch_size": self.request.batch_size,
            "classes": self._classes() | {"images": [one.images.tolist() for one in self.classes]},
        }
        return f"evaluation/{hashlib.sha256(canonical_json(content).encode()).hexdigest()[:40]}"

    def record(self) -> Record:
        """The counts, from a pass over the images, and what they are about."""
        images = self._images()
        network = self.subject.required
        found, skipped = self._counted(network, images)
        if len(skipped) == len(images):
            raise DatasetError(
                f"None of the {len(images)} images of {self.dataset.root} can be read, expected at least "
                f"one. The first: {skipped[0][1]}"
            )
        return Record(_arrays(found), self._metadata(network, len(images), skipped))

    def _counted(
        self, network: Network, images: NDArray[np.int64]
    ) -> tuple[Evaluation, list[tuple[str, str]]]:
        """The counts over all images that can be read, and the others with the reason."""
        size = self.request.batch_size
        batches = [images[start : start + size].tolist() for start in range(0, len(images), size)]
        self.reporter.total = len(images)
        outputs = [one.outputs for one in self.classes]
        nothing = np.zeros((0, len(self.spec.class_names)), np.float32)
        found = evaluate(nothing, np.zeros(0, np.int64), outputs, network.head)
        skipped: list[tuple[str, str]] = []
        for batch in datasets.prefetch(self.dataset, batches):
            given = self._outputs(network, batch)[batch.valid]
            labels = self._labels()[batch.indices[batch.valid]]
            found += evaluate(given, labels, outputs, network.head)
            skipped += [self._problem(int(index)) for index in batch.indices[~batch.valid]]
            self.reporter.advance("evaluating", len(batch.indices))
        return found, skipped

    def _labels(self) -> NDArray[np.int64]:
        """(N,) class of each image in the split, −1 for the others."""
        labels = np.full(len(self.dataset), -1)
        for number, one in enumerate(self.classes):
            labels[one.of(self.request.split)] = number
        return labels

    def _images(self) -> NDArray[np.int64]:
        """Indices of the images to evaluate, ascending."""
        images = np.flatnonzero(self._labels() >= 0)
        if len(images) == 0:
            raise DatasetError(
                f"Data set {self.dataset.name} has no image in split {self.request.split!r} of a class that "
                f"{self.request.network} knows, expected at least one: choose another split, or all."
            )
        return images

    def _outputs(self, network: Network, batch: Batch) -> NDArray[np.float32]:
        """(n, K) outputs of the intact network, those of damaged images included."""
        with network.ablating({}) as intact:
            found: NDArray[np.float32] = intact(network.batch(batch.images)).detach().float().cpu().numpy()
        odd = batch.valid & ~np.isfinite(found).all(1)
        if odd.any():
            name = self.dataset.records[int(batch.indices[np.flatnonzero(odd)[0]])].image
            raise NonFiniteError(
                f"The output of {self.request.network} is NaN or infinite on image {name}; expected finite "
                "numbers. Check the weights."
            )
        return found

    def _problem(self, index: int) -> tuple[str, str]:
        """A damaged image and why; it is read once more, since the reader only says which."""
        name = self.dataset.records[index].image
        try:
            self.dataset.read_image(index)
        except DamagedFileError as error:
            return name, self.dataset.told(error)
        return name, "could not be read a moment ago"

    def _metadata(self, network: Network, images: int, skipped: Sequence[tuple[str, str]]) -> dict[str, Any]:
        spec = self.spec
        return {
            "split": self.request.split,
            "batch_size": self.request.batch_size,
            "network": {
                "name": spec.name,
                "title": spec.title,
                "digest": network.digest,
                "evidence": network.evidence,
                "note": network.note,
                "head": network.head.kind,
                "outputs": len(spec.class_names),
            },
            "dataset": {"name": self.dataset.name, "digest": self.dataset.digest},
            **self._classes(),
            "images": images - len(skipped),
            "skipped": list(skipped),
        }

    def _classes(self) -> dict[str, Any]:
        """What was taken for which class, and what was left out."""
        return {
            "classes": [one.name for one in self.classes],
            "source": self.plan.source,
            "matches": [
                [one.name, self.plan.how[one.name], list(one.outputs), list(one.output_names)]
                for one in self.classes
            ],
            "few": [one.name for one in self.classes if one.few],
            "left_out": [list(one) for one in self.plan.left_out],
        }


def _arrays(found: Evaluation) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "confusion": found.confusion,
        "probability_sum": found.probability_sum,
    }
    return arrays if found.in_top is None else arrays | {"in_top": found.in_top}
