"""A layer in a few numbers per unit: its label, its shade, what it responds to, and which label misleads.

A view keeps three numbers for each unit and concept, 59 MB of a layer of 2,048 units on 1,197 concepts; this
is what whoever looks through all layers of all networks needs of it, 0.1 MB.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.profile.assessment import COLOURS
from interpret_core.measures.assessment.words import Assessment
from interpret_core.store.records import Record
from ui.session.view import LIVE, STATE_WORDS, LayerView

UNASSESSED = 255


class Tint(NamedTuple):
    """A shade: its name, that among what can be drawn over photographs, its colour."""

    name: str
    drawn: str
    rgb: tuple[int, int, int]


class Misleading(NamedTuple):
    """The unit of a layer whose label misleads most, and how clear that is.

    Attributes:
        score: by how much colour wins, times how far one believes the label.
        colour, annotation: how well either alone tells where it is active (average precision).
    """

    unit: int
    score: float
    colour: float
    annotation: float


@dataclass(frozen=True, eq=False)
class Sketch:
    """Of one layer; each answer is that of the view it was made of.

    Attributes:
        key: where it lies; another key is another layer, or the same with more known of it.
    """

    key: str
    record: Record

    @property
    def units(self) -> int:
        """U."""
        return len(self.iou)

    @property
    def iou(self) -> NDArray[np.float64]:
        """(U,) IoU with the best concept."""
        return self.record["iou"]

    @property
    def best(self) -> NDArray[np.int64]:
        """(U,) the best concept, -1 for none."""
        return self.record["best"]

    def label(self, unit: int) -> str:
        """Name of the unit's best concept, empty when it overlaps with none."""
        return self._label(unit)[0]

    def category(self, unit: int) -> str:
        """Category of the unit's best concept."""
        return self._label(unit)[1]

    def _label(self, unit: int) -> tuple[str, str]:
        return self._labels.get(int(self.best[unit]), ("", "")) if self.iou[unit] > 0 else ("", "")

    @cached_property
    def _labels(self) -> Mapping[int, tuple[str, str]]:
        """Concept -> name and category, of those that are some unit's label."""
        return {number: (name, category) for number, name, category in self.record.metadata["labels"]}

    def shade(self, unit: int) -> tuple[Tint, float] | None:
        """The nearest shade and the IoU with it; None where the unit overlaps with none."""
        number = int(self.record["shade"][unit])
        return (self._tints[number], float(self.record["shade_iou"][unit])) if number >= 0 else None

    @cached_property
    def _tints(self) -> Mapping[int, Tint]:
        """Shade -> what it is called, of those that are some unit's nearest."""
        return {
            number: Tint(name, drawn, (red, green, blue))
            for number, name, drawn, (red, green, blue) in self.record.metadata["shades"]
        }

    def told(self, unit: int) -> str:
        """Name of what the unit's page draws over the photographs by default, empty for nothing."""
        shade = self.shade(unit) if self.record["by_shade"][unit] else None
        return shade[0].drawn if shade else self.label(unit)

    def word(self, unit: int) -> str:
        """`dead`, `tied` or nothing."""
        state = int(self.record["state"][unit])
        return "" if state == LIVE else STATE_WORDS.get(state, "")

    def assessment(self, unit: int) -> Assessment | None:
        """What is said that the unit responds to; None where that was not computed."""
        said = int(self.record["said"][unit])
        return None if said == UNASSESSED else Assessment(said)

    @property
    def misleading(self) -> Misleading | None:
        """The unit whose label misleads most; None without an assessment, and where none does."""
        found = self.record.metadata["misleading"]
        return Misleading(*found) if found else None


def record_of(view: LayerView) -> Record:
    """What is kept of a view; no cut-off changes it."""
    units = range(view.layer.units)
    said = [view.assessment(unit) for unit in units]
    shades = [view.nearest_shade(unit) for unit in units]
    nearest = [view.best_shade(unit) for unit in units]
    return Record(
        {
            "iou": view.iou,
            "best": view.best,
            "state": view.state,
            "said": _array((UNASSESSED if word is None else int(word) for word in said), np.uint8),
            "shade": _array((-1 if number is None else number for number in nearest), np.int32),
            "shade_iou": _array((0.0 if shade is None else shade[2] for shade in shades), np.float64),
            "by_shade": _array((view.shade_of(view.told(unit)) is not None for unit in units), np.bool_),
        },
        {
            "labels": [
                [number, view.concepts[number].name, view.concepts[number].category]
                for number in sorted({int(view.best[unit]) for unit in units if view.label(unit)})
            ],
            "shades": [
                [number, *_tint(view, number)]
                for number in sorted({number for number in nearest if number is not None})
            ],
            "misleading": _misleading(view),
        },
    )


def _tint(view: LayerView, number: int) -> Tint:
    name, rgb = view.shade(number)
    return Tint(name, view.drawn[len(view.concepts) + number].name, rgb)


def _array(values: Iterable[Any], kind: type[np.generic]) -> NDArray[Any]:
    return np.array(list(values), kind)


def _misleading(view: LayerView) -> Misleading | None:
    """The clearest unit.

    A label is believed by its IoU. The margin alone would choose a unit that nobody takes for a detector.
    """
    summary = view.summary
    if summary.assessment is None or summary.assessed is None:
        return None
    precision = summary.assessment.arrays["precision"]
    misleads = np.array([summary.said(unit) is Assessment.COLOUR for unit in range(view.layer.units)])
    misleads &= summary.significant & ~_colour_name(view) & (summary.best_iou > 0)
    score = np.where(misleads, (precision[:, 0] - precision[:, 1]) * summary.best_iou, 0.0)
    unit = int(np.argmax(score)) if score.size else 0
    clear = bool(score.size and score[unit] > 0) and view.best_shade(unit) is not None
    if not clear:
        return None
    return Misleading(unit, *(float(value) for value in (score[unit], *precision[unit, :2])))


def _colour_name(view: LayerView) -> NDArray[np.bool_]:
    """(U,) whether the unit's label is a colour's name."""
    names = view.categories
    colours = names.index(COLOURS) if COLOURS in names else len(names)
    return np.asarray(view.summary.best_category == colours)
