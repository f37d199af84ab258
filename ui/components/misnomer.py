"""The unit whose label misleads most: what the paper warns of, found by the numbers of whatever is stored."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.profile.assessment import COLOURS
from interpret_core.measures.assessment.words import Assessment
from ui.components.palette import unnumbered
from ui.session.layers import Layers
from ui.session.memory import kept
from ui.session.view import Identity, LayerView, Views, identity_of

# Colours are what early layers respond to. Further layers are left out, so that the first visit of a deep
# network's home page does not read all of them.
LAYERS = 20


class Misnomer(NamedTuple):
    """A unit that is labelled as one thing and responds to a colour.

    Attributes:
        view: of its layer. unit: 0-based.
        label: its best concept, none of the colour names.
        shade: what it responds to, "blue" or "light blue".
        colour, annotation: how well either alone tells where it is active (average precision).
    """

    view: LayerView
    unit: int
    label: str
    shade: str
    colour: float
    annotation: float


def misnomer(layers: Layers) -> Misnomer | None:
    """The clearest one of a network on a data set; None without an assessment, and where none misleads."""
    if not layers.assessed:
        return None
    first = {name: layers[name] for name in islice(layers, LAYERS)}
    return _clearest(identity_of(first), first)


@kept(64)
def _clearest(identity: Identity, _views: Views) -> Misnomer | None:
    found = [_of_layer(view) for view in _views.values()]
    best = max(found, key=lambda one: one[0], default=(0.0, None))
    return best[1]


def _of_layer(view: LayerView) -> tuple[float, Misnomer | None]:
    """The clearest one of a layer, and how clear: by how much colour wins, times how far one believes it.

    A label is believed by its IoU. The margin alone would choose a unit that nobody takes for a detector.
    """
    summary = view.summary
    if summary.assessment is None or summary.assessed is None:
        return 0.0, None
    precision = summary.assessment.arrays["precision"]
    misleads = np.array([summary.said(unit) is Assessment.COLOUR for unit in range(view.layer.units)])
    misleads &= summary.significant & ~_colour_name(view) & (summary.best_iou > 0)
    score = np.where(misleads, (precision[:, 0] - precision[:, 1]) * summary.best_iou, 0.0)
    unit = int(np.argmax(score)) if score.size else 0
    shade = view.nearest_shade(unit) if score.size and score[unit] > 0 else None
    if shade is None:
        return 0.0, None
    colour, annotation = float(precision[unit, 0]), float(precision[unit, 1])
    return float(score[unit]), Misnomer(
        view, unit, view.label(unit), unnumbered(shade[0]), colour, annotation
    )


def _colour_name(view: LayerView) -> NDArray[np.bool_]:
    """(U,) whether the unit's label is a colour's name."""
    names = view.categories
    colours = names.index(COLOURS) if COLOURS in names else len(names)
    return np.asarray(view.summary.best_category == colours)
