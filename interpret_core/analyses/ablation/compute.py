"""What a network can no longer do with units silenced. The paper's Figs. 5 and 6."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from interpret_core import datasets
from interpret_core.analyses.ablation.asked import Asked, asked_of, settings_of
from interpret_core.analyses.ablation.comparison import random_controls
from interpret_core.analyses.ablation.grid import find_grid
from interpret_core.analyses.ablation.plan import AblationPlan, ablation_plan
from interpret_core.analyses.ablation.report import Ablated
from interpret_core.analyses.ablation.request import AblateRequest, AblationRequest
from interpret_core.analyses.ablation.table import measured
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.survey.request import SurveyRequest
from interpret_core.classes.known import NeedsSurvey
from interpret_core.errors import ParameterError
from interpret_core.measures.ablation.settings import HAND, IOU, RANDOM, RELEVANCE, Setting
from interpret_core.options import ALL, Request
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.subjects import identify, loaded
from interpret_core.store.store import Store

Names = tuple[str, ...]
Reasons = tuple[tuple[str, str], ...]


def needs_of(request: AblateRequest, store: Store, execution: Execution) -> Sequence[Request]:
    """What has to be computed first: the survey that says which image shows what; the relevance, or the
    profile, that ranks.

    Raises:
        UserError: what is asked for is not possible, whatever ranks.
    """
    asked = asked_of(request)
    try:
        plan = planned(request.planned(), store, execution)
    except NeedsSurvey:
        return (SurveyRequest(request.dataset),)
    names, _ = _names(asked, plan)
    _check(asked, plan)
    if asked.directions == (RANDOM,) or not names:
        return ()
    if asked.by == IOU:
        return (ProfileRequest(request.network, request.dataset, permutations=0),)
    missing = set(plan.unranked())
    # Of all that are asked for: those that are there already keep a run from finding no class at all.
    ranking = replace(plan.request.relevance(), classes=tuple(names))
    return (ranking,) if missing & set(names) else ()


def run_ablate(request: AblateRequest, store: Store, execution: Execution) -> Ablated:
    """Every point; what ranks the units is in the store.

    Raises:
        UserError: a class, a concept or a layer that is not there, or cannot rank.
        NonFiniteError: NaN or infinity in an output.
        Cancelled: the user stopped it; finished parts are kept.
    """
    start = time.perf_counter()
    asked, reporter = asked_of(request), execution.reporter()
    plan = planned(request.planned(), store, execution)
    names, left_out = _usable(asked, *_names(asked, plan), plan)
    if asked.by == RELEVANCE and asked.names == ALL and asked.directions != (RANDOM,):
        alone = [name for name in names if _alone(plan, name, plan.relevance(name).images)]
        names, left_out = _without(names, left_out, alone)
    if asked.by != HAND and not names:
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out[:4])
        raise ParameterError(
            f"No class of {request.dataset} can be ranked and evaluated, expected one with images for both "
            f"({reasons}): choose --split all and --ranked-on all, or other splits in index.csv."
        )
    settings = [Setting(), *settings_of(asked, names)]
    for setting in settings:
        plan.selection(setting)  # better to stop here than after an hour
    grid = find_grid(plan)
    stored = sum(grid.answers(setting) is not None for setting in settings)
    controls = random_controls(plan, settings[-1], plan.selection(settings[-1])) if request.controls else []
    intact, *points = measured(plan, grid, [*settings, *controls], execution, reporter)
    asked_for, drawn = tuple(points[: len(settings) - 1]), tuple(points[len(settings) - 1 :])
    seconds = time.perf_counter() - start
    return Ablated(plan, intact, asked_for, names, left_out, stored, seconds, drawn)


def planned(request: AblationRequest, store: Store, execution: Execution) -> AblationPlan:
    """The plan of a request, with the network loaded on the device of a run.

    Raises:
        NeedsSurvey, UserError: as `ablation_plan`.
        Cancelled: the user stopped it while the data set's files were read.
    """
    execution.tell("reading the data set's digest", 0, 0)
    datasets.open_dataset(request.dataset).compute_digest(cancelled=execution.cancelled)
    network = loaded(identify(request.network, store, execution.device), store).required
    return ablation_plan(request, store, network)


def _names(asked: Asked, plan: AblationPlan) -> tuple[Names, Reasons]:
    """What ranks, by the data set's own names, and classes that cannot, with the reason."""
    if asked.by == HAND:
        return (), ()
    if asked.concepts:
        table = plan.dataset.concepts()
        return tuple(dict.fromkeys(table.names[table.find(name)] for name in asked.names)), ()
    if asked.names != ALL:
        return _with_object(asked.names, plan) if asked.by == IOU else _classes(asked.names, plan), ()
    every = tuple(one.name for one in plan.classes)
    left_out = [(name, f"no image in split {plan.request.split}") for name in plan.without_image]
    if asked.by == IOU:
        if asked.directions != (RANDOM,):
            bare = [one.name for one in plan.classes if not one.concepts]
            left_out += [(name, "no object of the data set has this name") for name in bare]
            every = tuple(name for name in every if name not in bare)
        return every, tuple(left_out)
    if asked.directions == (RANDOM,):  # nothing ranks: every class is watched
        return every, tuple(left_out)
    images = plan.ranking.images
    left_out += [
        (name, f"no image in split {plan.request.ranked_on}") for name in every if name not in images
    ]
    names = tuple(name for name in every if name in images)
    return _without(names, left_out, [name for name in names if _alone(plan, name, images[name])])


