"""Counts to bars: detectors per layer, concepts by detectors. Pure functions: no Streamlit, no files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from interpret_core.analyses.profile.summary import LayerSummary
from interpret_core.figures.colours import CATEGORY_COLOURS, NEUTRAL, colour_of
from interpret_core.figures.figure import Figure
from interpret_core.figures.template import SMALL, finish, layer_axis
from interpret_core.figures.text import figure_text

HEIGHT = 410  # pixels of the detector bars, names and legend included
DIM = 0.3  # opacity of what is not the chosen concept's


class Chosen(NamedTuple):
    """The chosen concept's share of the detectors: layer -> how many."""

    concept: str
    category: str
    counts: Mapping[str, int]


class Panel(NamedTuple):
    """One network's layers for the detector bars.

    Attributes:
        counts: layer -> category -> (detectors, distinct concepts).
        units: layer -> number of units.
        images: images behind the result; fewer than 10 are drawn hollow with an interval.
        chosen: the concept to stand out, the rest dimmed.
    """

    title: str
    counts: Mapping[str, Mapping[str, tuple[int, int]]]
    units: Mapping[str, int]
    images: int
    chosen: Chosen | None = None


def panel_of(layers: Mapping[str, LayerSummary], badge: str, chosen: Chosen | None = None) -> Panel:
    """A network's layers for the stacked bars.

    Args:
        layers: by name, at least one.
        badge: whose they are, and what the evidence is.
        chosen: the concept to stand out.
    """
    first = next(iter(layers.values()))
    return Panel(
        badge,
        {name: one.detectors_by_category() for name, one in layers.items()},
        {name: one.profile.units for name, one in layers.items()},
        int(first.profile.metadata["dataset"]["images"]),
        chosen,
    )


def concept_counts(layers: Mapping[str, LayerSummary]) -> list[tuple[str, str, int, float]]:
    """Detected concepts of a network: (concept, category, detectors, best IoU), most detectors first."""
    every = list(layers.values())
    first = every[0].profile
    found = np.sum(
        [np.bincount(one.best_concept[one.detector], minlength=len(one.included)) for one in every], axis=0
    )
    best = np.max([one.profile.table_of_iou.largest for one in every], axis=0)
    rows = [
        (name, concept.category, int(found[at]), float(best[at]))
        for at, (name, concept) in enumerate(zip(first.concept_names, first.table.concepts, strict=True))
        if found[at]
    ]
    return sorted(rows, key=lambda row: (-row[2], -row[3], row[0]))


def detector_bars(
    panel: Panel, *, share: bool = False, unique: bool = False, top: float | None = None
) -> Figure:
    """Stacked bars: detectors per layer, one colour per category.

    Args:
        panel: what to draw.
        share: percent of the layer's units in place of counts.
        unique: distinct concepts in place of units.
        top: common upper end of the axis, so that panels side by side compare.
    """
    layers = list(panel.counts)
    figure = Figure()
    for stripe in _stripes(panel, unique):
        figure.add_bar(**_bar(panel, stripe, share=share, unique=unique))
    hollow = panel.images < SMALL
    figure.update_layout(uniformtext={"minsize": 9, "mode": "hide"})
    if hollow and not unique:
        _intervals(figure, panel, layers, share)
    figure.update_layout(
        barmode="stack",
    )
    layer_axis(figure, layers)
    title = "distinct concepts" if unique else "% of units" if share else "detectors"
    figure.update_yaxes(title=title, rangemode="tozero", range=[0, top] if top else None)
    return finish(figure, height=HEIGHT, badge=panel.title)


class _Stripe(NamedTuple):
    """One colour of the stack; `concept` names the chosen one, empty for a whole category."""

    category: str
    concept: str
    numbers: list[int]
    dim: bool


def _stripes(panel: Panel, unique: bool) -> list[_Stripe]:
    """The stack from the bottom: what is chosen first, then the categories without it."""
    layers, chosen = list(panel.counts), panel.chosen
    mine: dict[str, int] = {}
    stripes = []
    if chosen:
        mine = {layer: min(1, n) if unique else n for layer, n in chosen.counts.items()}
        numbers = [mine.get(layer, 0) for layer in layers]
        stripes.append(_Stripe(chosen.category, chosen.concept, numbers, dim=False))
    for category in [c for c in CATEGORY_COLOURS if any(c in panel.counts[layer] for layer in layers)]:
        less = mine if chosen and category == chosen.category else {}
        numbers = [
            panel.counts[layer].get(category, (0, 0))[int(unique)] - less.get(layer, 0) for layer in layers
        ]
        stripes.append(_Stripe(category, "", numbers, dim=chosen is not None))
    return stripes


