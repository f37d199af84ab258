"""Single units' effects, as the registry knows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interpret_core import demo
from interpret_core.analyses.base import Analysis, Cost, Plan
from interpret_core.analyses.effects import report, result
from interpret_core.analyses.effects.compute import run_effects
from interpret_core.analyses.effects.plan import cost, effects_key, find_effects, planned_images
from interpret_core.analyses.effects.request import EffectsRequest
from interpret_core.analyses.effects.result import Effects
from interpret_core.analyses.survey.plan import unread
from interpret_core.classes.known import NeedsSurvey
from interpret_core.runtime.evaluated import EvaluatedImages
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.subjects import identify, loaded
from interpret_core.store.store import Store
from interpret_core.tables import Row, Table

SHIPPED = f"{demo.PREFIX}alexnet"  # those of all three networks would not fit into 20 MB


class EffectsAnalysis(Analysis[EffectsRequest, Effects]):
    """What each single unit does for each class."""

    def plan(self, request: EffectsRequest, store: Store) -> Plan:
        """One record of all units."""
        try:
            images = _images(request, store)
        except NeedsSurvey:
            return unread(request.dataset)
        keys = {"all units": effects_key(images)}
        missing = tuple(name for name, key in keys.items() if not store.has(key))
        return Plan(keys, missing, cost(images) if missing else Cost(""))

    def run(self, request: EffectsRequest, store: Store, execution: Execution) -> Effects:
        """Estimate all units, measure the strongest."""
        return run_effects(request, store, execution)

    def find(self, request: EffectsRequest, store: Store) -> Effects | None:
        """The effects, if they are there."""
        try:
            return find_effects(_images(request, store))
        except NeedsSurvey:
            return None

    def columns(self, found: Effects) -> Sequence[str]:
        """As in the table of units and classes."""
        return result.COLUMNS

    def rows(self, found: Effects) -> Iterator[Row]:
        """Unit by unit, class by class."""
        return result.rows(found)

    def description(self, found: Effects) -> Row:
        """What was measured, on which images."""
        return report.description(found)

    def report(self, found: Effects, verbose: bool) -> Iterator[str | Table]:
        """How many units work in two directions, and the strongest of all."""
        return report.report(found, verbose)

    def shipped(self, network: str, dataset: str) -> Sequence[EffectsRequest]:
        """The default request of one network."""
        return (EffectsRequest(network, dataset),) if network == SHIPPED else ()


def _images(request: EffectsRequest, store: Store) -> EvaluatedImages:
    return planned_images(request, store, loaded(identify(request.network, store), store).required)
