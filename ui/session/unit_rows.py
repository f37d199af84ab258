"""Units by their relevance: a layer's in order for one class, one unit over all classes. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.relevance.result import ClassRelevance, LayerRelevance
from interpret_core.numbers import known
from ui.session.view import LayerView

ORDERS = {
    "relevance": "strongest influence",
    "positive": "most for the class",
    "negative": "most against the class",
    "share": "share inside the object",
    "index": "unit number",
}


SIDES = {"": "for or against", "for": "for the class", "against": "against the class"}


class Ranked(NamedTuple):
    """A unit of a layer under one class; what only the profile knows is None or empty without it."""

    unit: int
    label: str
    category: str
    iou: float | None
    detector: bool
    word: str
    relevance: float
    positive: float
    negative: float
    share: float
    per_pixel: float


def ranking(part: LayerRelevance, order: str) -> NDArray[np.int64]:
    """(U,) units in one of `ORDERS`; ties by unit number, a unit without a share last."""
    score = {
        "relevance": part.relevance,
        "positive": part.positive,
        "negative": -part.negative,
        "share": np.nan_to_num(part.in_mask_share, nan=-1.0),
        "index": -np.arange(part.shape.units, dtype=np.float64),
    }[order]
    return np.argsort(-score, kind="stable")


def on_side(part: LayerRelevance, side: str) -> NDArray[np.bool_]:
    """(U,) whether what speaks for the class outweighs what speaks against it, or the other way round.

    Args:
        part: the layer under the class.
        side: one of `SIDES`; every unit is on none in particular, and one in balance on none else.
    """
    balance = np.asarray(part.positive, np.float64) + np.asarray(part.negative, np.float64)
    if side == "for":
        return np.asarray(balance > 0)
    if side == "against":
        return np.asarray(balance < 0)
    return np.ones(part.shape.units, dtype=np.bool_)


def ranked(part: LayerRelevance, view: LayerView | None, units: Sequence[int]) -> list[Ranked]:
    """These units of a layer, with what the profile says of them where there is one."""
    known = view if view is not None and view.layer.units == part.shape.units else None
    return [
        Ranked(
            int(unit),
            known.label(unit) if known else "",
            known.category(unit) if known else "",
            float(known.iou[unit]) if known else None,
            bool(known.detector[unit]) if known else False,
            known.word(unit) if known else "",
            float(part.relevance[unit]),
            float(part.positive[unit]),
            float(part.negative[unit]),
            float(part.in_mask_share[unit]),
            float(part.per_pixel_mean[unit]),
        )
        for unit in units
    ]


def by_class(records: Mapping[str, ClassRelevance], layer: str, unit: int) -> list[dict[str, Any]]:
    """One unit under every class, most relevant first: for its bars, its table and its JSON."""
    made = []
    for name, record in records.items():
        if layer not in {shape.name for shape in record.layers}:
            continue
        part = record.layer(layer)
        if unit >= part.shape.units:
            continue
        order = np.argsort(-part.relevance, kind="stable")
        made.append(
            {
                "class": name,
                "relevance": float(part.relevance[unit]),
                "positive": float(part.positive[unit]),
                "negative": float(part.negative[unit]),
                # Of a whole image everything is inside.
                "in_mask_share": known(part.in_mask_share[unit]) if record.metadata["masked"] else None,
                "rank": int(np.flatnonzero(order == unit)[0]) + 1,
                "units": part.shape.units,
                "images": len(record.images),
                "recognised": int(record.right.sum()),
                "flagged": int(part.flagged.sum()),
            }
        )
    return sorted(made, key=lambda row: -row["relevance"])


def unit_rows(record: ClassRelevance, layer: str, view: LayerView | None) -> list[dict[str, Any]]:
    """Every unit of a layer under one class as flat records, most relevant first."""
    part = record.layer(layer)
    metadata = record.metadata
    common = {
        "network": metadata["network"]["name"],
        "evidence": metadata["network"]["evidence"],
        "dataset": metadata["dataset"]["name"],
        "class": record.name,
        "layer": layer,
    }
    return [
        {
            **common,
            "unit": one.unit,
            "concept": one.label,
            "category": one.category,
            "iou": one.iou,
            "relevance": one.relevance,
            "positive": one.positive,
            "negative": one.negative,
            "in_mask_share": known(one.share),
            "per_pixel_mean": one.per_pixel,
            "images": len(record.images),
            "flagged_images": int(part.flagged.sum()),
            "method": metadata["method"],
            "baseline": metadata["baseline"],
            "output": metadata["output"],
            "split": metadata["split"],
            "masked": metadata["masked"],
        }
        for one in ranked(part, view, ranking(part, "relevance").tolist())
    ]
