"""`evaluate`: how often an intact network is right, class by class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from interpret_core import __version__, config
from interpret_core.cli import options
from interpret_core.cli.stopping import Stop
from interpret_core.cli.terminal import Progress, cell, console, some, table

if TYPE_CHECKING:
    from interpret_core.analyses.evaluation.compute import Evaluated, EvaluationRequest
    from interpret_core.cli.writing import Row
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store

CLASSES = "classes.csv"
COLUMNS = (
    "class",
    "images",
    "right",
    "accuracy",
    "top5_right",
    "top5",
    "others",
    "others_rejected",
    "balanced_accuracy",
    "mean_recall",
    "probability",
)
ALL = "*"  # the class of the last row, which is about all of them
CONFUSION_CLASSES = 20  # more do not fit on a screen


def evaluate(  # noqa: PLR0913 - the options of the command
    context: typer.Context,
    network: options.Network,
    dataset: options.Data,
    split: options.Split = "val",
    batch_size: options.BatchSize = 32,
    device: options.Device = "auto",
    cache: options.Cache = None,
    out: options.Out = None,
    verbose: options.Verbose = False,
) -> None:
    """How often the intact network is right on images whose classes are known; computed once."""
    from interpret_core.analyses.evaluation.compute import EvaluationRequest
    from interpret_core.cli.writing import check_target, write_rows
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store

    target = check_target(out) if out is not None else None
    request = EvaluationRequest(network, dataset, split, batch_size)
    stop: Stop = context.obj
    execution = Execution(device, cancelled=stop.asked)
    with Store(cache or config.current().cache) as store:
        found = _ran(request, store, execution, stop)
    screen = console()
    for line in facts_in_words(found, verbose):
        screen.print(line, soft_wrap=True)
    screen.print(classes_table(found))
    if len(found.classes) <= CONFUSION_CLASSES:
        screen.print()
        screen.print(confusion_table(found))
    spent = "Evaluated in" if found.computed else "Found in the cache,"
    screen.print(f"{spent} {found.seconds:.2f} s.", soft_wrap=True)
    if target is not None:
        written = write_rows(target, COLUMNS, rows(found), description(found))
        screen.print(f"{written:,} rows written to {target}", soft_wrap=True)


def _ran(request: EvaluationRequest, store: Store, execution: Execution, stop: Stop) -> Evaluated:
    from dataclasses import replace

    from interpret_core.analyses.evaluation.compute import run_evaluation

    with stop.patiently(), Progress(console()) as progress:
        return run_evaluation(request, store, replace(execution, tell=progress.tell))


def rows(found: Evaluated) -> Iterator[Row]:
    """A row of COLUMNS per class, then one for all; what is not known is None."""
    one = found.evaluation
    top, top_share = one.in_top, one.top_accuracy
    for at, name in enumerate(found.classes):
        yield dict.fromkeys(COLUMNS) | {
            "class": name,
            "images": int(one.images[at]),
            "right": int(one.right[at]),
            "accuracy": _number(one.accuracy[at]),
            "top5_right": None if top is None else int(top[at]),
            "top5": None if top_share is None else _number(top_share[at]),
            "others": int(one.others[at]),
            "others_rejected": int(one.rejected[at]),
            "balanced_accuracy": _number(one.balanced_accuracy[at]),
            "probability": _number(one.probability[at]),
        }
    yield dict.fromkeys(COLUMNS) | {
        "class": ALL,
        "images": int(one.images.sum()),
        "right": int(one.right.sum()),
        "accuracy": _number(one.overall_accuracy),
        "top5_right": None if top is None else int(top.sum()),
        "top5": None if one.overall_top_accuracy is None else _number(one.overall_top_accuracy),
        "mean_recall": _number(one.mean_recall),
        "probability": _number(one.overall_probability),
    }


def description(found: Evaluated) -> Row:
    """Everything beside the rows: what was evaluated, and the confusion matrix with a row per true class."""
    metadata = {name: value for name, value in found.metadata.items() if name != "classes"}
    confusion = {
        "rows": list(found.classes),
        "columns": [*found.classes, None],  # the last one is any other output of the network
        "counts": found.evaluation.confusion.tolist(),
    }
    return {"version": __version__, **metadata, "confusion": confusion}


def facts_in_words(found: Evaluated, verbose: bool) -> Iterator[str]:
    """Evidence, images and what was left out, a line each."""
    metadata = found.metadata
    network, dataset = metadata["network"], metadata["dataset"]
    yield f"{network['name']} on {dataset['name']}, split {metadata['split']}"
    yield f"evidence: {network['evidence']}. {network['note']}".rstrip()
    yield (
        f"{metadata['images']:,} images, {len(found.classes):,} classes among {network['outputs']:,} outputs"
    )
    yield from _classes_in_words(metadata, verbose)
    skipped = [reason if image in reason else f"{image}: {reason}" for image, reason in metadata["skipped"]]
    if skipped:
        yield f"{len(skipped):,} skipped as damaged: {some(skipped, verbose)}"
    left_out = [f"{name} ({why})" for name, why in metadata["left_out"]]
    if left_out:
        yield f"{len(left_out):,} classes of the data set left out: {some(left_out, verbose)}"


def _classes_in_words(metadata: Mapping[str, Any], verbose: bool) -> Iterator[str]:
    """Where the images of a class come from, and which outputs stand for it."""
    if metadata["source"] != CLASSES:
        yield "images of a class: those whose largest object known to the network it is, on at least 5 %"
    few = metadata["few"]
    if few and metadata["split"] != "all":
        yield f"{len(few):,} classes have fewer than 4 images, all of which are taken: {some(few, verbose)}"
    matches = [
        f"{name} = {' + '.join(names)} ({how})"
        for name, how, _, names in metadata["matches"]
        if how != "name"
    ]
    if matches:
        yield f"{len(matches):,} classes by other names: {some(matches, verbose)}"


def classes_table(found: Evaluated) -> Table:
    """A row per class, and one for all, whose recall is the mean of the classes'."""
    top = ("top-5",) if found.evaluation.in_top is not None else ()
    numbers = ("images", "right", "accuracy", *top, "balanced accuracy", "mean probability")
    made = table("Accuracy of the intact network", "class", *numbers, numbers=numbers)
    keys = ("images", "right", "accuracy", *(["top5"] if top else []), "balanced_accuracy", "probability")
    for row in rows(found):
        made.add_row("all" if row["class"] == ALL else row["class"], *(cell(row[key]) for key in keys))
    recall = _number(found.evaluation.mean_recall)
    made.caption, made.caption_justify = f"mean recall of the classes {cell(recall)}", "left"
    return made


def confusion_table(found: Evaluated) -> Table:
    """Images by true class (row) and answer (column); a last column where other outputs exist."""
    counts = found.evaluation.confusion
    others = found.metadata["network"]["outputs"] > len(found.classes)
    answers = (*found.classes, *(["other output"] if others else []))
    made = table("Answers by true class", "class", *answers, numbers=answers)
    for name, row in zip(found.classes, counts.tolist(), strict=True):
        made.add_row(name, *(cell(count) if count else "·" for count in row[: len(answers)]))
    return made


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
