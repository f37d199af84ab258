"""Everything the pages ask of the core about ablation; names only, never paths.

A plan with its network and the prefixes kept of it is shared by all sessions (`Bench`); what is in the store
is looked up each time, since jobs and other sessions add to it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from interpret_core import config
from interpret_core.analyses.ablation.ablator import Ablator, Estimate
from interpret_core.analyses.ablation.grid import Grid, find_grid, grid_cost, grid_keys, points_of
from interpret_core.analyses.ablation.plan import AblationPlan, ablation_plan
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.base import Cost
from interpret_core.analyses.effects.plan import effects_key, find_effects
from interpret_core.analyses.effects.request import EffectsRequest
from interpret_core.analyses.effects.result import Effects
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.datasets import DEFAULT_CATEGORIES, Dataset
from interpret_core.measures.ablation.settings import Setting
from interpret_core.memory import pieces_of
from interpret_core.options import Value
from interpret_core.runtime.survey import survey_key
from ui.session import relevances, results, stored
from ui.session.live import queue as live
from ui.session.memory import at_hand, kept, once
from ui.session.relevances import Wanted


class Case(NamedTuple):
    """Whose ablation is wanted, and on which images.

    Attributes:
        split: "val", ranked on train; or "all", where an image is evaluated with a ranking that has not seen
            it.
    """

    network: str
    dataset: str
    split: str = "val"

    def request(self, value: str = Value.ZERO.value) -> AblationRequest:
        """The request the command line would make with the same choices."""
        return _request(self, value)

    def effects(self) -> EffectsRequest:
        """The request for single units' effects on the same images."""
        return EffectsRequest(self.network, self.dataset, self.split)

    def wanted(self) -> Wanted:
        """The relevance that ranks."""
        request = self.request()
        return Wanted(
            self.network,
            self.dataset,
            method=request.method,
            baseline=request.baseline,
            output=request.output,
            split=request.ranked_on,
        )


@lru_cache(maxsize=256)
def _request(case: Case, value: str) -> AblationRequest:
    ranked_on = "all" if case.split == "all" else "train"
    return AblationRequest(case.network, case.dataset, split=case.split, ranked_on=ranked_on, value=value)


class Bench:
    """One case's plan, its ablator, and the grids that are in the store. Safe to share between threads."""

    def __init__(self, case: Case, plan: AblationPlan) -> None:
        self.case, self.plan = case, plan
        self.ablator = Ablator(plan)
        self._plans = {
            value: replace(plan, request=replace(plan.request, value=value))
            for value in [one.value for one in Value]
        }
        self._keys = {value: grid_keys(one) for value, one in self._plans.items()}
        self._grids: dict[str, tuple[frozenset[str], Grid]] = {}
        self._lock = threading.Lock()
        # Its network and the records of its images' labels; the data set is everybody's.
        self._pieces = pieces_of((plan.network, plan.images, plan.labels))

    def memory_pieces(self) -> dict[int, int]:
        """Pieces of memory that it holds on to; prefixes are counted by themselves."""
        return self._pieces

    @property
    def names(self) -> tuple[str, ...]:
        """The classes that are evaluated."""
        return tuple(one.name for one in self.plan.classes)

    def grid(self, value: str) -> Grid:
        """What the store holds of it; read again when more has been computed."""
        keys = self._keys[value]
        there = stored.present(tuple(keys.values()))
        with self._lock:
            kept = self._grids.get(value)
            if kept is None or kept[0] != there:
                kept = there, find_grid(self._plans[value])
                self._grids[value] = kept
        return kept[1]

    def missing(self, value: str) -> tuple[str, ...]:
        """Names of the classes whose points have yet to be computed, CONTROLS among them."""
        keys = self._keys[value]
        there = stored.present(tuple(keys.values()))
        return tuple(name for name, key in keys.items() if key not in there)

    def unranked(self) -> tuple[str, ...]:
        """Classes whose relevance has yet to be computed, as this run of a page sees it."""
        return _unranked(self)

    def cost(self, value: str, names: Sequence[str]) -> Cost:
        """Of the points of some classes, CONTROLS among them."""
        return grid_cost(self._plans[value], names)

    def settings(self, value: str, names: Sequence[str]) -> int:
        """How many settings these points are."""
        return sum(len(points_of(self._plans[value], name)) for name in names)

    def known(self, setting: Setting) -> Estimate | None:
        """What the grid knows of a setting: the answers to all images, or None."""
        found = self.grid(setting.value).answers(Setting() if setting.intact else setting)
        everything = np.arange(len(self.plan.images))
        return None if found is None else Estimate(everything, found, len(everything))

    def alone(self, name: str) -> RelevanceRequest:
        """The request for one class's relevance."""
        return replace(self.plan.ranking.request, classes=(name,))

    def effects(self) -> Effects | None:
        """Single units' effects, None while they are not computed."""
        key = effects_key(self.plan)
        return _effects(key, self.plan) if self.plan.store.has(key) else None

    @property
    def identity(self) -> tuple[str, ...]:
        """Tells apart what is estimated and drawn: images, classes, rankings and network."""
        return tuple(self._keys[Value.ZERO.value].values())


@once
def _unranked(bench: Bench) -> tuple[str, ...]:
    return bench.plan.unranked()


def bench(case: Case) -> Bench:
    """The plan of a case with its network.

    Raises:
        NeedsSurvey: which image shows what has to be read from the annotations first.
        UserError: a network or data set that cannot be opened, or no class that has an image.
        Busy: it has to be loaded, and that has to wait for its turn.
    """
    digest = results.subject(case.network).digest
    opened = results.dataset(case.dataset)
    table = repr(sorted(config.current().classes_for(case.network).items()))
    surveyed = stored.store().has(survey_key(opened.digest, DEFAULT_CATEGORIES))
    identity = digest, opened.digest, table, surveyed
    found: Bench | None = at_hand(_bench, case, identity, opened)
    if found is not None:
        return found
    with live.turn("network"):
        return _bench(case, identity, opened)


@kept(16, kind="ablations")
def _bench(case: Case, identity: tuple[object, ...], _opened: Dataset) -> Bench:
    network = relevances.loaded(case.network, str(identity[0]))
    return Bench(case, ablation_plan(case.request(), stored.store(), network))


@kept(8, kind="ablations")
def _effects(key: str, _plan: AblationPlan) -> Effects | None:
    return find_effects(_plan)


def title(bench: Bench) -> tuple[str, str]:
    """The network's title and what its evidence is."""
    network = bench.plan.network
    return network.spec.title or network.name, network.evidence
