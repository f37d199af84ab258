"""`datasets check`: what a data set holds and what looks like a mistake, on the screen or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from interpret_core.cli.stop import Stop
from interpret_core.cli.terminal import Progress, console, draw
from interpret_core.concepts import PREDICTED_LABELS
from interpret_core.privacy import Discretion, discretion, pictures_leave
from interpret_core.provenance import MADE_WITH, made_with
from interpret_core.tables import Table, many

if TYPE_CHECKING:
    from interpret_core.datasets.inspection import DatasetCheck

ROWS = 20  # concepts on the screen without --verbose


def show_check(name: str, stop: Stop, *, as_json: bool, verbose: bool, pictures: bool) -> None:
    """Look through a data set, and print the report.

    Args:
        name: of the data set, or its folder.
        stop: asked whether to stop.
        as_json: print JSON, for others: it names no folder.
        verbose: every concept.
        pictures: whether files of pictures are named in it.

    Raises:
        DatasetError: it cannot be opened, or its files change meanwhile.
    """
    from interpret_core import datasets
    from interpret_core.datasets.inspection import check_dataset
    from interpret_core.datasets.rights import rights_of

    dataset = datasets.open_dataset(name)
    hidden = () if pictures_leave(pictures) else [record.image for record in dataset.records]
    screen = console()
    if as_json:
        with stop.patiently():
            found = check_dataset(dataset, cancelled=stop.asked)
        told = discretion((), (name, dataset.name, dataset.root), hidden)
        everything = {**found.to_json(), **rights_of(dataset.root).to_json()}
        print(json.dumps({**told.told(everything), MADE_WITH: made_with()}, indent=2))
        return
    with stop.patiently(), Progress(screen) as progress:
        found = check_dataset(dataset, progress.tell, stop.asked)
    shown = Discretion(pictures=hidden)
    for line in (*lines(found), *rights_of(dataset.root).lines()):
        screen.print(shown.text(line), soft_wrap=True)
    for one in tables(found, every=verbose):
        draw(screen, one)


def lines(found: DatasetCheck) -> Iterator[str]:
    """What stands above the tables: the sums, then each finding with what to do."""
    unread = found.images - found.readable
    yield f"{found.dataset}: {found.images:,} images, digest {found.digest}"
    if unread:
        yield f"{found.readable:,} can be read, {unread:,} cannot"
    if not found.categories:
        yield "Nothing in them is annotated: there is no concept to count, and no mask to check"
    if found.unlabelled is not None:
        yield f"{found.unlabelled:.1%} of the annotation is unlabelled"
    if found.predicted:
        yield f"{found.predicted:,} of {many(len(found.concepts), 'label', 'labels')} {PREDICTED_LABELS}"
    findings = many(len(found.findings), "finding", "findings")
    yield findings if found.findings else "Nothing suspicious was found"
    for one in found.findings:
        yield f"- {one.line()}"


def tables(found: DatasetCheck, *, every: bool) -> Iterator[Table]:
    """Categories, concepts and classes, each where there are some."""
    if found.categories:
        rows = [(one.category, one.images, f"{one.unlabelled:.1%}") for one in found.categories]
        yield Table("", ("category", "images", "unlabelled"), rows, ("images", "unlabelled"))
    if found.concepts:
        ordered = sorted(found.concepts, key=lambda one: -one.images)
        concepts = [
            (one.name, one.category, one.images, one.pixels) for one in (ordered if every else ordered[:ROWS])
        ]
        more = len(ordered) - len(concepts)
        caption = f"and {more:,} more (--verbose lists them)" if more else ""
        numbers = ("images", "pixels")
        yield Table("", ("concept", "category", *numbers), concepts, numbers, caption)
    if found.classes:
        yield Table("", ("class", "images"), list(found.classes.items()), ("images",))
