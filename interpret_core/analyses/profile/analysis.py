"""Profile, as the registry knows it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from interpret_core import datasets
from interpret_core.analyses.base import Analysis, Plan
from interpret_core.analyses.profile import report, table
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.outcome import Outcome, Profiled
from interpret_core.analyses.profile.plan import find_profiles, layer_keys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.summary import summarise
from interpret_core.errors import DatasetError
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from interpret_core.tables import Row, Table

# Before a layer's name, where its chance level or its assessment is meant.
CHANCE, ASSESSMENT = "chance of ", "assessment of "


class ProfileAnalysis(Analysis[ProfileRequest, Profiled]):
    """What each unit detects."""

    def plan(self, request: ProfileRequest, store: Store) -> Plan:
        """Per layer a record, its chance level and its assessment, beside the data set's survey."""
        keys = layer_keys(request, store)
        parts = {"survey": keys.survey, **keys.profile}
        parts |= {f"{CHANCE}{layer}": key for layer, key in keys.chance.items()}
        parts |= {f"{ASSESSMENT}{layer}": key for layer, key in keys.assessment.items()}
        missing = tuple(name for name, key in parts.items() if not store.has(key))
        images = len(datasets.open_dataset(request.dataset))
        return Plan(parts, missing, keys.cost(request, images, store))

    def run(self, request: ProfileRequest, store: Store, execution: Execution) -> Profiled:
        """Compute what is missing, layer by layer, in passes that all layers share."""
        start = time.perf_counter()
        outcome = run_profile(request, store, execution)
        found = _profiled(request, outcome, store)
        lost = [
            layer for layer in outcome.layers if layer not in {one.profile.layer for one in found.summaries}
        ]
        if lost:
            raise DatasetError(
                f"The stored profile of {lost[0]} was damaged and is deleted; run the same command again."
            )
        return Profiled(request, outcome, found.summaries, time.perf_counter() - start)

    def find(self, request: ProfileRequest, store: Store) -> Profiled | None:
        """Every layer's profile, chance level and assessment, if all are there."""
        keys = layer_keys(request, store)
        if keys.missing(store):
            return None
        found = _profiled(request, Outcome(keys, keys.layers, 0, {}), store)
        return found if len(found.summaries) == len(keys.layers) else None

    def columns(self, found: Profiled) -> Sequence[str]:
        """As in the table of units and labels."""
        return table.COLUMNS

    def rows(self, found: Profiled) -> Iterator[Row]:
        """Layer by layer, unit by unit, the best labels."""
        return (row for summary in found.summaries for row in table.rows(summary))

    def description(self, found: Profiled) -> Row:
        """What was profiled, how, and what each layer shows."""
        return report.description(found)

    def report(self, found: Profiled, verbose: bool) -> Iterator[str | Table]:
        """Evidence, images, what was left out, and a table of layers."""
        return report.report(found, verbose)

    def shipped(self, network: str, dataset: str) -> Sequence[ProfileRequest]:
        """The default request."""
        return (ProfileRequest(network, dataset),)


def _profiled(request: ProfileRequest, outcome: Outcome, store: Store) -> Profiled:
    found = find_profiles(outcome.keys, store).values()
    settings = request.settings()
    summaries = tuple(summarise(layer.profile, layer.chance, settings, layer.assessment) for layer in found)
    return Profiled(request, outcome, summaries)
