"""Ablation, as the registry knows it: the grid of the dashboard's slider, and whatever else is silenced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from interpret_core.analyses.ablation import report, specialised, table
from interpret_core.analyses.ablation.asked import asked_of, layers_in, settings_of
from interpret_core.analyses.ablation.compute import needs_of, planned, run_ablate
from interpret_core.analyses.ablation.grid import (
    Grid,
    find_grid,
    grid_cost,
    grid_keys,
    missing_points,
    run_ablation,
    settings_cost,
    settings_in,
)
from interpret_core.analyses.ablation.plan import AblationPlan, ablation_plan
from interpret_core.analyses.ablation.report import Ablated
from interpret_core.analyses.ablation.request import AblateRequest, AblationRequest, SpecialiseRequest
from interpret_core.analyses.ablation.specialised import Specialised
from interpret_core.analyses.base import Analysis, Plan
from interpret_core.analyses.survey.plan import unread
from interpret_core.analyses.survey.request import SurveyRequest
from interpret_core.classes.known import NeedsSurvey
from interpret_core.measures.ablation.settings import Setting
from interpret_core.options import Request
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.subjects import identify, loaded
from interpret_core.store.store import Store
from interpret_core.tables import Row, Table

NAMELESS = "random controls"  # in place of CONTROLS, which is no name


class GridAnalysis(Analysis[AblationRequest, Grid]):
    """The points of the dashboard's slider: classes × top, bottom × fractions, random controls."""

    def needs(self, request: AblationRequest, store: Store, execution: Execution) -> Sequence[Request]:
        """The survey, where the annotations say which image shows what; the relevance of every class."""
        try:
            plan = planned(request, store, execution)
        except NeedsSurvey:
            return (SurveyRequest(request.dataset),)
        asked = {one.name for one in plan.ranking.class_plan.chosen(request.classes)}
        # Of all that are asked for: those that are there already keep a run from finding no class at all.
        ranking = replace(request.relevance(), classes=request.classes)
        return (ranking,) if asked & set(plan.unranked()) else ()

    def plan(self, request: AblationRequest, store: Store) -> Plan:
        """A record per class, and one of the intact network and the random controls."""
        try:
            plan = _planned(request, store)
        except NeedsSurvey:
            return unread(request.dataset)
        keys = {name or NAMELESS: key for name, key in grid_keys(plan).items()}
        missing = tuple(name or NAMELESS for name in missing_points(plan))
        return Plan(keys, missing, grid_cost(plan))

    def run(self, request: AblationRequest, store: Store, execution: Execution) -> Grid:
        """Class by class; each point is kept until its class is done."""
        return run_ablation(request, store, execution)

    def find(self, request: AblationRequest, store: Store) -> Grid | None:
        """All points, if they are there."""
        try:
            plan = _planned(request, store)
        except NeedsSurvey:
            return None
        return None if missing_points(plan) else find_grid(plan)

    def columns(self, found: Grid) -> Sequence[str]:
        """As in the table of settings and classes."""
        return table.COLUMNS

    def rows(self, found: Grid) -> Iterator[Row]:
        """Setting by setting, class by class."""
        intact = found.answers(Setting())
        if intact is None:
            return
        measured = [
            table.point_of(found.plan, setting, answers)
            for setting in settings_in(found)
            if (answers := found.answers(setting)) is not None
        ]
        yield from table.rows(found.plan, intact, measured)

    def description(self, found: Grid) -> Row:
        """What was silenced, which images ranked and which were evaluated."""
        return report.description_of(found.plan)

    def report(self, found: Grid, verbose: bool) -> Iterator[str | Table]:
        """How many points there are."""
        settings = sum(1 for _ in settings_in(found))
        request = found.plan.request
        yield (
            f"{request.network} on {request.dataset}, split {request.split}: {settings:,} settings on "
            f"{len(found.plan.images):,} images of {len(found.plan.classes):,} classes are in the store"
        )

    def shipped(self, network: str, dataset: str) -> Sequence[AblationRequest]:
        """The default request."""
        return (AblationRequest(network, dataset),)


