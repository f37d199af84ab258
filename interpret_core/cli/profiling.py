"""`profile`: compute what is missing, say what was found, write the table."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from interpret_core import config
from interpret_core.cli import options
from interpret_core.cli.stopping import Stop
from interpret_core.cli.terminal import Progress, console
from interpret_core.errors import DatasetError, ParameterError

if TYPE_CHECKING:
    from interpret_core.analyses.profile.compute import Outcome
    from interpret_core.analyses.profile.request import ProfileRequest, Settings
    from interpret_core.analyses.profile.summary import LayerSummary
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store


def profile(  # noqa: PLR0913 - the options of the command
    context: typer.Context,
    network: options.Network,
    dataset: options.Data,
    layers: options.Layers = "all",
    quantile: options.Quantile = 0.005,
    min_images: options.MinImages = 10,
    categories: options.Categories = "object,part,material,color",
    cutoff: options.Cutoff = 0.04,
    batch_size: options.BatchSize = 32,
    permutations: options.Permutations = 100,
    seed: options.Seed = 0,
    strict: options.Strict = False,
    device: options.Device = "auto",
    shards: options.Shards = None,
    shard_order: options.ShardOrder = None,
    cache: options.Cache = None,
    out: options.Out = None,
    verbose: options.Verbose = False,
) -> None:
    """Profile a network's units on annotated photographs; only what is missing is computed."""
    from interpret_core.analyses.profile.request import ProfileRequest, Settings
    from interpret_core.cli.writing import check_target
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store

    target = check_target(out) if out is not None else None
    settings = Settings(min_images, cutoff)
    wanted = tuple(name.strip() for name in categories.split(",") if name.strip())
    request = ProfileRequest(
        network, dataset, layers, quantile, min_images, wanted, batch_size, permutations, seed, strict
    )
    stop: Stop = context.obj
    if shards is not None and shards < 1:
        raise ParameterError(f"--shards is {shards}, but expected a whole number of at least 1.")
    execution = Execution(device, shards, order_of(shard_order, shards), cancelled=stop.asked)
    with Store(cache or config.current().cache) as store:
        _report(request, settings, store, target, verbose, _ran(request, store, execution, stop))


def order_of(text: str | None, shards: int | None) -> tuple[int, ...] | None:
    """The order of shards as numbers; every shard exactly once, or images would be left out in silence."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    numbers = tuple(int(part) for part in parts if part.isdecimal())
    if shards is None or len(numbers) != len(parts) or sorted(numbers) != list(range(shards)):
        raise ParameterError(
            f"--shard-order is {text!r}, but expected every number below --shards once, such as 2,0,1 "
            "for --shards 3."
        )
    return numbers


def _ran(request: ProfileRequest, store: Store, execution: Execution, stop: Stop) -> tuple[Outcome, float]:
    """The run's outcome, and its seconds."""
    from dataclasses import replace

    from interpret_core.analyses.profile.compute import run_profile

    start = time.perf_counter()
    with stop.patiently(), Progress(console()) as progress:
        outcome = run_profile(request, store, replace(execution, tell=progress.tell))
    return outcome, time.perf_counter() - start


def _report(
    request: ProfileRequest,
    settings: Settings,
    store: Store,
    target: Path | None,
    verbose: bool,
    ran: tuple[Outcome, float],
) -> None:
    from interpret_core.cli import tables

    outcome, seconds = ran
    summaries = _summaries(outcome, store, settings)
    described = tables.description(request, settings, summaries)
    screen = console()
    for line in tables.facts_in_words(described, verbose):
        screen.print(line, soft_wrap=True)
    screen.print(tables.layers_table(summaries))
    screen.print(_spent(outcome.computed, outcome.seconds, seconds), soft_wrap=True)
    if target is not None:
        written = tables.write(target, summaries, described)
        screen.print(f"{written:,} rows written to {target}", soft_wrap=True)


def _summaries(outcome: Outcome, store: Store, settings: Settings) -> list[LayerSummary]:
    from interpret_core.analyses.profile.plan import find_profiles
    from interpret_core.analyses.profile.summary import summarise

    found = find_profiles(outcome.keys, store)
    lost = [layer for layer in outcome.layers if layer not in found]
    if lost:
        raise DatasetError(
            f"The stored profile of {lost[0]} was damaged and is deleted; run the same command again."
        )
    return [summarise(layer.profile, layer.chance, settings) for layer in found.values()]


def _spent(computed: int, stages: Mapping[str, float], seconds: float) -> str:
    if not computed and not stages:
        return f"All found in the cache, {seconds:.2f} s."
    parts = ", ".join(f"{stage} {spent:.1f} s" for stage, spent in stages.items())
    return f"{computed} shards computed in {seconds:.1f} s: {parts}."
