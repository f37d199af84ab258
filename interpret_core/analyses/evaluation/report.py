"""What `evaluate` shows: facts in words, accuracy by class, the confusion matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from interpret_core.analyses.evaluation.result import ALL_CLASSES, Evaluated, rows
from interpret_core.datasets.tables import CLASSES
from interpret_core.numbers import known
from interpret_core.tables import Table, added, cell, many, some

CONFUSION_CLASSES = 20  # more do not fit on a screen


def report(found: Evaluated, verbose: bool) -> Iterator[str | Table]:
    """Lines and tables."""
    yield from facts_in_words(found, verbose)
    yield classes_table(found)
    if len(found.classes) <= CONFUSION_CLASSES:
        yield ""
        yield confusion_table(found)
    spent = "Evaluated in" if found.computed else "Found in the cache,"
    yield f"{spent} {found.seconds:.2f} s."


def facts_in_words(found: Evaluated, verbose: bool) -> Iterator[str]:
    """Evidence, images and what was left out, a line each."""
    metadata = found.metadata
    network, dataset = metadata["network"], metadata["dataset"]
    yield f"{network['name']} on {dataset['name']}, split {metadata['split']}"
    yield f"evidence: {network['evidence']}. {network['note']}".rstrip()
    images, classes = (
        many(metadata["images"], "image", "images"),
        many(len(found.classes), "class", "classes"),
    )
    yield f"{images}, {classes} among {network['outputs']:,} outputs"
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
        f"{name} = {added(names, verbose)} ({how})"
        for name, how, _, names in metadata["matches"]
        if how != "name"
    ]
    if matches:
        yield f"{len(matches):,} classes by other names: {some(matches, verbose)}"


def classes_table(found: Evaluated) -> Table:
    """A row per class, and one for all, whose recall is the mean of the classes'."""
    top = ("top-5",) if found.evaluation.in_top is not None else ()
    numbers = ("images", "right", "accuracy", *top, "balanced accuracy", "mean probability")
    keys = ("images", "right", "accuracy", *(["top5"] if top else []), "balanced_accuracy", "probability")
    total = "all classes" if "all" in found.classes else "all"
    cells = [
        (total if row["class"] == ALL_CLASSES else row["class"], *(row[key] for key in keys))
        for row in rows(found)
    ]
    recall = cell(known(found.evaluation.mean_recall))
    caption = f"mean recall of the classes {recall}"
    return Table("Accuracy of the intact network", ("class", *numbers), cells, numbers, caption)


def confusion_table(found: Evaluated) -> Table:
    """Images by true class (row) and answer (column); a last column where other outputs exist."""
    counts = found.evaluation.confusion
    others = found.metadata["network"]["outputs"] > len(found.classes)
    answers = (*found.classes, *(["other output"] if others else []))
    cells = [
        (name, *(count or "·" for count in row[: len(answers)]))
        for name, row in zip(found.classes, counts.tolist(), strict=True)
    ]
    return Table("Answers by true class", ("class", *answers), cells, answers)
