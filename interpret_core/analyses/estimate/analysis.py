"""Estimate, as the registry knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interpret_core.analyses.base import Analysis, Cost, Plan
from interpret_core.analyses.estimate import report, result
from interpret_core.analyses.estimate.compute import run_estimate
from interpret_core.analyses.estimate.request import EstimateRequest
from interpret_core.analyses.estimate.result import Estimated
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from interpret_core.tables import Row, Table


class EstimateAnalysis(Analysis[EstimateRequest, Estimated]):
    """What analyses take."""

    def plan(self, request: EstimateRequest, store: Store) -> Plan:
        """No record: paces are kept, and what follows from them depends on what is there."""
        words = f"measures {len(request.chosen())} analyses on a few images"
        return Plan({}, request.chosen(), Cost(words))

    def run(self, request: EstimateRequest, store: Store, execution: Execution) -> Estimated:
        """Measure what was not measured before."""
        return run_estimate(request, store, execution)

    def find(self, request: EstimateRequest, store: Store) -> Estimated | None:
        """Nothing: what is left to compute may be another today."""
        return None

    def columns(self, found: Estimated) -> Sequence[str]:
        """As in the result."""
        return result.COLUMNS

    def rows(self, found: Estimated) -> Iterator[Row]:
        """Per analysis the whole, then its parts."""
        return (row for cost in found.costs for row in cost.rows())

    def description(self, found: Estimated) -> Row:
        """What the figures are of."""
        return report.description(found)

    def report(self, found: Estimated, verbose: bool) -> Iterator[str | Table]:
        """A table of analyses."""
        return report.report(found, verbose)
