"""The table behind `relevance --out`, one row per unit and class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.numbers import known
from interpret_core.tables import Row

COLUMNS = (
    "layer",
    "unit",
    "class",
    "relevance",
    "positive",
    "negative",
    "in_mask_share",
    "per_pixel_mean",
    "residual",
    "points",
    "images",
)


def rows(classes: Iterable[ClassRelevance]) -> Iterator[Row]:
    """A row of COLUMNS per unit and class; residual is the largest of the images', points their mean."""
    for one in classes:
        for shape in one.layers:
            layer = one.layer(shape.name)
            shared = {
                "residual": known(layer.residual.max()),
                "points": float(layer.points.mean()),
                "images": len(one.images),
            }
            for unit in range(shape.units):
                yield {
                    "layer": shape.name,
                    "unit": unit,
                    "class": one.name,
                    "relevance": float(layer.relevance[unit]),
                    "positive": float(layer.positive[unit]),
                    "negative": float(layer.negative[unit]),
                    "in_mask_share": known(layer.in_mask_share[unit]),
                    "per_pixel_mean": float(layer.per_pixel_mean[unit]),
                    **shared,
                }
