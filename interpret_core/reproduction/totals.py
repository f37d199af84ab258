"""Pixel totals of a data set beside published ones, concept by concept, exactly.

A concept is a label within a category, and a label's name may be that of several. A file that names a
category in each row leaves no doubt. Without that column, a name of several concepts is compared where the
file has as many rows of it: then their totals have to be the same numbers, whatever their order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from interpret_core import datasets
from interpret_core.analyses.registry import compute
from interpret_core.analyses.survey.analysis import Surveyed
from interpret_core.analyses.survey.request import SurveyRequest
from interpret_core.concepts import DEFAULT_CATEGORIES, appearance
from interpret_core.datasets import Dataset
from interpret_core.datasets.sheets import numbered_rows
from interpret_core.errors import DatasetError, ParameterError
from interpret_core.reproduction.request import TotalsRequest
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from interpret_core.tables import Row

COLUMNS = ("category", "concept", "published", "here", "difference", "state")
EQUAL, DIFFERENT = "equal", "different"
NOT_HERE, NOT_THERE = "not in the data set", "not in the file"
SEVERAL = "name of several concepts"
MOST = 18  # digits of a total


class PublishedTotal(NamedTuple):
    """A row of the file: its line, category ("" where it has none), concept and pixels."""

    line: int
    category: str
    concept: str
    pixels: int


@dataclass(frozen=True)
class ComparedTotal:
    """A concept's total in the file and in the data set.

    Attributes:
        category, concept: as the data set names them; of a row that fits none, as the file does.
        published, here: pixels; None where one side has none, or it is not known which.
        state: EQUAL, DIFFERENT, NOT_HERE, NOT_THERE or SEVERAL.
        shared: the name is one of several concepts, told apart by nothing but their totals.
    """

    category: str
    concept: str
    published: int | None
    here: int | None
    state: str
    shared: bool = False

    @property
    def wrong(self) -> bool:
        """Whether it counts as a difference: a concept without a pixel need not be in the file."""
        return self.state != EQUAL and not (self.state == NOT_THERE and self.here == 0)

    def row(self) -> Row:
        """Under COLUMNS."""
        known = self.published is not None and self.here is not None
        return {
            "category": self.category or None,
            "concept": self.concept,
            "published": self.published,
            "here": self.here,
            "difference": (self.here or 0) - (self.published or 0) if known else None,
            "state": self.state,
        }


@dataclass(frozen=True)
class ComparedTotals:
    """All concepts of the categories compared.

    Attributes:
        totals: in the data set's order, then rows of the file that fit none.
        categories: that are compared.
        dataset, digest: of the data set.
        images: that were read; `skipped` were not, and are in no total.
        skipped: (image, reason).
        unlisted: pixels that count as unlabelled, since label.csv does not list their label's category.
    """

    totals: tuple[ComparedTotal, ...]
    categories: tuple[str, ...]
    dataset: str
    digest: str
    images: int
    skipped: tuple[tuple[str, str], ...]
    unlisted: int

    @property
    def wrong(self) -> tuple[ComparedTotal, ...]:
        """Those that are not equal."""
        return tuple(one for one in self.totals if one.wrong)

    @property
    def shared(self) -> tuple[str, ...]:
        """Names that several concepts have, and that only their totals tell apart."""
        return tuple(dict.fromkeys(one.concept for one in self.totals if one.shared))

    def description(self) -> dict[str, Any]:
        """What was compared, as JSON takes it."""
        return {
            "dataset": {"name": self.dataset, "digest": self.digest, "images": self.images},
            "categories": list(self.categories),
            "skipped": [list(one) for one in self.skipped],
            "unlisted_pixels": self.unlisted,
            "differences": len(self.wrong),
        }


def read_published(path: Path) -> tuple[PublishedTotal, ...]:
    """The rows of a CSV with the columns concept and pixels, and category where it has one.

    Raises:
        DatasetError: it cannot be read, lacks a column or a name, or has a total that is no whole number.
        ParameterError: it has no row.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(
            f"--published {path} cannot be read ({error.strerror}), expected a CSV with the columns concept "
            "and pixels: check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"--published {path} is not UTF-8: save the table as UTF-8.") from error
    header, rows = numbered_rows(path, text, ("concept", "pixels"))
    at = {name: header.index(name) for name in ("category", "concept", "pixels") if name in header}
    found = tuple(
        _published(path, line, {name: row[place].strip() for name, place in at.items()}) for line, row in rows
    )
    if not found:
        raise ParameterError(f"--published {path} has no row, expected one for each concept: add them.")
    return found


def _published(path: Path, line: int, cells: dict[str, str]) -> PublishedTotal:
    for name in ("category", "concept"):
        if not cells.get(name, "-"):
            raise DatasetError(f"{path} line {line}: {name} is empty, expected a name: fill it in.")
    text = cells["pixels"]
    if not (text.isascii() and text.isdigit() and len(text) <= MOST):
        raise DatasetError(
            f"{path} line {line}: pixels is {text!r}, expected a whole number from 0 on: write digits alone."
        )
    return PublishedTotal(line, cells.get("category", ""), _unquoted(cells["concept"]), int(text))


def _unquoted(name: str) -> str:
    """A name as it was before a table was made harmless for spreadsheets (`tables.spreadsheet_safe`)."""
    return name[1:] if name.startswith("'") and name[1:2] in tuple("=+-@") else name


def compare_totals(
    request: TotalsRequest, published: Sequence[PublishedTotal], store: Store, execution: Execution
) -> ComparedTotals:
    """The data set's totals beside the file's; its survey is computed where it is not stored.

    Args:
        request: as asked.
        published: from `read_published`.
        store: as for any analysis.
        execution: as for any analysis.

    Raises:
        UserError: unknown data set, none of the file's categories, or a concept that two rows name.
        Cancelled: as the survey.
    """
    opened = datasets.open_dataset(request.dataset)
    if not opened.annotated:
        raise DatasetError(
            f"Data set {opened.name} has no annotation, expected masks whose pixels can be counted: name the "
            "folder that holds index.csv and label.csv."
        )
    categories = _categories(opened, published)
    found: Surveyed = compute(SurveyRequest(request.dataset, categories), store, execution)
    totals = tuple(_compared(found, published, request.partial))
    survey = found.survey
    return ComparedTotals(
        totals,
        categories,
        found.dataset.name,
        found.dataset.digest,
        int(survey.valid.sum()),
        tuple((problem.image, problem.reason) for problem in survey.problems),
        survey.unlisted_pixels,
    )


def _categories(dataset: Dataset, published: Sequence[PublishedTotal]) -> tuple[str, ...]:
    """Those that the file names, or all that have labels; the usual four in their usual order, whose survey
    others have read already."""
    labelled = {category for label in dataset.labels.values() for category in label.categories}
    named = {one.category for one in published} - {""}
    wanted = [one for one in dataset.categories if one in (named or labelled) and one in labelled]
    if not wanted:
        raise ParameterError(
            f"The file's categories are {', '.join(sorted(named)) or 'none'}, but expected some of data set "
            f"{dataset.name}, {', '.join(filter(labelled.__contains__, dataset.categories)) or 'none'}: name "
            "them alike."
        )
    return DEFAULT_CATEGORIES if set(wanted) == set(DEFAULT_CATEGORIES) else tuple(wanted)


def _compared(found: Surveyed, published: Sequence[PublishedTotal], partial: bool) -> Iterator[ComparedTotal]:
    candidates = _candidates(found, published)
    groups: dict[tuple[int, ...], list[PublishedTotal]] = {}
    for row, fitting in zip(published, candidates, strict=True):
        groups.setdefault(fitting, []).append(row)
    pixels = found.survey.concept_pixels
    made: dict[int, ComparedTotal] = {}
    odd: list[ComparedTotal] = []
    for fitting, rows in groups.items():
        if any(at in made for at in fitting):
            raise DatasetError(
                f"Line {rows[0].line} of the file names {rows[0].concept!r}, which may mean what another "
                "line names, expected one total of each concept: add a column category."
            )
        if not fitting:
            odd += [ComparedTotal(row.category, row.concept, row.pixels, None, NOT_HERE) for row in rows]
        elif len(fitting) == len(rows):
            made |= _paired(found, fitting, [row.pixels for row in rows])
        else:
            made |= {at: _total(found, at, None, SEVERAL, True) for at in fitting}
            odd += [ComparedTotal("", row.concept, row.pixels, None, SEVERAL, True) for row in rows]
    for at in range(len(pixels)):
        if at in made:
            yield made[at]
        elif not partial:
            yield _total(found, at, None, NOT_THERE)
    yield from odd


def _candidates(found: Surveyed, published: Sequence[PublishedTotal]) -> list[tuple[int, ...]]:
    """Concepts that each row may mean; one that a row means alone is no longer meant by others.

    Raises:
        DatasetError: two rows mean one concept.
    """
    fitting = [_named(found, row) for row in published]
    sure: dict[int, PublishedTotal] = {}
    for row, places in zip(published, fitting, strict=True):
        if len(places) != 1:
            continue
        if places[0] in sure:
            raise DatasetError(
                f"Lines {sure[places[0]].line} and {row.line} of the file both give a total of "
                f"{found.table.names[places[0]]}, expected one: remove a line, or name their categories."
            )
        sure[places[0]] = row
    return [
        places if len(places) == 1 else tuple(place for place in places if place not in sure)
        for places in fitting
    ]


def _named(found: Surveyed, row: PublishedTotal) -> tuple[int, ...]:
    """Concepts of a row's name (also as label.csv has it, `red-c`) within its category, where it has one."""
    wanted = appearance(row.concept)
    concepts = found.table.concepts
    places = found.table.named(row.concept) or tuple(
        at for at, one in enumerate(concepts) if appearance(found.dataset.labels[one.number].raw) == wanted
    )
    if row.category and len(places) == 1 and concepts[places[0]].category != row.category:
        # A name that is unique among all may still be another concept's within the category.
        places = tuple(at for at, one in enumerate(concepts) if appearance(one.name) == wanted)
    return tuple(at for at in places if row.category in ("", concepts[at].category))


def _paired(found: Surveyed, fitting: Sequence[int], totals: Sequence[int]) -> dict[int, ComparedTotal]:
    """Concepts with their totals; of several, equal ones first, the others in order of size."""
    pixels = found.survey.concept_pixels
    left, made = sorted(totals), {}
    shared = len(fitting) > 1
    rest = []
    for at in fitting:
        here = int(pixels[at])
        if here in left:
            left.remove(here)
            made[at] = _total(found, at, here, EQUAL, shared)
        else:
            rest.append(at)
    for at, total in zip(sorted(rest, key=lambda one: int(pixels[one])), left, strict=True):
        made[at] = _total(found, at, total, DIFFERENT, shared)
    return made


def _total(
    found: Surveyed, at: int, published: int | None, state: str, shared: bool = False
) -> ComparedTotal:
    concept = found.table.concepts[at]
    here = int(np.asarray(found.survey.concept_pixels)[at])
    return ComparedTotal(concept.category, found.table.names[at], published, here, state, shared)
