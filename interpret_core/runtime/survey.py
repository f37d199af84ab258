"""What has to be known of a data set before a run: its survey, from the store or read now; its classes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from interpret_core import datasets
from interpret_core.classes.known import ClassPlan, NeedsSurvey, class_plan
from interpret_core.datasets import DEFAULT_CATEGORIES, ConceptTable, Dataset, Survey
from interpret_core.networks import NetworkSpec
from interpret_core.runtime.execution import Reporter
from interpret_core.store.keys import content_key
from interpret_core.store.records import Record
from interpret_core.store.store import Store


def survey_key(dataset_digest: str, categories: Sequence[str] = DEFAULT_CATEGORIES) -> str:
    """Key of a data set's survey.

    Args:
        dataset_digest: hex digest of its content.
        categories: of the annotations, in the order in which they are asked for.
    """
    return content_key("survey", {"dataset": dataset_digest, "categories": list(categories)})


def surveyed(
    dataset: Dataset, store: Store, reporter: Reporter, categories: Sequence[str] = DEFAULT_CATEGORIES
) -> tuple[ConceptTable, Survey]:
    """The concepts of a data set and its survey; reads every image and mask the first time.

    Args:
        dataset: what to survey.
        store: where the survey is kept.
        reporter: progress, cancellation, and the seconds of stage "survey".
        categories: of the annotations.

    Raises:
        DatasetError: unknown category, no concept, or no image that can be read.
        Cancelled: the user stopped it.
    """
    table = dataset.concepts(categories)
    digest = dataset.compute_digest(cancelled=reporter.cancelled)

    tell = reporter.tell_part or reporter.tell

    def work() -> Record:
        start = time.perf_counter()
        found = datasets.survey(
            dataset,
            table,
            progress=lambda done, total: tell("reading annotations", done, total),
            cancelled=reporter.cancelled,
        )
        reporter.seconds["survey"] = time.perf_counter() - start
        return Record(*found.to_record())

    record = store.compute(survey_key(digest, categories), work, reporter.cancelled)
    return table, Survey.from_record(record.arrays, record.metadata)


def planned(dataset: Dataset, spec: NetworkSpec, store: Store, reporter: Reporter) -> ClassPlan:
    """The classes of a data set that a network knows; surveys the data set only where that decides them.

    Raises:
        UserError: as `class_plan` and `surveyed`.
        Cancelled: the user stopped it.
    """
    try:
        return class_plan(dataset, spec, None)
    except NeedsSurvey:
        return class_plan(dataset, spec, surveyed(dataset, store, reporter)[1])


def known_survey(
    dataset: Dataset, store: Store, categories: Sequence[str] = DEFAULT_CATEGORIES
) -> Survey | None:
    """The survey where it was made before; reads no picture that did not change since."""
    record = store.get(survey_key(dataset.digest, categories))
    return None if record is None else Survey.from_record(record.arrays, record.metadata)
