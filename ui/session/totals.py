"""Relevance of whole layers as the pages show it: layers × classes, and the images that are flagged.

Pure functions over records: no Streamlit, no files. Layers are never compared without saying on which scale
(docs/method.md#mass); units are ranked within a layer, in `ui.unit_rows`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.figures.relevance import VIEWS, LayerTotals, values

COLUMNS = {"mass": "relevance_mass", "raw": "raw_sum", "share": "share_within_class", "unit": "mean_per_unit"}
SPACE = "\N{NO-BREAK SPACE}"  # between a number and its unit


class Flag(NamedTuple):
    """One image whose gradients do not add up in some layers."""

    name: str
    image: str
    number: int
    layers: tuple[str, ...]
    worst: float
    points: int


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
    classes: Sequence[str], found: Mapping[str, LayerTotals], heading: Mapping[str, str]
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
