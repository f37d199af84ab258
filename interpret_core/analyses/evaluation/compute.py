"""How often an intact network is right on the images of a data set's classes; counted once and kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core import datasets
from interpret_core.analyses.evaluation.plan import EvaluationPlan
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.analyses.evaluation.result import Evaluated, evaluated
from interpret_core.analyses.evaluation.work import AskedImages
from interpret_core.errors import DatasetError
from interpret_core.measures.ablation.evaluation import Evaluation, evaluate, tally
from interpret_core.networks import Network
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.parts import Parts, record_of
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.subjects import identify, loaded
from interpret_core.runtime.survey import planned
from interpret_core.store.records import Arrays, Record
from interpret_core.store.store import Store


def run_evaluation(request: EvaluationRequest, store: Store, execution: Execution | None = None) -> Evaluated:
    """Evaluate an intact network, or read the answer where it was evaluated before.

    Args:
        request: what to evaluate.
        store: where the answer is kept.
        execution: device, executor, progress and cancellation; its shards do not matter here.

    Raises:
        UserError: unknown names, neither classes.csv nor objects, no class that the network knows, no image
            in the split.
        NonFiniteError: NaN or infinity in an output.
        Cancelled: the user stopped it; finished parts are kept.
    """
    execution = execution or Execution()
    start = time.perf_counter()
    reporter = execution.reporter()
    dataset = datasets.open_dataset(request.dataset)
    reporter.tell("reading the data set's digest", 0, 0)
    dataset.compute_digest(cancelled=execution.cancelled)
    subject = identify(request.network, store, execution.device)
    plan = EvaluationPlan(
        request, dataset, subject, planned(dataset, subject.spec, store, reporter, execution)
    )
    record = store.get(plan.key())
    computed = record is None
    if record is None:
        # What was loaded decides, whatever was known of the name before.
        subject = loaded(subject, store)
        subject.required.require_classes()
        plan = EvaluationPlan(
            request, dataset, subject, planned(dataset, subject.spec, store, reporter, execution)
        )
        record = record_of(store, plan.key(), _EvaluationRun(plan, reporter).record, execution, reporter)
    return evaluated(record, plan.names(store), computed, time.perf_counter() - start)


class _EvaluationRun:
    """One evaluation."""

    def __init__(self, plan: EvaluationPlan, reporter: Reporter) -> None:
        self.plan, self.request, self.dataset = plan, plan.request, plan.dataset
        self.network, self.reporter = plan.subject.required, reporter
        self.outputs = tuple(one.outputs for one in plan.classes)

    def record(self, parts: Parts) -> Record:
        """The counts, from a pass over the images, and what they are about."""
        images = self.plan.images()
        found, skipped = self._counted(parts, images)
        if len(skipped) == len(images):
            raise DatasetError(
                f"None of the {len(images)} images of {self.dataset.root} can be read, expected at least "
                f"one. The first: {skipped[0][1]}"
            )
        return Record(_arrays(found), self._metadata(self.network, len(images), skipped))

    def _counted(self, parts: Parts, images: NDArray[np.int64]) -> tuple[Evaluation, list[tuple[str, str]]]:
        """The counts over all images that can be read, and the others with the reason."""
        self.reporter.total = len(images)
        labels = self.plan.labels()
        asked = AskedImages(
            self.request.network, images, labels[images], self.outputs, self.request.batch_size
        )
        nothing = np.zeros((0, len(self.network.class_names)), np.float32)
        found = evaluate(nothing, np.zeros(0, np.int64), self.outputs, self.network.head)
        skipped: list[tuple[str, str]] = []
        for batch in asked.batches(parts, self.network, self.dataset):
            found += tally(batch.answers, labels[batch.images[batch.valid]], self.outputs)
            skipped += [
                (self.dataset.records[int(index)].image, problem)
                for index, problem in zip(batch.images, batch.problems, strict=True)
                if problem
            ]
        return found, skipped

    def _metadata(self, network: Network, images: int, skipped: Sequence[tuple[str, str]]) -> dict[str, Any]:
        spec = network.spec
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
            **self.plan.told(),
            "images": images - len(skipped),
            "skipped": list(skipped),
        }


def _arrays(found: Evaluation) -> Arrays:
    arrays: Arrays = {
        "confusion": found.confusion,
        "probability_sum": found.probability_sum,
    }
    return arrays if found.in_top is None else arrays | {"in_top": found.in_top}
