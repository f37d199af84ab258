"""`ablate`: what a network can no longer do with units silenced. The paper's Figs. 5 and 6."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from interpret_core import config
from interpret_core.cli import options, relating
from interpret_core.cli.ablation_asked import (
    DIRECTIONS,
    FRACTIONS,
    HAND,
    IOU,
    RANDOM,
    RELEVANCE,
    WAYS,
    Asked,
    amounts,
    chosen,
    layers_in,
    picked,
    ranked_for,
    settings_of,
)
from interpret_core.cli.stopping import Stop
from interpret_core.cli.terminal import Progress, console
from interpret_core.errors import ChangedFileError, ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interpret_core.analyses.ablation.plan import AblationPlan
    from interpret_core.analyses.ablation.request import AblationRequest
    from interpret_core.cli.ablated import Ablated
    from interpret_core.runtime.execution import Execution, Reporter
    from interpret_core.store.store import Store

Classes = Annotated[
    str,
    typer.Option(
        "--class", "--classes", metavar="NAMES", help="Whose units are silenced; all classes are watched."
    ),
]
Fractions = Annotated[
    str | None,
    typer.Option(
        metavar="SHARES", help="Of each layer's units, separated by commas.", show_default=FRACTIONS
    ),
]
Ranks = Annotated[
    str, typer.Option("--rank", metavar="NAMES", help="top, bottom, random; several by commas.")
]
By = Annotated[str, typer.Option(metavar="NAME", help="What ranks the units: relevance, iou, or hand: none.")]
Concepts = Annotated[
    str | None,
    typer.Option("--concept", metavar="NAMES", help="By IoU with these; by default with the class's object."),
]
Units = Annotated[
    str,
    typer.Option(metavar="UNITS", help="Silenced in addition, such as conv2:41,conv3:7; from any layer."),
]
Total = Annotated[
    int | None,
    typer.Option(
        parser=options.whole, metavar="COUNT", help="Instead of fractions, so many units over all layers."
    ),
]
Layers = Annotated[
    str,
    typer.Option(metavar="NAMES", help="Names separated by commas, inner (without first and last), or all."),
]
Value = Annotated[str, typer.Option(metavar="NAME", help="What responses become: zero, or the unit's mean.")]
RankedOn = Annotated[str, typer.Option(metavar="NAME", help="Images that rank: train, val or all.")]
Images = Annotated[
    int, typer.Option(parser=options.whole, metavar="COUNT", help="Images that rank, at most, per class.")
]


Names = tuple[str, ...]
Reasons = tuple[tuple[str, str], ...]


def ablate(  # noqa: PLR0913 - the options of the command
    context: typer.Context,
    network: options.Network,
    dataset: options.Data,
    classes: Classes = "all",
    fractions: Fractions = None,
    rank: Ranks = "top,bottom,random",
    by: By = RELEVANCE,
    concept: Concepts = None,
    units: Units = "",
    total: Total = None,
    layers: Layers = "inner",
    value: Value = "zero",
    split: options.Split = "val",
    ranked_on: RankedOn = "train",
    images: Images = 10,
    method: relating.Method = "layer-ig",
    baseline: relating.Baseline = "black",
    of: relating.Target = "probability",
    device: options.Device = "auto",
    cache: options.Cache = None,
    out: options.Out = None,
    verbose: options.Verbose = False,
) -> None:
    """Silence units and count what the network still gets right; what is missing is computed."""
    from interpret_core.analyses.ablation.request import AblationRequest
    from interpret_core.analyses.ablation.table import COLUMNS
    from interpret_core.cli import ablated
    from interpret_core.cli.writing import check_target, write_rows
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store

    target = check_target(out) if out is not None else None
    asked = Asked(
        chosen("by", by, WAYS)[0],
        ranked_for(by, classes, concept),
        chosen("rank", rank, DIRECTIONS),
        amounts(by, fractions, total),
        picked(by, units),
        layers_in(layers),
        value,
        concept is not None,
    )
    whose = asked.names if by == RELEVANCE else "all"
    request = AblationRequest(network, dataset, whose, split, ranked_on, images, method, baseline, of, value)
    stop: Stop = context.obj
    with Store(cache or config.current().cache) as store:
        found = _ran(asked, request, store, Execution(device, cancelled=stop.asked), stop)
    screen = console()
    ablated.show(screen, found, verbose)
    if target is not None:
        written = write_rows(target, COLUMNS, ablated.rows(found), ablated.description(found))
        screen.print(f"{written:,} rows written to {target}", soft_wrap=True)


def _ran(asked: Asked, request: AblationRequest, store: Store, execution: Execution, stop: Stop) -> Ablated:
    """Every point; what ranks the units is computed where it is not stored."""
    from interpret_core.runtime.execution import Reporter

    start = time.perf_counter()
    with stop.patiently(), Progress(console()) as progress:
        telling = replace(execution, tell=progress.tell)
        found = _found(asked, request, store, telling, Reporter(progress.tell, execution.cancelled))
    return replace(found, seconds=time.perf_counter() - start)


def _found(
    asked: Asked, request: AblationRequest, store: Store, execution: Execution, reporter: Reporter
) -> Ablated:
    from interpret_core.analyses.ablation.ablator import Ablator
    from interpret_core.analyses.ablation.grid import find_grid
    from interpret_core.analyses.ablation.table import measured
    from interpret_core.cli.ablated import Ablated
    from interpret_core.measures.ablation.settings import Setting

    plan = _planned(request, store, execution, reporter)
    names, left_out = _names(asked, plan)
    _check(asked, plan)
    _rank(asked, names, plan, store, execution)
    names, left_out = _usable(asked, names, left_out, plan)
    if asked.by == RELEVANCE and asked.names == "all" and asked.directions != (RANDOM,):
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
    intact, *points = measured(Ablator(plan), grid, settings, reporter)
    return Ablated(plan, intact, tuple(points), names, left_out, stored)


def _planned(
    request: AblationRequest, store: Store, execution: Execution, reporter: Reporter
) -> AblationPlan:
    from interpret_core import datasets
    from interpret_core.analyses.ablation.plan import ablation_plan
    from interpret_core.analyses.survey.compute import planned
    from interpret_core.runtime.subjects import identify, loaded

    dataset = datasets.open_dataset(request.dataset)
    reporter.tell("reading the data set's digest", 0, 0)
    dataset.compute_digest(cancelled=execution.cancelled)
    network = loaded(identify(request.network, store, execution.device), store).required
    network.require_classes()
    planned(dataset, network.spec, store, reporter)
    return ablation_plan(request, store, network)


def _names(asked: Asked, plan: AblationPlan) -> tuple[Names, Reasons]:
    """What ranks, by the data set's own names, and classes that cannot, with the reason."""
    if asked.by == HAND:
        return (), ()
    if asked.concepts:
        table = plan.dataset.concepts()
        return tuple(dict.fromkeys(table.names[table.find(name)] for name in asked.names)), ()
    if asked.names != "all":
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
    if reasons and asked.names != "all":
        plan.relevance(reasons[0][0])  # says why
    without = {name for name, _ in reasons}
    return tuple(name for name in names if name not in without), (*left_out, *reasons)


