"""One concept in a whole network: the units that match it best, over all layers. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ui.session.view import LayerView, Views

MOST = 6


class Match(NamedTuple):
    """One unit beside one concept.

    Attributes:
        label: the unit's own best concept, which may be another.
        own: its best concept is this one.
        detector: its best IoU, with whatever concept, is above the cut-off.
        significant: better than chance; known for a unit's best concept only.
    """

    layer: str
    unit: int
    iou: float
    ceiling: float
    label: str
    own: bool
    detector: bool
    significant: bool


class Depth(NamedTuple):
    """The best unit of one layer for a concept; unit -1 where none overlaps."""

    layer: str
    unit: int
    iou: float


class Found(NamedTuple):
    """What a network has for a concept.

    Attributes:
        known: the concept is annotated in this network's result.
        included: in enough images to count.
        images: annotated with it.
        detectors: per layer, in forward order, layers without left out.
        best: the best units of all layers, best first.
        depths: the best unit of each layer, in forward order.
    """

    known: bool
    included: bool
    images: int
    detectors: dict[str, int]
    best: list[Match]
    depths: list[Depth]


def counts(views: Views, concept: str) -> dict[str, int]:
    """Detectors of a concept in each layer, in forward order."""
    return {
        name: int((view.detector & (view.best == number)).sum()) if (number := view.find(concept)) >= 0 else 0
        for name, view in views.items()
    }


def find(views: Views, concept: str, most: int = MOST) -> Found:
    """The units of a network that overlap best with a concept, whatever their own label is."""
    first = next(iter(views.values()))
    number = first.find(concept)
    if number < 0:
        return Found(False, False, 0, {}, [], [])
    images = int(first.record["concept_images"][number])
    if not first.summary.included[number]:
        return Found(True, False, images, {}, [], [])
    tables = {name: (view.summary.profile.table_of_iou, view.find(concept)) for name, view in views.items()}
    columns = {name: table.column(number) for name, (table, number) in tables.items()}
    detectors = {name: count for name, count in counts(views, concept).items() if count}
    depths = [_deepest(name, column) for name, column in columns.items()]
    best = [_match(views[name], unit, concept) for name, unit in _strongest(columns, most)]
    return Found(True, True, images, detectors, best, depths)


def _deepest(name: str, column: NDArray[np.float64]) -> Depth:
    unit = int(column.argmax()) if column.size else -1
    return Depth(name, unit, float(column[unit])) if unit >= 0 and column[unit] > 0 else Depth(name, -1, 0.0)


def _strongest(columns: Mapping[str, NDArray[np.float64]], most: int) -> list[tuple[str, int]]:
    """(layer, unit) by IoU, highest first, ties to the earlier layer, then the lower unit; overlaps only."""
    found = [
        (float(column[unit]), name, int(unit))
        for name, column in columns.items()
        for unit in np.argsort(-column, kind="stable")[:most]
        if column[unit] > 0
    ]
    return [(name, unit) for _, name, unit in sorted(found, key=lambda one: -one[0])[:most]]


def _match(view: LayerView, unit: int, concept: str) -> Match:
    number = view.find(concept)
    overlap = view.overlap(unit, number)
    own = bool(view.best[unit] == number)
    return Match(
        view.layer.name,
        unit,
        overlap.iou,
        overlap.ceiling,
        view.label(unit),
        own,
        bool(view.detector[unit]),
        own and bool(view.summary.significant[unit]),
    )


def words(match: Match) -> str:
    """What the unit is to the concept."""
    role = "no detector" if not match.detector else "detector" if match.own else f"detector of {match.label}"
    return f"{role}, significant" if match.significant else role
