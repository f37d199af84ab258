"""Layers × classes as a heat map: relevance of whole layers, cells, scale and marks. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.figures.heat import HOLLOW, NOTCH, Heat, HeatCell
from interpret_core.figures.template import SMALL
from interpret_core.tables import many

VIEWS = {
    "mass": "relevance mass",
    "raw": "raw sum, as in the paper",
    "share": "share within the class",
    "unit": "mean per unit",
}
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
ALL_WRONG, FEW = "✕", "○"  # before a class's name
SPAN = 30  # times the middle number: from here on an even scale leaves most cells without colour


class LayerTotals(NamedTuple):
    """One class's relevance of whole layers, in forward order.

    Attributes:
        layers: names; `units`: how many each has.
        mass: Σ_i R_i · hw / (HW); `raw`: Σ_i R_i.
        flagged: images whose residual stayed above the tolerance, by layer.
        images: n; `right`: how many of them the network recognises.
        masked: False where there is no mask, M = 1.
    """

    layers: tuple[str, ...]
    units: tuple[int, ...]
    mass: NDArray[np.float64]
    raw: NDArray[np.float64]
    flagged: NDArray[np.int64]
    images: int
    right: int
    masked: bool

    @property
    def sign(self) -> str:
        """The mark before the class's name, empty for a class without reserve."""
        return ALL_WRONG if not self.right else FEW if self.images < SMALL else ""


class Scale(NamedTuple):
    """Colours of the heat maps: one of `VIEWS`, the upper end, the lower end of a logarithmic scale or 0."""

    view: str
    high: float
    floor: float = 0.0


def totals_of(record: ClassRelevance) -> LayerTotals:
    """A class's layers as whole numbers of mass."""
    names = tuple(shape.name for shape in record.layers)
    return LayerTotals(
        names,
        tuple(shape.units for shape in record.layers),
        np.array([record.mass(name) for name in names]),
        np.array([float(record.layer(name).relevance.sum()) for name in names]),
        record.flagged.sum(0).astype(np.int64),
        len(record.images),
        int(record.right.sum()),
        bool(record.metadata["masked"]),
    )


def values(found: LayerTotals, view: str) -> NDArray[np.float64]:
    """(L,) numbers of a class in one of `VIEWS`; a class without any relevance has shares of 0."""
    if view == "raw":
        return found.raw
    if view == "unit":
        return found.mass / np.maximum(np.array(found.units), 1)
    if view == "share":
        whole = float(found.mass.sum())
        return found.mass / whole if whole > 0 else np.zeros_like(found.mass)
    return found.mass


def shown(classes: Sequence[str], found: Mapping[str, LayerTotals]) -> tuple[str, ...]:
    """Columns: all classes, but only the computed ones where most are not; the page names the others."""
    here = tuple(name for name in classes if name in found)
    return here if 2 * len(here) < len(classes) else tuple(classes)


def wide(found: Sequence[LayerTotals], view: str) -> bool:
    """Whether an even scale would leave most cells without colour."""
    every = np.concatenate([values(one, view) for one in found]) if found else np.zeros(0)
    return bool(every.size) and float(every.max()) > SPAN * float(np.median(every)) > 0


def heat(whose: str, classes: Sequence[str], found: Mapping[str, LayerTotals], scale: Scale) -> Heat:
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
    missing = HeatCell(math.nan, "not computed")
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


def scale_of(found: Sequence[LayerTotals], view: str, *, log: bool = False) -> Scale:
    """A scale that several networks share; a logarithmic one spans three powers of ten at most."""
    every = np.concatenate([values(one, view) for one in found]) if found else np.zeros(0)
    high = float(every.max(initial=0)) or 1.0
    positive = every[every > 0]
    floor = max(float(positive.min(initial=high)), high / 1000) if log else 0.0
    return Scale(view, high, floor if floor < high else 0.0)


def scaled_text(value: float, high: float) -> str:
    """A number with as many digits as tell it apart on a scale that ends at `high`."""
    if math.isnan(value):
        return "—"
    if high <= 0 or high < 1e-4:
        return f"{value:.1e}" if value else "0"
    digits = max(0, min(6, 2 - math.floor(math.log10(high))))
    return f"{value:,.{digits}f}".replace("-", "\u2212")


def _cell(found: LayerTotals, value: float, at: int, scale: Scale) -> HeatCell:
    lines = [f"{many(found.images, 'image', 'images')}, {found.right} recognised"]
    flagged = int(found.flagged[at])
    if flagged:
        lines.append(f"{flagged} of {found.images} above the tolerance")
    lines.append(many(found.units[at], "unit", "units"))
    marks = NOTCH * bool(flagged) + HOLLOW * (found.images < SMALL)
    high = value if scale.floor and value > 0 else scale.high  # by logarithm, digits are each number's own
    return HeatCell(value, scaled_text(value, high), "\n".join(lines), marks)