def _bar(panel: Panel, stripe: _Stripe, *, share: bool, unique: bool) -> dict[str, Any]:
    """One trace; custom data keeps the raw names for what a click leads to."""
    layers, colour, hollow = list(panel.counts), colour_of(stripe.category), panel.images < SMALL
    name = figure_text(stripe.concept or stripe.category)
    pairs = list(zip(stripe.numbers, layers, strict=True))
    marker: dict[str, Any] = {
        "color": "rgba(0,0,0,0)" if hollow else colour,
        "line": {"color": colour, "width": 1.5 if hollow else 0},
    }
    if stripe.concept:  # by a pattern too, not by colour alone
        ground, stroke = ("rgba(0,0,0,0)", colour) if hollow else (colour, "#ffffff")
        marker["pattern"] = {"shape": "/", "bgcolor": ground, "fgcolor": stroke, "size": 6, "solidity": 0.2}
    return {
        "x": [figure_text(layer) for layer in layers],
        "y": [100 * n / max(1, panel.units[layer]) if share else n for n, layer in pairs],
        "name": name,
        "marker": marker,
        "opacity": DIM if stripe.dim else 1,
        "text": ["" if stripe.dim or not n else str(n) for n in stripe.numbers],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "customdata": [[layer, stripe.category, n, panel.units[layer], stripe.concept] for n, layer in pairs],
        "hovertemplate": f"%{{x}} · {name}<br>%{{customdata[2]}} "
        + ("concepts" if unique else "of %{customdata[3]} units")
        + "<extra></extra>",
    }


def _intervals(figure: Figure, panel: Panel, layers: Sequence[str], share: bool) -> None:
    totals = [sum(n for n, _ in panel.counts[layer].values()) for layer in layers]
    bounds = [wilson(k, panel.units[layer]) for k, layer in zip(totals, layers, strict=True)]
    scale = [100.0 if share else float(panel.units[layer]) for layer in layers]
    middle = [k / max(1, panel.units[layer]) * s for k, s, layer in zip(totals, scale, layers, strict=True)]
    figure.add_scatter(
        x=[figure_text(layer) for layer in layers],
        y=middle,
        mode="markers",
        marker={"size": 1, "color": NEUTRAL},
        name=f"95 % interval (n = {panel.images} images)",
        error_y={
            "array": [high * s - m for (_, high), s, m in zip(bounds, scale, middle, strict=True)],
            "arrayminus": [m - low * s for (low, _), s, m in zip(bounds, scale, middle, strict=True)],
        },
        hoverinfo="skip",
    )


def wilson(k: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion. Source: Wilson 1927; 0/0 is (0, 1)."""
    if n == 0:
        return 0.0, 1.0
    share = k / n
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    middle = share + z * z / (2 * n)
    scale = 1 + z * z / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def concept_bars(
    counts: Sequence[tuple[str, str, int, float]], limit: int = 30, badge: str = "", chosen: str = ""
) -> Figure:
    """Concepts by number of detectors, most first: (concept, category, units, best IoU).

    Custom data keeps the raw names for what a click leads to; all that is drawn is escaped. The chosen one
    carries a mark before its name and stays bright among the others, also where it is not among the first.
    """
    rows = list(counts)[:limit]
    rows += [row for row in counts[limit:] if row[0] == chosen]
    rows = rows[::-1]
    bright = chosen in {row[0] for row in rows}
    names = {row[0]: _marked(row[0], chosen) for row in rows}
    figure = Figure()
    for category in [c for c in CATEGORY_COLOURS if any(row[1] == c for row in rows)]:
        mine = [row for row in rows if row[1] == category]
        figure.add_bar(
            y=[names[row[0]] for row in mine],
            x=[row[2] for row in mine],
            orientation="h",
            name=figure_text(category),
            marker={
                "color": [
                    _dimmed(colour_of(category)) if bright and row[0] != chosen else colour_of(category)
                    for row in mine
                ]
            },
            text=[str(row[2]) for row in mine],
            textposition="outside",
            cliponaxis=False,
            customdata=[[row[0], row[1], row[3]] for row in mine],
            hovertemplate=f"%{{y}} ({figure_text(category)})<br>"
            "%{x} units, best IoU %{customdata[2]:.3f}<extra></extra>",
        )
    figure.update_layout(barmode="stack")
    figure.update_yaxes(
        type="category",  # also where all names are numbers
        categoryorder="array",
        categoryarray=[names[row[0]] for row in rows],
        automargin=True,
        tickmode="linear",
    )
    most = max((row[2] for row in rows), default=0)
    figure.update_xaxes(title="detectors", rangemode="tozero", dtick=1 if most < 8 else None)
    return finish(figure, height=110 + 21 * max(4, len(rows)), badge=badge)


def _dimmed(colour: str) -> str:
    # Not by a list of opacities: with one, Plotly's own handling of a click on a bar with text fails.
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{DIM})"


def _marked(name: str, chosen: str) -> str:
    return f"<b>▸ {figure_text(name)}</b>" if name == chosen else figure_text(name)
