"""`agreement`: do the units that overlap a class's object most matter most for it? The paper's Table I."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from interpret_core import config
from interpret_core.cli import options, relating
from interpret_core.cli.stopping import Stop
from interpret_core.cli.terminal import Progress, console
from interpret_core.errors import DatasetError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interpret_core.analyses.agreement.compute import AgreementSettings
    from interpret_core.analyses.profile.plan import Found
    from interpret_core.analyses.profile.request import ProfileRequest
    from interpret_core.analyses.relevance.plan import RelevancePlan
    from interpret_core.analyses.relevance.request import RelevanceRequest
    from interpret_core.analyses.relevance.result import ClassRelevance
    from interpret_core.cli.agreed import Answer
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store

    # The profiles by layer, and (class, why) of those whose relevance cannot be computed.
    Beside = tuple[Mapping[str, Found], Sequence[tuple[str, str]]]

Networks = Annotated[
    list[str],
    typer.Option(
        "--network",
        metavar="NAMES",
        help="Known names, or package.module:factory[@weights.safetensors]; several by commas, or repeated.",
    ),
]
Top = Annotated[
    float,
    typer.Option(parser=options.number, metavar="SHARE", help="Share of a layer's units to mark."),
]

Untrained = Annotated[
    bool, typer.Option("--untrained", help="Compare with the untrained twins, and compute what they need.")
]


@dataclass(frozen=True)
class Asked:
    """What is compared for one network."""

    profile: ProfileRequest
    relevance: RelevanceRequest
    settings: AgreementSettings

    def of(self, network: str) -> Asked:
        """The same of another network."""
        other = replace(self.profile, network=network), replace(self.relevance, network=network)
        return Asked(*other, self.settings)


def agreement(  # noqa: PLR0913 - the options of the command
    context: typer.Context,
    network: Networks,
    dataset: options.Data,
    top: Top = 0.05,
    untrained: Untrained = False,
    classes: options.Classes = "all",
    layers: options.Layers = "all",
    quantile: options.Quantile = 0.005,
    batch_size: options.BatchSize = 32,
    method: relating.Method = "layer-ig",
    baseline: relating.Baseline = "black",
    of: relating.Target = "probability",
    split: options.Split = "train",
    images: relating.Images = 10,
    points: relating.Points = 16,
    most_points: relating.MostPoints = 256,
    tolerance: relating.Tolerance = 0.05,
    permutations: options.Permutations = 10_000,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    cache: options.Cache = None,
    out: options.Out = None,
    verbose: options.Verbose = False,
) -> None:
    """Compare units by IoU and by relevance, class by class; only what is missing is computed."""
    from interpret_core.analyses.agreement.compute import AgreementSettings
    from interpret_core.analyses.profile.request import ProfileRequest
    from interpret_core.analyses.relevance.request import RelevanceRequest
    from interpret_core.cli import agreed
    from interpret_core.cli.writing import check_target, write_rows
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store

    target = check_target(out) if out is not None else None
    settings = AgreementSettings(top, permutations, seed)
    how = (method, baseline, of, split, images, points, most_points, tolerance)
    asked = [
        Asked(
            ProfileRequest(name, dataset, layers, quantile, batch_size=batch_size, permutations=0),
            RelevanceRequest(name, dataset, classes, *how),
            settings,
        )
        for name in names_in(network, twins=untrained)
    ]
    stop: Stop = context.obj
    start = time.perf_counter()
    with Store(cache or config.current().cache) as store:
        _check(asked, store)
        answers = [_ran(one, store, Execution(device, cancelled=stop.asked), stop) for one in asked]
        twins = twins_of(asked, store)
    screen = console()
    agreed.show(screen, answers, twins, verbose)
    screen.print(f"Compared in {time.perf_counter() - start:.2f} s.", soft_wrap=True)
    if target is not None:
        written = write_rows(
            target, agreed.columns(answers), agreed.rows(answers), agreed.description(answers)
        )
        screen.print(f"{written:,} rows written to {target}", soft_wrap=True)


def names_in(given: Sequence[str], *, twins: bool) -> tuple[str, ...]:
    """Networks in the order given, each once; with `twins`, each is followed by its untrained one."""
    from interpret_core.networks.untrained import untrained_twin

    names = [name.strip() for entry in given for name in entry.split(",")]
    found = tuple(dict.fromkeys(name for name in names if name))
    if not found:
        raise ParameterError("No network is named, but expected --network with one name or more.")
    if not twins:
        return found
    both = [one for name in found for one in (name, untrained_twin(name)) if one]
    return tuple(dict.fromkeys(both))


def twins_of(asked: Sequence[Asked], store: Store) -> dict[str, tuple[str, Answer | None]]:
    """Untrained twins not asked for themselves, by network: name, and the answer if all of it is stored."""
    from interpret_core.networks.untrained import untrained_twin

    names = {one.profile.network for one in asked}
    twins = {one.profile.network: (one, untrained_twin(one.profile.network)) for one in asked}
    return {
        name: (twin, stored(one.of(twin), store))
        for name, (one, twin) in twins.items()
        if twin and twin not in names
    }


def stored(asked: Asked, store: Store) -> Answer | None:
    """One network's answer out of the store alone; None where a part of it is missing."""
    from interpret_core import datasets
    from interpret_core.analyses.profile.plan import find_profiles, resolve_layers
    from interpret_core.analyses.relevance.plan import plan
    from interpret_core.classes.known import NeedsSurvey
    from interpret_core.runtime.subjects import identify

    digest = datasets.open_dataset(asked.profile.dataset).digest
    keys = resolve_layers(asked.profile, store, identify(asked.profile.network, store), digest)
    try:
        planned = plan(asked.relevance, store)
    except NeedsSurvey:
        return None
    if keys is None or keys.without_profile(store) or planned.missing(store):
        return None
    profiles, classes = find_profiles(keys, store), planned.find(store)
    unusable = {name for name, _ in planned.left_out(store)}
    if set(profiles) != set(keys.layers) or set(classes) | unusable < set(planned.keys):  # damaged
        return None
    return _answer(asked, planned, classes, (profiles, planned.left_out(store)))


