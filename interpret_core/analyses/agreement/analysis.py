"""Agreement, as the registry knows it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from interpret_core import datasets, networks
from interpret_core.analyses.agreement import report, result
from interpret_core.analyses.agreement.compute import agreement
from interpret_core.analyses.agreement.request import AgreementRequest
from interpret_core.analyses.agreement.result import Agreed, Answer, UntrainedControls
from interpret_core.analyses.base import Analysis, Cost, Plan
from interpret_core.analyses.profile.plan import (
    LayerKeys,
    LayerResults,
    find_profiles,
    layer_keys,
    resolve_layers,
)
from interpret_core.analyses.relevance.plan import RelevancePlan, plan
from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.classes.known import NeedsSurvey
from interpret_core.errors import DatasetError
from interpret_core.networks.untrained import untrained_control
from interpret_core.options import ALL, Request
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.subjects import identify
from interpret_core.store.store import Store
from interpret_core.tables import Row, Table


class AgreementAnalysis(Analysis[AgreementRequest, Agreed]):
    """Whether the units that overlap a class's object most matter most for it: the paper's Table I."""

    def needs(self, request: AgreementRequest, store: Store, execution: Execution) -> Sequence[Request]:
        """Relevance and profile of each network; every name is looked up before hours go into the first."""
        names = _names(request)
        dataset = datasets.open_dataset(request.dataset)
        if not dataset.categories:
            raise DatasetError(
                f"Data set {dataset.name} has no annotation, expected objects in its masks: the overlap of a "
                "unit with a class's object is one half of an agreement. `image-labels` says which labels of "
                "whole images a unit tells."
            )
        for name in names:
            networks.find(name)
            if request.layers != ALL:
                layer_keys(request.profile(name), store)
        return [need for name in names for need in (request.relevance(name), request.profile(name))]

    def plan(self, request: AgreementRequest, store: Store) -> Plan:
        """No record of its own: it is read off profiles and relevances in no time."""
        missing = tuple(name for name in _names(request) if _stored(request, name, store) is None)
        return Plan({}, (), Cost(f"compares {len(missing):,} networks, once profiled" if missing else ""))

    def run(self, request: AgreementRequest, store: Store, execution: Execution) -> Agreed:
        """Compare what is in the store."""
        start = time.perf_counter()
        answers = tuple(_required(request, name, store, execution.device) for name in _names(request))
        return Agreed(request, answers, _controls(request, store), time.perf_counter() - start)

    def find(self, request: AgreementRequest, store: Store) -> Agreed | None:
        """The comparison, if all that it needs is there."""
        answers = [_stored(request, name, store) for name in _names(request)]
        there = tuple(one for one in answers if one is not None)
        return Agreed(request, there, _controls(request, store)) if len(there) == len(answers) else None

    def columns(self, found: Agreed) -> Sequence[str]:
        """As in the paper's Table I; networks are told apart where there are several."""
        return result.columns(found.answers)

    def rows(self, found: Agreed) -> Iterator[Row]:
        """Network by network, cell by cell, and a summary."""
        return result.all_rows(found.answers)

    def description(self, found: Agreed) -> Row:
        """What was compared, how, and what was left out."""
        return report.description(found.answers)

    def report(self, found: Agreed, verbose: bool) -> Iterator[str | Table]:
        """Facts, a table of layers for each network, the networks side by side."""
        return report.report(found, verbose)


def _names(request: AgreementRequest) -> tuple[str, ...]:
    """Networks in the order given; with `untrained`, each is followed by its untrained control."""
    if not request.untrained:
        return request.networks
    both = [one for name in request.networks for one in (name, untrained_control(name)) if one]
    return tuple(dict.fromkeys(both))


def _controls(request: AgreementRequest, store: Store) -> UntrainedControls:
    """Those not asked for themselves, by network: name, and the answer if all of it is stored."""
    names = _names(request)
    controls = {name: untrained_control(name) for name in names}
    return {
        name: (control, _stored(request, control, store))
        for name, control in controls.items()
        if control and control not in names
    }


def _stored(request: AgreementRequest, name: str, store: Store) -> Answer | None:
    """One network's answer out of the store alone; None where a part of it is missing."""
    digest = datasets.open_dataset(request.dataset).digest
    keys = resolve_layers(request.profile(name), store, identify(name, store), digest)
    try:
        planned = plan(request.relevance(name), store)
    except NeedsSurvey:
        return None
    if keys is None or keys.without_profile(store) or planned.missing(store):
        return None
    profiles, classes, lost = _read(keys, planned, store)
    return None if lost else _answer(request, name, planned, profiles, classes, store)


def _required(request: AgreementRequest, name: str, store: Store, device: str) -> Answer:
    """One network's answer; all that it needs was computed just now.

    Raises:
        DatasetError: a part of it was damaged since.
    """
    digest = datasets.open_dataset(request.dataset).digest
    subject = identify(name, store, device)
    keys = resolve_layers(request.profile(name), store, subject, digest)
    planned = plan(request.relevance(name), store, subject)
    if keys is None:
        raise DatasetError(f"What is known of {name} was damaged and is deleted; run the same command again.")
    profiles, classes, lost = _read(keys, planned, store)
    if lost:
        raise DatasetError(
            f"The stored result of {lost[0]} was damaged and is deleted; run the same command again."
        )
    return _answer(request, name, planned, profiles, classes, store)


def _read(
    keys: LayerKeys, planned: RelevancePlan, store: Store
) -> tuple[dict[str, LayerResults], dict[str, ClassRelevance], list[str]]:
    """Profiles by layer, relevances by class, and names of those that should be there and are not."""
    profiles, classes = find_profiles(keys, store), planned.find(store)
    unusable = {name for name, _ in planned.left_out(store)}
    lost = [layer for layer in keys.layers if layer not in profiles]
    lost += [one.name for one in planned.classes if one.name not in {*classes, *unusable}]
    return profiles, classes, lost


def _answer(
    request: AgreementRequest,
    name: str,
    planned: RelevancePlan,
    profiles: Mapping[str, LayerResults],
    classes: Mapping[str, ClassRelevance],
    store: Store,
) -> Answer:
    without = list(planned.left_out(store))
    if request.classes == ALL:
        without += planned.class_plan.left_out
    found = agreement({layer: one.profile for layer, one in profiles.items()}, classes, request.settings())
    return Answer(name, request.dataset, found, tuple(without))
