"""`bench`: how fast, against what, and with how much memory."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from interpret_core.cli.stop import Stop
from interpret_core.cli.terminal import Progress, console
from interpret_core.errors import UserError
from interpret_core.privacy import discretion
from interpret_core.provenance import MADE_WITH, made_with

JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the numbers to this file.")]


def bench_profile(  # noqa: PLR0913 - the options of the command
    context: typer.Context,
    network: Annotated[str, typer.Option(help="A known name or factory string.")] = "torchvision/alexnet",
    dataset: Annotated[
        str | None,
        typer.Option(
            help="A registered name or a folder; by default the first registered one that opens, else "
            "coco_broden in INTERPRET_REAL_DATA.",
            show_default=False,
        ),
    ] = None,
    images: Annotated[int, typer.Option(min=2, help="Images to time, from the start of the list.")] = 100,
    batch_size: Annotated[int, typer.Option(min=1, help="Images per forward pass.")] = 32,
    repeats: Annotated[int, typer.Option(min=1, help="Timed runs; the median counts.")] = 5,
    memory_images: Annotated[
        int, typer.Option(min=0, help="Images listed once and ten times for the memory; 0 leaves it out.")
    ] = 32,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "cpu",
    tally: Annotated[
        str,
        typer.Option(
            help="Whose kernels count: torch or numba; auto takes torch's on an accelerator. torch also "
            "tells its ratio to numba."
        ),
    ] = "auto",
    json_file: JsonFile = None,
) -> None:
    """Time a profile against a bare forward pass and a plain implementation; measure its peak memory."""
    bench = _benchmarks("profile_bench")
    plan = bench.Plan(network, dataset, images, batch_size, repeats, memory_images, device, tally)
    _measured(bench, plan, context.obj, json_file)


def bench_relevance(  # noqa: PLR0913 - the options of the command
    context: typer.Context,
    network: Annotated[str, typer.Option(help="A known name or factory string.")] = "demo/alexnet",
    dataset: Annotated[str, typer.Option(help="A registered name or a folder.")] = "demo",
    class_name: Annotated[
        str | None,
        typer.Option(
            "--class", help="By default the first class that has enough images.", show_default=False
        ),
    ] = None,
    images: Annotated[int, typer.Option(min=1, help="Images of the class, at most.")] = 16,
    repeats: Annotated[int, typer.Option(min=1, help="Timed runs; the median counts.")] = 3,
    memory_images: Annotated[
        int,
        typer.Option(min=0, help="Images listed once and ten times for the memory; 0 leaves it out."),
    ] = 8,
    json_file: JsonFile = None,
) -> None:
    """Time attributions of all layers against captum: at the same points, and until they are within 5 %."""
    bench = _benchmarks("relevance_bench")
    plan = bench.Plan(network, dataset, class_name, images, repeats, memory_images)
    _measured(bench, plan, context.obj, json_file)


def bench_ablation(
    context: typer.Context,
    network: Annotated[str, typer.Option(help="A known name or factory string.")] = "demo/alexnet",
    dataset: Annotated[str, typer.Option(help="A registered name or a folder.")] = "demo",
    repeats: Annotated[int, typer.Option(min=1, help="Timed runs; the median counts.")] = 5,
    json_file: JsonFile = None,
) -> None:
    """Time ablations that keep what lies before, and their first estimate, against computing all anew."""
    bench = _benchmarks("ablation_bench")
    _measured(bench, bench.Plan(network, dataset, repeats), context.obj, json_file)


def bench_workers(
    context: typer.Context,
    network: Annotated[str, typer.Option(help="A known name or factory string.")] = "torchvision/resnet18",
    dataset: Annotated[
        str | None,
        typer.Option(help="A registered name or a folder; found as for `bench profile`.", show_default=False),
    ] = None,
    images: Annotated[int, typer.Option(min=2, help="Images; a shorter list is repeated.")] = 400,
    repeats: Annotated[int, typer.Option(min=1, help="Timed runs; the median counts.")] = 3,
    json_file: JsonFile = None,
) -> None:
    """Time a profile by one worker against two, and measure what a Dask scheduler has to carry."""
    bench = _benchmarks("workers_bench")
    _measured(bench, bench.Plan(network, dataset, images, repeats), context.obj, json_file)


def _measured(bench: ModuleType, plan: object, stop: Stop, json_file: Path | None) -> None:
    """Run a benchmark; its remarks and numbers on the screen, the numbers in the file."""
    if json_file is not None and not json_file.resolve().parent.is_dir():
        raise UserError(f"--json {json_file} lies in no folder: make it, or choose another.")
    screen = console()
    with Progress(screen) as progress:
        numbers, remarks = bench.measure(plan, progress.tell, stop.asked)
    for line in remarks:
        screen.print(line, soft_wrap=True)
    asked = [one for one in (getattr(plan, "network", None),) if one]
    text = json.dumps({**discretion(asked).told(numbers), MADE_WITH: made_with()}, indent=2)
    screen.print(text, soft_wrap=True)
    if json_file is not None:
        _write(json_file, text)


def _benchmarks(name: str) -> ModuleType:
    """A module that measures; it is no part of the package, and only a clone has it."""
    try:
        return importlib.import_module(f"benchmarks.{name}")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "captum":
            raise UserError(
                "captum, which the attributions are timed against, is not installed: "
                "pip install -r requirements-dev.txt."
            ) from error
        if missing != "benchmarks":
            raise
        raise UserError(
            "The benchmarks are not here: run this command in the repository's folder."
        ) from error


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"--json {file} cannot be written ({error.strerror}).") from error
