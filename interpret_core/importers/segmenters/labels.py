"""What a segmenter says of its labels: names in order, or number -> name, with categories if it likes."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.concepts import predicted
from interpret_core.datasets.tables import MAX_LABEL
from interpret_core.errors import DatasetError
from interpret_core.importers.base import OBJECT, NewLabel, checked_labels
from interpret_core.importers.palettes import means_nothing

NONE, STRANGE = 0, -1  # what a number stands for
_SHOWN = 6


@dataclass(frozen=True, eq=False)
class PredictedLabels:
    """Labels that a segmenter may give.

    Attributes:
        labels: marked as predicted, in the order of their numbers.
        nothing: names that stand for unlabelled.
        table: (MAX_LABEL + 2,) number that it gives -> label number, 0 for unlabelled, −1 for none of its
            numbers; the last place is that of −1.
    """

    labels: tuple[NewLabel, ...]
    nothing: tuple[str, ...]
    table: NDArray[np.int64]

    def in_words(self) -> str:
        """The first few with their numbers."""
        shown = ", ".join(f"{one.number} {one.name}" for one in self.labels[:_SHOWN])
        return shown + (f" … {len(self.labels):,} in all" if len(self.labels) > _SHOWN else "")


def predicted_labels(told: Any, where: str) -> PredictedLabels:
    """The labels that a segmenter names.

    Args:
        told: names in order, for the numbers 1, 2, 3 …, or 0, 1, 2 … where the first name stands for
            nothing (`background`, `void`); or number -> name. In place of a name, (name, category).
        where: whose they are, for the message.

    Raises:
        DatasetError: another form, a label without a name or with a number that a map has no place for.
    """
    table = np.full(MAX_LABEL + 2, STRANGE, np.int64)
    table[[0, -1]] = NONE
    labels, nothing = [], []
    for given, one in _pairs(told, where):
        number, (name, category) = _number(given, where), _named(one, where)
        if means_nothing(name):
            nothing.append(name)
            table[number] = NONE
        elif number == 0:
            raise DatasetError(
                f"{where} name 0 {name!r}, but 0 stands for unlabelled: number the labels from 1, in the "
                "maps too."
            )
        else:
            labels.append(NewLabel(number, predicted(name), category))
            table[number] = number
    if not labels:
        raise DatasetError(f"{where} name nothing, expected at least one label: list their names.")
    ordered = sorted(labels, key=lambda one: one.number)
    return PredictedLabels(tuple(checked_labels(ordered, where)), tuple(nothing), table)


def channel_labels(names: Sequence[str], where: str) -> tuple[PredictedLabels, NDArray[np.int64]]:
    """The labels of a network's outputs, and (K,) the label number of each output, 0 for unlabelled.

    Raises:
        DatasetError: as `predicted_labels`.
    """
    found = predicted_labels(names, where)
    first = _first(names)
    return found, found.table[first : first + len(names)]


def _pairs(told: Any, where: str) -> Iterable[tuple[Any, Any]]:
    if isinstance(told, Mapping):
        return told.items()
    if isinstance(told, Iterable) and not isinstance(told, (str, bytes)):
        names = tuple(told)
        return enumerate(names, _first(names))
    raise DatasetError(
        f"{where} are of type {type(told).__name__}, expected a list of names for 1, 2, 3 …, or number -> "
        "name: give the segmenter an attribute `labels`."
    )


def _first(names: Sequence[Any]) -> int:
    """The number of the first name: 0 where it stands for nothing, as in the lists of most networks."""
    name = next(iter(names), "")
    name = name[0] if isinstance(name, (tuple, list)) and name else name
    return 0 if isinstance(name, str) and means_nothing(name) else 1


def _number(given: Any, where: str) -> int:
    try:
        number = -1 if isinstance(given, (bool, np.bool_)) else operator.index(given)
    except TypeError:
        number = -1
    if not 0 <= number <= MAX_LABEL:
        raise DatasetError(f"{where} have the number {given!r}, expected whole ones from 1 to {MAX_LABEL}.")
    return number


def _named(one: Any, where: str) -> tuple[str, str]:
    name, category = one if isinstance(one, (tuple, list)) and len(one) == 2 else (one, OBJECT)
    if not isinstance(name, str) or not isinstance(category, str) or not name.strip():
        raise DatasetError(f"{where} hold {one!r}, expected a name, or (name, category): write texts.")
    return str(name).strip(), str(category)