class AblateAnalysis(Analysis[AblateRequest, Ablated]):
    """What a network can no longer do with units silenced."""

    def needs(self, request: AblateRequest, store: Store, execution: Execution) -> Sequence[Request]:
        """What ranks."""
        return needs_of(request, store, execution)

    def plan(self, request: AblateRequest, store: Store) -> Plan:
        """No record: whatever is evaluated is kept by the units silenced, not by how they were chosen."""
        try:
            plan = _planned(request.planned(), store)
        except NeedsSurvey:
            return unread(request.dataset)
        names = [one.name for one in plan.classes]
        settings = 1 + sum(1 for _ in settings_of(asked_of(request), names))
        return Plan({}, (), settings_cost(plan, settings))

    def run(self, request: AblateRequest, store: Store, execution: Execution) -> Ablated:
        """Setting by setting."""
        return run_ablate(request, store, execution)

    def find(self, request: AblateRequest, store: Store) -> Ablated | None:
        """None: it is asked anew, and quick where its settings are in the store."""
        return None

    def columns(self, found: Ablated) -> Sequence[str]:
        """As in the table of settings and classes."""
        return table.COLUMNS

    def rows(self, found: Ablated) -> Iterator[Row]:
        """Setting by setting, class by class."""
        return report.rows(found)

    def description(self, found: Ablated) -> Row:
        """What was silenced, which images ranked and which were evaluated."""
        return report.description(found)

    def report(self, found: Ablated, verbose: bool) -> Iterator[str | Table]:
        """Facts and what each class loses."""
        return report.report(found, verbose)


class SpecialiseAnalysis(Analysis[SpecialiseRequest, Specialised]):
    """Which units a class does not need."""

    def needs(self, request: SpecialiseRequest, store: Store, execution: Execution) -> Sequence[Request]:
        """The relevance that ranks."""
        try:
            plan = planned(request.planned(), store, execution)
        except NeedsSurvey:
            return (SurveyRequest(request.dataset),)
        name = plan.classes[plan.number(request.of)].name
        missing = name in plan.unranked()
        return (replace(plan.request.relevance(), classes=(name,)),) if missing else ()

    def plan(self, request: SpecialiseRequest, store: Store) -> Plan:
        """No record: whatever is evaluated is kept by the units silenced, not by how they were chosen."""
        try:
            plan = _planned(request.planned(), store)
        except NeedsSurvey:
            return unread(request.dataset)
        return Plan({}, (), settings_cost(plan, len(specialised.REMOVED)))

    def run(self, request: SpecialiseRequest, store: Store, execution: Execution) -> Specialised:
        """Share by share."""
        plan = planned(request.planned(), store, execution)
        return specialised.specialise(request, plan, execution)

    def find(self, request: SpecialiseRequest, store: Store) -> Specialised | None:
        """None: it is asked anew, and quick where its settings are in the store."""
        return None

    def columns(self, found: Specialised) -> Sequence[str]:
        """As in the list of units."""
        return specialised.COLUMNS

    def rows(self, found: Specialised) -> Iterator[Row]:
        """The units that can go, the least relevant of each layer first."""
        request = found.request
        return specialised.units_of(
            found.plan, found.name, layers_in(request.layers), request.value, found.best
        )

    def description(self, found: Specialised) -> Row:
        """What was removed, and the whole curve."""
        return specialised.description(found)

    def report(self, found: Specialised, verbose: bool) -> Iterator[str | Table]:
        """How much can go, and the curve."""
        return specialised.report(found, verbose)


def _planned(request: AblationRequest, store: Store) -> AblationPlan:
    """The plan of a request, on whatever device: nothing is computed."""
    network = loaded(identify(request.network, store, "auto"), store).required
    return ablation_plan(request, store, network)
