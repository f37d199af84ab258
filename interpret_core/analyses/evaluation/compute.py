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
from interpret_core.datasets import Batch, Loader
from interpret_core.errors import DatasetError, NonFiniteError
from interpret_core.measures.ablation.evaluation import Evaluation, evaluate
from interpret_core.networks import Network
from interpret_core.runtime.execution import Execution
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
        execution: device, progress and cancellation; its shards do not matter here.

    Raises:
        UserError: unknown names, neither classes.csv nor objects, no class that the network knows, no image
            in the split.
        NonFiniteError: NaN or infinity in an output.
        Cancelled: the user stopped it; nothing is kept.
    """
    execution = execution or Execution()
    start = time.perf_counter()
    reporter = execution.reporter()
    dataset = datasets.open_dataset(request.dataset)
    reporter.tell("reading the data set's digest", 0, 0)
    dataset.compute_digest(cancelled=execution.cancelled)
    subject = identify(request.network, store, execution.device)
    plan = EvaluationPlan(request, dataset, subject, planned(dataset, subject.spec, store, reporter))
    record = store.get(plan.key())
    computed = record is None
    if record is None:
        # What was loaded decides, whatever was known of the name before.
        subject = loaded(subject, store)
        subject.required.require_classes()
        plan = EvaluationPlan(request, dataset, subject, planned(dataset, subject.spec, store, reporter))
        record = store.compute(plan.key(), _EvaluationRun(plan, reporter).record, execution.cancelled)
    return evaluated(request, record, computed, time.perf_counter() - start)


class _EvaluationRun:
    """One evaluation."""

    def __init__(self, plan: EvaluationPlan, reporter: Reporter) -> None:
        self.plan, self.request, self.dataset = plan, plan.request, plan.dataset
        self.network, self.reporter = plan.subject.required, reporter
        self.classes = plan.classes

    def record(self) -> Record:
        """The counts, from a pass over the images, and what they are about."""
        images = self.plan.images()
        found, skipped = self._counted(self.network, images)
        if len(skipped) == len(images):
            raise DatasetError(
                f"None of the {len(images)} images of {self.dataset.root} can be read, expected at least "
                f"one. The first: {skipped[0][1]}"
            )
        return Record(_arrays(found), self._metadata(self.network, len(images), skipped))

    def _counted(
        self, network: Network, images: NDArray[np.int64]
    ) -> tuple[Evaluation, list[tuple[str, str]]]:
        """The counts over all images that can be read, and the others with the reason."""
        size = self.request.batch_size
        batches = [images[start : start + size].tolist() for start in range(0, len(images), size)]
        self.reporter.total = len(images)
        outputs = [one.outputs for one in self.classes]
        nothing = np.zeros((0, len(network.class_names)), np.float32)
        found = evaluate(nothing, np.zeros(0, np.int64), outputs, network.head)
        skipped: list[tuple[str, str]] = []
        for batch in Loader(self.dataset).batches(batches):
            given = self._outputs(network, batch)[batch.valid]
            labels = self.plan.labels()[batch.indices[batch.valid]]
            found += evaluate(given, labels, outputs, network.head)
            skipped += [
                (self.dataset.records[int(index)].image, problem)
                for index, problem in zip(batch.indices, batch.problems, strict=True)
                if problem
            ]
            self.reporter.advance("evaluating", len(batch.indices))
        return found, skipped

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
