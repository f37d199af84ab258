"""What has to be known of a data set before a run: its survey, from the store or read now; its classes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from interpret_core import datasets
from interpret_core.classes.known import ClassPlan, NeedsSurvey, class_plan
from interpret_core.datasets import DEFAULT_CATEGORIES, ConceptTable, Dataset, Survey
from interpret_core.networks import NetworkSpec
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.executors.base import Found, Work, only, whole
from interpret_core.runtime.openings import DatasetOpening, place_of
from interpret_core.runtime.parts import WHOLE, Parts, Pieces, record_of
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import Shard, split
from interpret_core.store.keys import content_key
from interpret_core.store.records import Record
from interpret_core.store.store import Store

STAGE = "reading annotations"
BLOCK = 16  # images


def survey_key(dataset_digest: str, categories: Sequence[str] = DEFAULT_CATEGORIES) -> str:
    """Key of a data set's survey.

    Args:
        dataset_digest: hex digest of its content.
        categories: of the annotations, in the order in which they are asked for.
    """
    return content_key("survey", {"dataset": dataset_digest, "categories": list(categories)})


def surveyed(
    dataset: Dataset,
    store: Store,
    reporter: Reporter,
    categories: Sequence[str] = DEFAULT_CATEGORIES,
    execution: Execution | None = None,
) -> tuple[ConceptTable, Survey]:
    """The concepts of a data set and its survey; reads every image and mask the first time.

    Args:
        dataset: what to survey.
        store: where the survey is kept.
        reporter: progress, cancellation, and the seconds of stage "survey".
        categories: of the annotations.
        execution: who reads; by default this process.

    Raises:
        DatasetError: unknown category, no concept, or no image that can be read.
        Cancelled: the user stopped it; finished parts are kept.
    """
    table = dataset.concepts(categories)
    key = survey_key(dataset.compute_digest(cancelled=reporter.cancelled), categories)

    # It is counted by itself: what a run goes on with has a count of its own.
    own = Reporter(reporter.tell_part or reporter.tell, reporter.cancelled, total=len(dataset))
    execution = execution or Execution()

    def made(parts: Parts) -> Record:
        start = time.perf_counter()
        pieces = split(range(-(-len(dataset) // BLOCK)), execution.shards)
        found = datasets.survey_of(dataset, table, parts.of(_pass(dataset, table, pieces)))
        reporter.seconds["survey"] = time.perf_counter() - start
        return Record(*found.to_record())

    record = record_of(store, key, made, execution, own)
    return table, Survey.from_record(record.arrays, record.metadata)


def _pass(
    dataset: Dataset, table: ConceptTable, pieces: Sequence[Shard]
) -> Pieces[tuple[Dataset, ConceptTable]]:
    opening = DatasetOpening(place_of(dataset), dataset.digest, table.categories)
    work = Work(opening, _part, None, whole, only, (dataset, table))
    return Pieces("survey", STAGE, work, pieces, lambda piece: len(_images(dataset, piece)), exact=True)


def _images(dataset: Dataset, shard: Shard) -> range:
    return range(shard[0] * BLOCK, min((shard[-1] + 1) * BLOCK, len(dataset)))


def _part(opened: tuple[Dataset, ConceptTable], _: None, shard: Shard, reporter: Reporter) -> Found:
    dataset, table = opened
    before = 0

    def done(images: int) -> None:
        nonlocal before
        reporter.advance(STAGE, images - before)
        before = images

    return {WHOLE: datasets.read_part(dataset, table, _images(dataset, shard), done)}


def planned(
    dataset: Dataset,
    spec: NetworkSpec,
    store: Store,
    reporter: Reporter,
    execution: Execution | None = None,
) -> ClassPlan:
    """The classes of a data set that a network knows; surveys the data set only where that decides them.

    Args:
        dataset: of the data set and the network.
        spec: of the data set and the network.
        store: where the survey is kept.
        reporter: progress and cancellation.
        execution: who reads, where it has to be surveyed; by default this process.

    Raises:
        UserError: as `class_plan` and `surveyed`.
        Cancelled: the user stopped it.
    """
    try:
        return class_plan(dataset, spec, None)
    except NeedsSurvey:
        return class_plan(dataset, spec, surveyed(dataset, store, reporter, execution=execution)[1])


def known_survey(
    dataset: Dataset, store: Store, categories: Sequence[str] = DEFAULT_CATEGORIES
) -> Survey | None:
    """The survey where it was made before; reads no picture that did not change since."""
    record = store.get(survey_key(dataset.digest, categories))
    return None if record is None else Survey.from_record(record.arrays, record.metadata)
