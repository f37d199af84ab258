"""Agreement of IoU and relevance as the page shows it: rows of Table I, cells, points. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from interpret_core.analyses.agreement.result import REASONS, Agreement
from interpret_core.figures.agreement import Cuts, UnitPoint
from interpret_core.figures.heat import HOLLOW, Heat, HeatCell
from interpret_core.figures.template import SMALL
from interpret_core.measures.agreement import Cell as State
from interpret_core.options import AGREEMENT_PERMUTATIONS
from ui.components.table.table import Column
from ui.session.totals import SPACE
from ui.session.view import LayerView
from ui.shell.plain import plain
from ui.shell.theme import count_text, p_text

# Islam & Tushar 2021, Table I: error in percent, mean and deviation over layers.
PAPER = {"AlexNet": (7.56, 2.68), "VGG11": (6.21, 1.96), "ResNet18": (9.58, 5.11)}


class Row(NamedTuple):
    """One network's line of Table I, as text."""

    network: str
    evidence: str
    error: str
    chance: str
    p_value: str
    overlap: str
    spearman: str
    cells: str


def row(found: Agreement, evidence: str, title: str) -> Row:
    """A network's line."""
    whole = found.network
    kept = whole.cells(State.KEPT)
    every = len(found.layers) * len(found.classes)
    permutations = found.settings.permutations
    floor = 1 / (1 + permutations) if permutations else None
    return Row(
        title,
        evidence,
        f"{percent(whole.error)} ± {percent(whole.error_sd)}",
        percent(whole.chance),
        p_text(whole.p_value, floor) if permutations else "…",
        percent(whole.overlap, 1),
        "—" if math.isnan(whole.spearman) else f"{whole.spearman:.2f}".replace("-", "\u2212"),
        f"{kept} of {every}",
    )


COLUMNS = (
    Column("network", share=1.4, named=False),
    Column("evidence", help="what its weights are worth", named=False),
    Column(
        "error ± deviation, %",
        help="units whose two marks differ: mean over layers and classes, deviation over layers",
        share=1.3,
        number=True,
    ),
    Column("chance, %", help="the error of marks given at random", number=True),
    Column(
        "p",
        help=f"how often {AGREEMENT_PERMUTATIONS:,} shuffles of the units give as small an error",
        number=True,
    ),
    Column("overlap, %", help="marked units that are the same, over k", number=True),
    Column("Spearman ρ", help="rank correlation of IoU and relevance over all units", number=True),
    Column("cells", help="pairs of layer and class that can be compared", number=True),
)


def percent(share: float, digits: int = 2) -> str:
    """A share in percent, without the sign."""
    return "—" if math.isnan(share) else f"{100 * share:.{digits}f}"


def bound(found: Agreement) -> float:
    """The largest error any cell can have, 2k/U of the layer where it is largest."""
    return max(min(1.0, 2 * layer.count / layer.units) for layer in found.network.layers)


def widest(mean: float, end: float) -> float:
    """The largest deviation of values between 0 and `end` with this mean: √(m (b − m))."""
    return math.sqrt(max(0.0, mean * (end - mean)))


def facts_sentence(found: Agreement, title: str, top: float, untrained: Agreement | None = None) -> str:
    """The page's first sentence.

    Args:
        found: the numbers.
        title: of the network, harmless as Markdown.
        top: share of the units that is marked.
        untrained: the numbers of its untrained control, where they are known.
    """
    whole = found.network
    if math.isnan(whole.error):
        return f"**{title}**: no layer and class can be compared at the top {100 * top:g} % of units."
    verdict = "less than" if whole.error < whole.chance else "no less than"
    count = found.settings.permutations
    p_value = f", p {_equals(whole.p_value, 1 / (1 + count))}" if count else ""
    dataset = plain(found.metadata["dataset"]["name"])
    deviation = f"{percent(whole.error)} ± {percent(whole.error_sd)}{SPACE}%"
    baseline = "."
    if untrained and not math.isnan(untrained.network.error):
        baseline = f"; its untrained control differs in **{percent(untrained.network.error)}{SPACE}%**."
    return (
        f"**{title}** on **{dataset}**: the top {100 * top:g}{SPACE}% of units by IoU with a class's object "
        f"and those by relevance for the class differ in **{deviation}** of a layer's units, {verdict} the "
        f"{percent(whole.chance)}{SPACE}% that chance would give{p_value}; "
        f"{percent(whole.overlap, 0)}{SPACE}% of the marked units are the same{baseline}"
    )


def _equals(p_value: float, floor: float | None = None) -> str:
    text = p_text(p_value, floor)
    return text if text.startswith(("—", "≤")) else f"= {text}"


def cells_heat(found: Agreement, whose: str, high: float) -> Heat:
    """Layers × classes: how far each cell's error is from chance, the error itself written inside.

    Args:
        found: the numbers.
        whose: network, data set and evidence.
        high: end of the scale on both sides of chance, in percent.
    """
    images = found.metadata["images"]
    rows = []
    for layer in found.network.layers:
        row_cells = []
        for at, class_name in enumerate(found.classes):
            few = HOLLOW * (images[class_name] < SMALL)
            if not layer.kept[at]:
                row_cells.append(HeatCell(math.nan, "left out", REASONS[State(layer.state[at])]))
                continue
            error = float(layer.error[at])
            note = (
                f"chance {percent(layer.chance)} %\n{int(layer.both[at])} of {layer.count} marked units are "
                f"the same, p {_equals(float(layer.p_value[at]))}\n"
                f"Spearman {layer.spearman[at]:.2f} over {count_text(layer.units, 'unit')}\n"
                f"{count_text(images[class_name], 'image')}"
            )
            row_cells.append(HeatCell(100 * (error - layer.chance), f"{100 * error:.1f}", note, few))
        rows.append(row_cells)
    return Heat(
        "Error by layer and class",
        whose,
        found.layers,
        found.classes,
        rows,
        -high,
        high,
        "error less chance, % of units: blue agrees better than chance",
        "diverging",
        unit="% of the layer's units",
        hollow=f"fewer than {SMALL} images",
        absent="left out: no top k by IoU",
    )


def farthest(found: list[Agreement]) -> float:
    """End of a scale that several networks share: the largest distance from chance, in percent."""
    far = [
        100 * float(np.nanmax(np.abs(layer.error - layer.chance)))
        for one in found
        for layer in one.network.layers
        if layer.kept.any()
    ]
    return max(far, default=1.0) or 1.0


def points(found: Agreement, layer: str, name: str, views: Mapping[str, LayerView]) -> list[UnitPoint]:
    """A cell's units: IoU with the class's object, relevance, and their marks."""
    here, at, view = found.layer(layer), found.classes.index(name), views[layer]
    return [
        UnitPoint(
            unit,
            view.label(unit),
            view.category(unit),
            float(here.iou[unit, at]),
            float(here.relevance[unit, at]),
            bool(here.by_iou[unit, at]),
            bool(here.by_relevance[unit, at]),
        )
        for unit in range(here.units)
    ]


def cuts(found: Agreement, layer: str, name: str) -> Cuts:
    """Where a cell's marks begin; nowhere for one that is left out."""
    here, at = found.layer(layer), found.classes.index(name)
    if not here.kept[at]:
        return Cuts(None, None)
    return Cuts(
        float(here.iou[here.by_iou[:, at], at].min()),
        float(here.relevance[here.by_relevance[:, at], at].min()),
    )
