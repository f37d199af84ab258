"""Relevance, as the registry knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interpret_core.analyses.base import BoundedAnalysis, Plan
from interpret_core.analyses.relevance import report, table
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.outcome import Related
from interpret_core.analyses.relevance.plan import plan
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.analyses.relevance.within import run_within
from interpret_core.analyses.survey.plan import unread
from interpret_core.classes.known import NeedsSurvey
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from interpret_core.tables import Row, Table


class RelevanceAnalysis(BoundedAnalysis[RelevanceRequest, Related]):
    """Which classes each unit matters for."""

    def plan(self, request: RelevanceRequest, store: Store) -> Plan:
        """A record per class; the survey before them, where the annotations say which image shows what."""
        try:
            planned = plan(request, store)
        except NeedsSurvey:
            return unread(request.dataset)
        return Plan(planned.keys, planned.missing(store), planned.cost(store), planned.left_out(store))

    def run(self, request: RelevanceRequest, store: Store, execution: Execution) -> Related:
        """Class by class, a few images at a time, each part kept until its class is done."""
        return run_relevance(request, store, execution)

    def within(
        self, request: RelevanceRequest, store: Store, execution: Execution, seconds: float
    ) -> Related:
        """A first look at every class, those with most images first; then finer paths."""
        return run_within(request, store, execution, seconds)

    def find(self, request: RelevanceRequest, store: Store) -> Related | None:
        """Every class that can be computed, if all are there."""
        try:
            planned = plan(request, store)
        except NeedsSurvey:
            return None
        if planned.missing(store):
            return None
        found = planned.find(store)
        return Related(planned, found, (), planned.left_out(store), 0.0) if found else None

    def columns(self, found: Related) -> Sequence[str]:
        """As in the table of units and classes."""
        return table.COLUMNS

    def rows(self, found: Related) -> Iterator[Row]:
        """Class by class, layer by layer, unit by unit."""
        return table.rows(found.classes.values())

    def description(self, found: Related) -> Row:
        """What was computed, how, and on which images of which classes."""
        return report.description(found)

    def report(self, found: Related, verbose: bool) -> Iterator[str | Table]:
        """Facts, completeness, classes, relevance mass."""
        return report.report(found, verbose)

    def shipped(self, network: str, dataset: str) -> Sequence[RelevanceRequest]:
        """The default request."""
        return (RelevanceRequest(network, dataset),)