def _classes(given: Sequence[str], plan: AblationPlan) -> Names:
    """Classes by their own names; what cannot be ranked for, or not be evaluated, raises."""
    found = tuple(dict.fromkeys(plan.classes[plan.number(name)].name for name in given))
    for name in found:
        if name not in plan.ranking.images:
            plan.relevance(name)  # says why
    return found


def _with_object(given: Sequence[str], plan: AblationPlan) -> Names:
    """Classes by their own names, whose objects' IoU ranks."""
    found = [plan.ranking.class_plan.find(name) for name in given]
    for one in found:
        if not one.concepts:
            raise ParameterError(
                f"Class {one.name!r} has no object of its name in {plan.dataset.name}, expected one to rank "
                "the units by IoU with: name a concept with --concept."
            )
    return tuple(dict.fromkeys(one.name for one in found))


def _alone(plan: AblationPlan, name: str, images: NDArray[np.int64]) -> bool:
    """Whether a class has one image to rank with, which is to be evaluated too."""
    return len(images) == 1 and bool(np.isin(images, plan.images).any())


def _without(
    names: Names, left_out: Sequence[tuple[str, str]], alone: Sequence[str]
) -> tuple[Names, Reasons]:
    reasons = [(name, "its single ranking image is evaluated too") for name in alone]
    return tuple(name for name in names if name not in alone), (*left_out, *reasons)


def _usable(asked: Asked, names: Names, left_out: Reasons, plan: AblationPlan) -> tuple[Names, Reasons]:
    """Without classes of which no image can be used to rank; one that is asked for by name raises."""
    if asked.by != RELEVANCE or asked.directions == (RANDOM,):
        return names, left_out
    reasons = [(name, why) for name in names if (why := plan.unusable(name)) is not None]
    if reasons and asked.names != ALL:
        plan.relevance(reasons[0][0])  # says why
    without = {name for name, _ in reasons}
    return tuple(name for name in names if name not in without), (*left_out, *reasons)


def _check(asked: Asked, plan: AblationPlan) -> None:
    """Layers, units and numbers are possible, before anything is computed."""
    common = Setting(layers=asked.layers, units=asked.units, value=asked.value)
    plan.silenced_layers(common)
    plan.selection(common)
    for fraction, total in asked.amounts:
        plan.selection(replace(common, by=RANDOM, fraction=fraction, total=total))
