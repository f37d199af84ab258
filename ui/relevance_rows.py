"""A class's relevance as the pages show it: layers × classes, a layer's units in order, flagged images.

Pure functions over records: no Streamlit, no files. Relevance is never compared across layers without saying
on which scale (method §7).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.relevance.record import ClassRelevance, LayerRelevance
from ui.heat import HOLLOW, NOTCH, Cell, Heat
from ui.theme import count_text
from ui.view import SMALL, LayerView

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
COLUMNS = {"mass": "relevance_mass", "raw": "raw_sum", "share": "share_within_class", "unit": "mean_per_unit"}
ORDERS = {
    "relevance": "relevance, highest first",
    "positive": "most for the class",
    "negative": "most against the class",
    "share": "share inside the object",
    "index": "unit number",
}
ALL_WRONG, FEW = "✕", "○"  # before a class's name


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


class Flag(NamedTuple):
    """One image whose gradients do not add up in some layers."""

    name: str
    image: str
    number: int
    layers: tuple[str, ...]
    worst: float
    points: int


def totals(record: ClassRelevance) -> Totals:
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


def heat(title: str, classes: Sequence[str], found: Mapping[str, Totals], view: str, high: float) -> Heat:
    """Layers × classes.

    Args:
        title: network, data set and evidence.
        classes: columns, computed or not.
        found: by class, at least one.
        view: one of `VIEWS`.
        high: upper end, common to the networks that are compared.
    """
    layers = next(iter(found.values())).layers
    columns = {name: values(found[name], view) for name in found}
    missing = Cell(math.nan, "not computed")
    cells = [
        [
            _cell(found[name], float(columns[name][at]), at, high) if name in found else missing
            for name in classes
        ]
        for at in range(len(layers))
    ]
    signs = [found[name].sign if name in found else "" for name in classes]
    return Heat(
        title,
        layers,
        classes,
        cells,
        0.0,
        high,
        SCALES[view],
        column_marks=signs,
        notch="an image above the tolerance",
        hollow=f"{FEW} fewer than {SMALL} images",
        absent="not computed",
    )


def highest(found: Sequence[Totals], view: str) -> float:
    """Upper end of a scale that several networks share."""
    return max((float(values(one, view).max(initial=0)) for one in found), default=0.0) or 1.0


def _cell(found: Totals, value: float, at: int, high: float) -> Cell:
    lines = [f"{count_text(found.images, 'image')}, {found.right} recognised"]
    flagged = int(found.flagged[at])
    if flagged:
        lines.append(f"{flagged} of {found.images} above the tolerance")
    lines.append(count_text(found.units[at], "unit"))
    marks = NOTCH * bool(flagged) + HOLLOW * (found.images < SMALL)
    return Cell(value, scaled_text(value, high), "\n".join(lines), marks)


def scaled_text(value: float, high: float) -> str:
    """A number with as many digits as tell it apart on a scale that ends at `high`."""
    if math.isnan(value):
        return "—"
    if high <= 0 or high < 1e-4:
        return f"{value:.1e}" if value else "0"
    digits = max(0, min(6, 2 - math.floor(math.log10(high))))
    return f"{value:,.{digits}f}".replace("-", "\u2212")


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
                "in_mask_share": _finite(part.in_mask_share[unit]),
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
            "in_mask_share": _finite(one.share),
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


def _finite(value: float | np.floating[Any]) -> float | None:
    return float(value) if math.isfinite(value) else None
