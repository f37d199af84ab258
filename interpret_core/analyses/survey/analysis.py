"""The survey, as the registry knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from interpret_core import __version__, datasets
from interpret_core.analyses.base import Analysis, Cost, Plan
from interpret_core.analyses.survey.request import SurveyRequest
from interpret_core.concepts import ConceptTable
from interpret_core.datasets import Dataset, Survey
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.survey import known_survey, survey_key, surveyed
from interpret_core.store.store import Store
from interpret_core.tables import Row, Table

COLUMNS = ("category", "concept", "number", "images", "pixels")
SHOWN = 10


@dataclass(frozen=True)
class Surveyed:
    """A survey and what it is of."""

    dataset: Dataset
    table: ConceptTable
    survey: Survey


class SurveyAnalysis(Analysis[SurveyRequest, Surveyed]):
    """What one read of every image and mask tells."""

    def plan(self, request: SurveyRequest, store: Store) -> Plan:
        """One record."""
        dataset = datasets.open_dataset(request.dataset)
        keys = {"survey": survey_key(dataset.digest, request.categories)}
        missing = tuple(name for name, key in keys.items() if not store.has(key))
        words = f"reads {len(dataset):,} images and their annotations" if missing else ""
        return Plan(keys, missing, Cost(words))

    def run(self, request: SurveyRequest, store: Store, execution: Execution) -> Surveyed:
        """Read everything, unless it was read before."""
        dataset = datasets.open_dataset(request.dataset)
        reporter = Reporter(execution.tell, execution.cancelled)  # here the survey is all there is to do
        return Surveyed(dataset, *surveyed(dataset, store, reporter, request.categories, execution))

    def find(self, request: SurveyRequest, store: Store) -> Surveyed | None:
        """The survey, if it is there."""
        dataset = datasets.open_dataset(request.dataset)
        found = known_survey(dataset, store, request.categories)
        return None if found is None else Surveyed(dataset, dataset.concepts(request.categories), found)

    def columns(self, found: Surveyed) -> Sequence[str]:
        """A concept's name, and how often it is there."""
        return COLUMNS

    def rows(self, found: Surveyed) -> Iterator[Row]:
        """Concept by concept."""
        survey = found.survey
        for at, (concept, name) in enumerate(zip(found.table.concepts, found.table.names, strict=True)):
            yield {
                "category": concept.category,
                "concept": name,
                "number": concept.number,
                "images": int(survey.concept_images[at]),
                "pixels": int(survey.concept_pixels[at]),
            }

    def description(self, found: Surveyed) -> Row:
        """Images that could not be read, with the reason."""
        return {
            "version": __version__,
            "dataset": {"name": found.dataset.name, "digest": found.dataset.digest},
            "images": int(found.survey.valid.sum()),
            "skipped": [[problem.image, problem.reason] for problem in found.survey.problems],
        }

    def report(self, found: Surveyed, verbose: bool) -> Iterator[str | Table]:
        """Images, and the concepts in most of them."""
        survey = found.survey
        yield f"{found.dataset.name}: {int(survey.valid.sum()):,} images, {len(found.table):,} concepts"
        if survey.problems:
            yield f"{len(survey.problems):,} skipped as damaged, the first: {survey.problems[0].reason}"
        if not len(found.table):
            yield (
                "Nothing in them is annotated, so there is no concept to count; colours and shades are kept. "
                "profile shows what its units respond to all the same, image-labels what labels of whole "
                "images they tell."
            )
            return
        rows = list(self.rows(found))
        order = np.argsort([-row["images"] for row in rows], kind="stable")
        cells = [tuple(rows[at].values()) for at in order[: None if verbose else SHOWN]]
        yield Table("Concepts in most images", COLUMNS, cells, ("number", "images", "pixels"))

    def shipped(self, network: str, dataset: str) -> Sequence[SurveyRequest]:
        """The default request."""
        return (SurveyRequest(dataset),)
