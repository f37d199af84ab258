"""Labels of whole images, as the registry knows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interpret_core import datasets
from interpret_core.analyses.base import Analysis, Plan
from interpret_core.analyses.image_labels import report, result
from interpret_core.analyses.image_labels.compute import run_image_labels
from interpret_core.analyses.image_labels.plan import cost, find_labels, keys_by_name
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.analyses.image_labels.result import UnitsByImageLabel
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from interpret_core.tables import Row, Table


class ImageLabelsAnalysis(Analysis[ImageLabelsRequest, UnitsByImageLabel]):
    """Which labels of whole images units tell."""

    def plan(self, request: ImageLabelsRequest, store: Store) -> Plan:
        """A record per layer."""
        keys = keys_by_name(request, store)
        images = len(datasets.open_dataset(request.dataset))
        return Plan(dict(keys.labels), keys.missing(store), cost(keys, images, store))

    def run(self, request: ImageLabelsRequest, store: Store, execution: Execution) -> UnitsByImageLabel:
        """Label the units, or read what was found."""
        return run_image_labels(request, store, execution)

    def find(self, request: ImageLabelsRequest, store: Store) -> UnitsByImageLabel | None:
        """The labels of all layers, if they are there."""
        return find_labels(request, store, keys_by_name(request, store))

    def columns(self, found: UnitsByImageLabel) -> Sequence[str]:
        """As in the result's table."""
        return result.COLUMNS

    def rows(self, found: UnitsByImageLabel) -> Iterator[Row]:
        """A row per unit, with its best label."""
        return found.rows()

    def description(self, found: UnitsByImageLabel) -> Row:
        """Images, labels and what was left out."""
        return found.description()

    def report(self, found: UnitsByImageLabel, verbose: bool) -> Iterator[str | Table]:
        """Facts, and the units that tell a label best."""
        return report.report(found, verbose)
