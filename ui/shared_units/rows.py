"""Units that several classes share, as the page shows them: overlaps, hubs, counts. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.figures.colours import NEUTRAL
from interpret_core.figures.figure import Figure
from interpret_core.figures.heat import Heat, HeatCell
from interpret_core.figures.scales import NEGATIVE
from interpret_core.figures.template import finish
from interpret_core.measures.shared_units import Overlap, SharedUnits
from ui.session.view import LayerView
from ui.shell.plain import plain
from ui.shell.theme import count_text, p_text


class HubRow(NamedTuple):
    """A unit in the sets of several classes.

    Attributes:
        helps, hurts: its classes by the sign of its summed G.
    """

    layer: str
    unit: int
    label: str
    iou: float | None
    helps: tuple[str, ...]
    hurts: tuple[str, ...]

    @property
    def classes(self) -> int:
        """In how many sets it is."""
        return len(self.helps) + len(self.hurts)


def overlap_heat(found: Overlap, classes: Sequence[str], whose: str) -> Heat:
    """Class × class Jaccard; a class with itself is left blank; `whose`: network, data set and evidence."""
    rows = []
    for one in range(len(classes)):
        cells = []
        for other in range(len(classes)):
            if one == other:
                cells.append(HeatCell(math.nan, "itself", count_text(int(found.sizes[one]), "unit")))
                continue
            value = float(found.jaccard[one, other])
            p_value = p_text(float(found.p_value[one, other]))
            note = (
                f"{int(found.both[one, other])} units in both, of {int(found.sizes[one])} and "
                f"{int(found.sizes[other])}\nchance {found.chance[one, other]:.3f}, p = {p_value}"
            )
            cells.append(HeatCell(value, f"{value:.2f}", note))
        rows.append(cells)
    off = found.jaccard[~np.eye(len(classes), dtype=bool)]
    high = float(off.max(initial=0)) or 1.0
    chance = "" if math.isnan(found.mean_chance) else f", {found.mean_chance:.3f} by chance"
    what, scale = "Overlap of the classes’ sets of units", f"Jaccard index of the two sets{chance}"
    return Heat(what, whose, classes, classes, rows, 0.0, high, scale)


def hub_rows(
    found: SharedUnits,
    layers: Sequence[str],
    records: Mapping[str, ClassRelevance],
    views: Mapping[str, LayerView],
    among: Sequence[str] = (),
    within: str = "",
) -> list[HubRow]:
    """Units in many sets, or in the sets of all of `among`; those in most sets first.

    Args:
        found: the sets.
        layers: names, in the order of the sets.
        records: by class, in the order of the sets.
        views: profiles by layer, for labels; may lack layers.
        among: classes whose sets must all hold the unit; without any, hubs as the core defines them.
        within: a layer's name, empty for all.
    """
    classes = list(records)
    signs: dict[tuple[str, str], NDArray[np.float64]] = {}  # class and layer -> ΣG of its units
    wanted = {classes.index(name) for name in among}

    def net(name: str, layer: str, unit: int) -> float:
        if (name, layer) not in signs:
            part = records[name].layer(layer)
            signs[name, layer] = part.positive + part.negative
        return float(signs[name, layer][unit])

    made = []
    for hub in found.hubs(len(wanted) or None):
        layer = layers[hub.layer]
        if (within and layer != within) or not wanted <= set(hub.classes):
            continue
        names = [classes[number] for number in hub.classes]
        against = tuple(name for name in names if net(name, layer, hub.unit) < 0)
        view = views.get(layer)
        made.append(
            HubRow(
                layer,
                hub.unit,
                view.label(hub.unit) if view else "",
                float(view.iou[hub.unit]) if view else None,
                tuple(name for name in names if name not in against),
                against,
            )
        )
    return made


def count_bars(observed: NDArray[np.int64], expected: NDArray[np.float64], badge: str = "") -> Figure:
    """Units in at least m classes' sets beside what chance would give, m = 1, 2, …, on a log axis."""
    places = list(range(1, len(observed)))
    figure = Figure()
    figure.add_bar(
        x=places,
        y=[int(n) for n in observed[1:]],
        name="observed",
        marker={"color": NEGATIVE},
        text=[f"{n:,}" if n else "" for n in observed[1:].tolist()],
        textposition="auto",
        insidetextanchor="middle",
        textangle=0,
        cliponaxis=False,
        hovertemplate="in at least %{x} sets: %{y:,} units<extra></extra>",
    )
    figure.add_scatter(
        x=places,
        y=[float(n) if n > 0.005 else None for n in expected[1:]],
        name="by chance",
        mode="lines+markers",
        line={"color": NEUTRAL, "dash": "dash", "width": 2},
        marker={"symbol": "diamond", "size": 7},
        hovertemplate="chance: %{y:.2f} units in at least %{x} sets<extra></extra>",
    )
    figure.update_xaxes(title="in the sets of at least so many classes", dtick=1, type="linear")
    figure.update_yaxes(title="units (log)", type="log", dtick=1)
    return finish(figure, height=300, badge=badge)


def pair_rows(
    found: Overlap, classes: Sequence[str], heading: Mapping[str, str], layer: str
) -> list[dict[str, Any]]:
    """Every pair of classes as flat records, most overlap first."""
    pairs = [(one, other) for one in range(len(classes)) for other in range(one + 1, len(classes))]
    return [
        {
            **heading,
            "layer": layer,
            "class": classes[one],
            "other_class": classes[other],
            "units": int(found.sizes[one]),
            "other_units": int(found.sizes[other]),
            "both": int(found.both[one, other]),
            "jaccard": float(found.jaccard[one, other]),
            "chance": float(found.chance[one, other]),
            "p_value": float(found.p_value[one, other]),
        }
        for one, other in sorted(pairs, key=lambda pair: -found.jaccard[pair])
    ]


class Told(NamedTuple):
    """What the first sentence is about: title, harmless as Markdown; share of units; layer, empty for all."""

    title: str
    top: float
    layer: str = ""


def facts_sentence(found: SharedUnits, layers: Sequence[str], told: Told) -> str:
    """The page's first sentence."""
    at = layers.index(told.layer) if told.layer else -1
    overlap = found.by_layer[at] if told.layer else found.whole
    observed, expected = found.observed, found.expected
    many, likely = (observed[at], expected[at]) if told.layer else (observed.sum(0), expected.sum(0))
    mean, chance = (
        "—" if math.isnan(value) else f"{value:.3f}" for value in (overlap.mean_jaccard, overlap.mean_chance)
    )
    where = plain(told.layer) if told.layer else "all layers"
    start = (
        f"**{told.title}**, top {100 * told.top:g} % of units per class in {where}: two classes' sets "
        f"overlap with a mean Jaccard index of **{mean}** ({chance} by chance)"
    )
    if found.many >= observed.shape[1]:
        return f"{start}; at this share, chance alone puts units into the sets of all classes."
    count = int(many[found.many])
    return (
        f"{start}; **{count_text(count, 'unit')}** in the sets of {found.many} classes or more "
        f"({float(likely[found.many]):.2g} by chance)."
    )
