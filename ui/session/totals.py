"""Relevance of whole layers as the pages show it: layers × classes, and the images that are flagged.

Pure functions over records: no Streamlit, no files. Layers are never compared without saying on which scale
(docs/method.md#mass); units are ranked within a layer, in `ui.unit_rows`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.relevance.result import ClassRelevance
from ui.session.view import SMALL

VIEWS = {
    "mass": "relevance mass",
    "raw": "raw sum, as in the paper",
    "share": "share within the class",
    "unit": "mean per unit",
}
COLUMNS = {"mass": "relevance_mass", "raw": "raw_sum", "share": "share_within_class", "unit": "mean_per_unit"}
ALL_WRONG, FEW = "✕", "○"  # before a class's name
SPACE = "\N{NO-BREAK SPACE}"  # between a number and its unit
SPAN = 30  # times the middle number: from here on an even scale leaves most cells without colour


class Totals(NamedTuple):
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


class Flag(NamedTuple):
    """One image whose gradients do not add up in some layers."""

    name: str
    image: str
    number: int
    layers: tuple[str, ...]
    worst: float
    points: int


def totals_of(record: ClassRelevance) -> Totals:
    """A class's layers as whole numbers of mass."""
    names = tuple(shape.name for shape in record.layers)
    return Totals(
        names,
        tuple(shape.units for shape in record.layers),
        np.array([record.mass(name) for name in names]),
        np.array([float(record.layer(name).relevance.sum()) for name in names]),
        record.flagged.sum(0).astype(np.int64),
        len(record.images),
        int(record.right.sum()),
        bool(record.metadata["masked"]),
    )


def values(found: Totals, view: str) -> NDArray[np.float64]:
    """(L,) numbers of a class in one of `VIEWS`; a class without any relevance has shares of 0."""
    if view == "raw":
        return found.raw
    if view == "unit":
        return found.mass / np.maximum(np.array(found.units), 1)
    if view == "share":
        whole = float(found.mass.sum())
        return found.mass / whole if whole > 0 else np.zeros_like(found.mass)
    return found.mass


def shown(classes: Sequence[str], found: Mapping[str, Totals]) -> tuple[str, ...]:
    """Columns: all classes, but only the computed ones where most are not; the page names the others."""
    here = tuple(name for name in classes if name in found)
    return here if 2 * len(here) < len(classes) else tuple(classes)


def wide(found: Sequence[Totals], view: str) -> bool:
    """Whether an even scale would leave most cells without colour."""
    every = np.concatenate([values(one, view) for one in found]) if found else np.zeros(0)
    return bool(every.size) and float(every.max()) > SPAN * float(np.median(every)) > 0


def scaled_text(value: float, high: float) -> str:
    """A number with as many digits as tell it apart on a scale that ends at `high`."""
    if math.isnan(value):
        return "—"
    if high <= 0 or high < 1e-4:
        return f"{value:.1e}" if value else "0"
    digits = max(0, min(6, 2 - math.floor(math.log10(high))))
    return f"{value:,.{digits}f}".replace("-", "\u2212")


def residual_text(share: float) -> str:
    """A residual in percent; what is far below the tolerance needs no digits."""
    return f"below 0.1{SPACE}%" if share < 0.001 else f"{100 * share:.2g}{SPACE}%"


def share_text(share: float) -> str:
    """A share in percent; one below a hundredth is not nothing."""
    return f"{100 * share:.{0 if share >= 0.01 or share == 0 else 1}f}{SPACE}%"


def flags(record: ClassRelevance) -> list[Flag]:
    """Images with a layer above the tolerance, the worst first."""
    layers = [shape.name for shape in record.layers]
    names = record.metadata["image_names"]
    made = []
    for at in np.flatnonzero(record.flagged.any(1)).tolist():
        here = np.flatnonzero(record.flagged[at])
        worst = int(here[np.argmax(record.residual[at, here])])
        made.append(
            Flag(
                record.name,
                str(names[at]),
                int(record.images[at]),
                tuple(layers[layer] for layer in here),
                float(record.residual[at, worst]),
                int(record.arrays["points"][at, worst]),
            )
        )
    return sorted(made, key=lambda flag: -flag.worst)


def complete(records: Sequence[ClassRelevance]) -> tuple[int, int]:
    """(Image, layer) pairs within the tolerance, and all of them."""
    flagged = [record.flagged for record in records]
    return sum(int((~one).sum()) for one in flagged), sum(one.size for one in flagged)


def layer_rows(
    classes: Sequence[str], found: Mapping[str, Totals], heading: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Layers × classes as flat records, all views side by side.

    Args:
        classes: in the order of the columns; those not computed are left out.
        found: by class.
        heading: network, evidence, data set: in every row.
    """
    rows = []
    for name in classes:
        if name not in found:
            continue
        one = found[name]
        views = {view: values(one, view) for view in VIEWS}
        for at, layer in enumerate(one.layers):
            rows.append(
                {
                    **heading,
                    "class": name,
                    "layer": layer,
                    "units": one.units[at],
                    **{COLUMNS[view]: float(numbers[at]) for view, numbers in views.items()},
                    "images": one.images,
                    "recognised": one.right,
                    "flagged_images": int(one.flagged[at]),
                }
            )
    return rows
