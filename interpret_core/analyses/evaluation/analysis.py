"""Evaluation, as the registry knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interpret_core import datasets
from interpret_core.analyses.base import Analysis, Cost, Plan
from interpret_core.analyses.evaluation import report, result
from interpret_core.analyses.evaluation.compute import run_evaluation
from interpret_core.analyses.evaluation.plan import EvaluationPlan
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.analyses.evaluation.result import Evaluated, evaluated
from interpret_core.analyses.survey.plan import unread
from interpret_core.classes.known import NeedsSurvey, class_plan
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.subjects import identify
from interpret_core.runtime.survey import known_survey
from interpret_core.store.store import Store
from interpret_core.tables import Row, Table


class EvaluationAnalysis(Analysis[EvaluationRequest, Evaluated]):
    """How often the intact network is right on images whose classes are known."""

    def plan(self, request: EvaluationRequest, store: Store) -> Plan:
        """One record of all classes."""
        try:
            plan = self._planned(request, store)
        except NeedsSurvey:
            return unread(request.dataset)
        keys = {"all classes": plan.key()}
        missing = tuple(name for name, key in keys.items() if not store.has(key))
        images = len(plan.images())
        return Plan(keys, missing, Cost(f"runs the network over {images:,} images" if missing else ""))

    def run(self, request: EvaluationRequest, store: Store, execution: Execution) -> Evaluated:
        """Evaluate, or read the answer."""
        return run_evaluation(request, store, execution)

    def find(self, request: EvaluationRequest, store: Store) -> Evaluated | None:
        """The answer, if it is there."""
        try:
            plan = self._planned(request, store)
        except NeedsSurvey:
            return None
        record = store.get(plan.key())
        return None if record is None else evaluated(record, plan.names(store), False, 0.0)

    def columns(self, found: Evaluated) -> Sequence[str]:
        """As in the result's table."""
        return result.COLUMNS

    def rows(self, found: Evaluated) -> Iterator[Row]:
        """A row per class, then one for all."""
        return result.rows(found)

    def description(self, found: Evaluated) -> Row:
        """Beside the rows, the confusion matrix."""
        return result.description(found)

    def report(self, found: Evaluated, verbose: bool) -> Iterator[str | Table]:
        """Facts, accuracy by class, the confusion matrix."""
        return report.report(found, verbose)

    def shipped(self, network: str, dataset: str) -> Sequence[EvaluationRequest]:
        """The default request."""
        return (EvaluationRequest(network, dataset),)

    def _planned(self, request: EvaluationRequest, store: Store) -> EvaluationPlan:
        dataset = datasets.open_dataset(request.dataset)
        subject = identify(request.network, store)
        known = class_plan(dataset, subject.spec, known_survey(dataset, store))
        return EvaluationPlan(request, dataset, subject, known)
