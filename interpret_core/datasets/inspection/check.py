"""The check of a whole data set: every file read once, in order, by threads; sums alone are kept."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from interpret_core.concepts import ConceptTable
from interpret_core.datasets.classes import Classes, lists_classes, read_classes
from interpret_core.datasets.dataset import Dataset
from interpret_core.datasets.digests import content_of
from interpret_core.datasets.inspection.duplicates import Copies
from interpret_core.datasets.inspection.findings import DatasetCheck, Finding
from interpret_core.datasets.inspection.observations import Observation, Observer
from interpret_core.datasets.inspection.totals import Totals
from interpret_core.errors import Cancelled, DatasetError

_AHEAD = 16


def check_dataset(
    dataset: Dataset,
    tell: Callable[[str, int, int | None], None] = lambda _stage, _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> DatasetCheck:
    """Count what a data set holds, and look for what is likely to be a mistake.

    Args:
        dataset: N pictures; those that cannot be read are told, and count nowhere.
        tell: progress: stage, done, of how many.
        cancelled: asked regularly; a true answer raises Cancelled.

    Raises:
        DatasetError: a file that is there cannot be handed out, or changed meanwhile.
        Cancelled: as asked.
    """
    digest = dataset.compute_digest(lambda done, total: tell("read files", done, total), cancelled)
    content = content_of(dataset.root, dataset.tables.digests, dataset.files(), cancelled=cancelled)
    table = every_concept(dataset)
    totals = Totals(dataset, table)
    for done, one in enumerate(_observations(dataset, table), 1):
        totals.add(one)
        tell("check", done, len(dataset))
        if cancelled():
            raise Cancelled("Stopped checking the data set; nothing of it is kept.")
    classes, trouble = _classes(dataset)
    copies = Copies(dataset, content)
    findings = [
        *trouble,
        *copies.findings(_splits(dataset, classes), classes.by_image() if classes else {}),
        *copies.of_masks(totals.rich),
    ]
    return DatasetCheck(
        dataset.name,
        digest,
        len(dataset),
        totals.readable,
        totals.concepts(),
        totals.categories(),
        totals.unlabelled,
        classes.counts() if classes else {},
        [*totals.findings(), *findings],
    )


def every_concept(dataset: Dataset) -> ConceptTable:
    """Concepts of all categories that have labels and a column."""
    labelled = {category for label in dataset.labels.values() for category in label.categories}
    wanted = [category for category in dataset.categories if category in labelled]
    return dataset.concepts(wanted) if wanted else ConceptTable((), ())


def _observations(dataset: Dataset, table: ConceptTable) -> Iterator[Observation]:
    """In order, a few ahead."""
    observer = Observer(dataset, table)
    pending: deque[Future[Observation]] = deque()
    pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="check")
    try:
        indices = iter(range(len(dataset)))
        pending.extend(pool.submit(observer.observe, index) for index in islice(indices, _AHEAD))
        while pending:
            yield pending.popleft().result()
            pending.extend(pool.submit(observer.observe, index) for index in islice(indices, 1))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _classes(dataset: Dataset) -> tuple[Classes | None, list[Finding]]:
    """The classes, or why they cannot be read; a table without a row says nothing."""
    if not lists_classes(dataset):
        return None, []
    try:
        return read_classes(dataset), []
    except DatasetError as error:
        told = str(error).replace(os.path.join(dataset.root, ""), "", 1)  # noqa: PTH118 - with a slash at its end
        return None, [Finding("classes", 1, told, "Correct classes.csv as the line says.")]


def _splits(dataset: Dataset, classes: Classes | None) -> NDArray[np.str_]:
    """(N,) what each picture is for, as the index or the division of the classes says."""
    if classes is not None:
        return classes.split
    return np.array([record.split.lower() for record in dataset.records])