def _check(asked: Sequence[Asked], store: Store) -> None:
    """Every network and layer is known, before hours are spent on the first of them."""
    from interpret_core import networks
    from interpret_core.analyses.profile.plan import layer_keys
    from interpret_core.analyses.profile.request import ALL_LAYERS

    for one in asked:
        networks.find(one.profile.network)
        if one.profile.layers != ALL_LAYERS:
            layer_keys(one.profile, store)


def _ran(asked: Asked, store: Store, execution: Execution, stop: Stop) -> Answer:
    """One network's answer; what it needs is computed where it is not stored."""
    from interpret_core.analyses.profile.compute import run_profile
    from interpret_core.analyses.profile.plan import find_profiles
    from interpret_core.analyses.relevance.compute import run_relevance

    with stop.patiently(), Progress(console()) as progress:
        telling = replace(execution, tell=progress.tell)
        related = run_relevance(asked.relevance, store, telling)
        outcome = run_profile(asked.profile, store, telling)
    profiles = find_profiles(outcome.keys, store)
    lost = [layer for layer in outcome.layers if layer not in profiles]
    unusable = {name for name, _ in related.left_out}
    lost += [one.name for one in related.plan.classes if one.name not in {*related.classes, *unusable}]
    if lost:
        raise DatasetError(
            f"The stored result of {lost[0]} was damaged and is deleted; run the same command again."
        )
    return _answer(asked, related.plan, related.classes, (profiles, related.left_out))


def _answer(
    asked: Asked, plan: RelevancePlan, classes: Mapping[str, ClassRelevance], beside: Beside
) -> Answer:
    from interpret_core.analyses.agreement.compute import agreement
    from interpret_core.analyses.relevance.request import ALL_CLASSES
    from interpret_core.cli.agreed import Answer

    profiles, left_out = beside
    without = list(left_out)
    if asked.relevance.classes == ALL_CLASSES:
        without += plan.class_plan.left_out
    found = agreement({name: one.profile for name, one in profiles.items()}, classes, asked.settings)
    return Answer(asked.profile.network, asked.profile.dataset, found, tuple(without))