def _check(asked: Asked, plan: AblationPlan) -> None:
    """Layers, units and numbers are possible, before anything is computed."""
    from interpret_core.measures.ablation.settings import Setting

    common = Setting(layers=asked.layers, units=asked.units, value=asked.value)
    plan.silenced_layers(common)
    plan.selection(common)
    for fraction, total in asked.amounts:
        plan.selection(replace(common, by=RANDOM, fraction=fraction, total=total))


def _rank(asked: Asked, names: Sequence[str], plan: AblationPlan, store: Store, execution: Execution) -> None:
    """Compute the relevance, or the profile, that ranks, where it is missing."""
    from interpret_core.analyses.profile.compute import run_profile
    from interpret_core.analyses.profile.request import ProfileRequest
    from interpret_core.analyses.relevance.compute import run_relevance

    request = plan.request
    if asked.directions == (RANDOM,) or not names:
        return
    if asked.by == IOU:
        run_profile(ProfileRequest(request.network, request.dataset, permutations=0), store, execution)
    else:
        missing = set(plan.unranked())
        wanted = tuple(name for name in names if name in missing)
        if wanted:
            run_relevance(replace(request.relevance(), classes=wanted), store, execution)
    _refuse_change(plan)


def _refuse_change(plan: AblationPlan) -> None:
    """What ranks was computed from the files as they were then: they must be the plan's."""
    from interpret_core import datasets

    if datasets.open_dataset(plan.request.dataset).digest != plan.dataset.digest:
        raise ChangedFileError(
            f"{plan.dataset.root} changed while the units were ranked: nothing of it was kept; run it again "
            "when the files are at rest."
        )
