"""Layers × classes as a heat map: cells, scale and marks. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ui.components.heat.heat import HOLLOW, NOTCH, Cell, Heat
from ui.session.totals import FEW, Totals, scaled_text, values
from ui.session.view import SMALL
from ui.shell.theme import count_text

SCALES = {
    "mass": "relevance mass: Σ |G| inside the object, one scale for all grids",
    "raw": "Σ R over the layer’s units: grows with the upsampling, see “How computed”",
    "share": "relevance mass over that of all layers: each column adds up to 1",
    "unit": "relevance mass over the layer’s units",
}
SHOWN = {
    "mass": "Relevance mass",
    "raw": "Raw sum of relevance",
    "share": "Share of each class’s relevance",
    "unit": "Relevance mass per unit",
}


class Scale(NamedTuple):
    """Colours of the heat maps: one of `VIEWS`, the upper end, the lower end of a logarithmic scale or 0."""

    view: str
    high: float
    floor: float = 0.0


def heat(whose: str, classes: Sequence[str], found: Mapping[str, Totals], scale: Scale) -> Heat:
    """Layers × classes.

    Args:
        whose: network, data set and evidence.
        classes: columns, computed or not.
        found: by class, at least one.
        scale: common to the networks that are compared.
    """
    view, high, floor = scale
    layers = next(iter(found.values())).layers
    columns = {name: values(found[name], view) for name in found}
    missing = Cell(math.nan, "not computed")
    cells = [
        [
            _cell(found[name], float(columns[name][at]), at, scale) if name in found else missing
            for name in classes
        ]
        for at in range(len(layers))
    ]
    masked = any(one.masked for one in found.values())
    label = SCALES[view] if masked else SCALES[view].replace("inside the object", "over the whole image")
    signs = [found[name].sign if name in found else "" for name in classes]
    return Heat(
        f"{SHOWN[view]} by layer and class",
        whose,
        layers,
        classes,
        cells,
        0.0,
        high,
        label + ("; colours by logarithm" if floor else ""),
        column_marks=signs,
        floor=floor,
        notch="an image above the tolerance",
        hollow=f"{FEW} fewer than {SMALL} images",
        absent="not computed",
    )


def scale_of(found: Sequence[Totals], view: str, *, log: bool = False) -> Scale:
    """A scale that several networks share; a logarithmic one spans three powers of ten at most."""
    every = np.concatenate([values(one, view) for one in found]) if found else np.zeros(0)
    high = float(every.max(initial=0)) or 1.0
    positive = every[every > 0]
    floor = max(float(positive.min(initial=high)), high / 1000) if log else 0.0
    return Scale(view, high, floor if floor < high else 0.0)


def _cell(found: Totals, value: float, at: int, scale: Scale) -> Cell:
    lines = [f"{count_text(found.images, 'image')}, {found.right} recognised"]
    flagged = int(found.flagged[at])
    if flagged:
        lines.append(f"{flagged} of {found.images} above the tolerance")
    lines.append(count_text(found.units[at], "unit"))
    marks = NOTCH * bool(flagged) + HOLLOW * (found.images < SMALL)
    high = value if scale.floor and value > 0 else scale.high  # by logarithm, digits are each number's own
    return Cell(value, scaled_text(value, high), "\n".join(lines), marks)
