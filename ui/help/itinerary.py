"""The tour's eight steps: where each leads, what is seen there, and what follows from it.

Chosen by the numbers of whatever network and data set have results; a step whose numbers are not there yet
says so. Texts are plain: the strip shows names letter by letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from interpret_core import demo
from interpret_core.analyses.agreement import compute as agreements
from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.errors import UnitscopeError
from interpret_core.figures.relevance import LayerTotals
from interpret_core.measures.shared_units import Overlap
from ui.components.misnomer import misnomer
from ui.session import precedence, relevances, results
from ui.session.layers import Layers
from ui.session.memory import kept
from ui.session.relevances import Found, Wanted
from ui.session.view import LayerView
from ui.shell import lists
from ui.shell.sidebar import Ask
from ui.shell.theme import count_text

STEPS = 8
DEMO = Ask(f"{demo.PREFIX}{demo.NETWORKS[0]}", demo.NAME)
NOT_YET = "This is not computed for the network yet: the page says what it costs, and has the button."


class Stop(NamedTuple):
    """A step of the tour.

    Attributes:
        page: its address.
        parameters: of the page.
        see, conclude: one sentence each.
    """

    page: str
    parameters: Mapping[str, str | int]
    see: str
    conclude: str


class Cell(NamedTuple):
    """A layer and a class, and the unit that matters most there."""

    layer: str
    name: str
    unit: int


class Pair(NamedTuple):
    """The two classes that share most units: how many, the Jaccard index, and what chance would give."""

    first: str
    second: str
    both: int
    jaccard: float
    chance: float


def subject(ask: Ask | None) -> Ask | None:
    """What the tour is about: what is chosen, else the first that has a result; None where nothing has."""
    if ask is None:
        return None
    others = [ask._replace(network=name) for name in results.shown_networks(ask.network)]
    shipped = [DEMO] if demo.shown() else []
    return next((one for one in (ask, *others, *shipped) if precedence.ready(one)), None)


def stops(about: Ask) -> tuple[Stop, ...]:
    """The steps.

    Raises:
        UnitscopeError: results that have gone since.
    """
    layers = results.layers(about)
    if not layers:
        return ()
    found = _relevance(about)
    cell, pair = _cell(found), _pair(found)
    return (
        _home(layers),
        _unit(layers),
        _concepts(layers),
        _relevant(cell),
        _agreement(cell),
        _shared(pair),
        _ablation(pair.first if pair else cell.name if cell else ""),
        Stop(
            "networks",
            {},
            "Here you add a network of your own: a known architecture with weights that you trained is tried "
            "on test pictures before it is registered.",
            "The same pages then show what its units detect; the glossary and the method, at the foot of the "
            "sidebar, have every word and every formula.",
        ),
    )


def _home(layers: Layers) -> Stop:
    view = layers[next(iter(layers))]
    return Stop(
        "",
        {},
        f"Below stands what is computed here, and for which network; this tour is about {view.facts.badge}.",
        f"All that follows was measured on these {view.facts.images:,} pictures: it holds for them, and for "
        "pictures like them.",
    )


def _unit(layers: Layers) -> Stop:
    found = misnomer(layers)
    if found is None:
        view = _rich(layers)
        unit = int(np.argmax(view.iou))
        return Stop(
            "units",
            {"layer": view.layer.name, "unit": unit},
            f"Unit {unit} of {view.layer.name}: the pictures to which it responds most, its mask in them, "
            f"and the concept it overlaps best with, “{view.label(unit)}” (IoU {view.iou[unit]:.2f}).",
            "A label is the best of many concepts: see what chance alone would give, and look at its weaker "
            "pictures, before you quote it.",
        )
    return Stop(
        "units",
        {"layer": found.layer, "unit": found.unit},
        f"Unit {found.unit} of {found.layer} is labelled “{found.label}”, the concept it overlaps best with; "
        f"but colour alone tells better where it is active (average precision {found.colour:.2f}) than the "
        f"annotation does ({found.annotation:.2f}).",
        f"It responds to a shade of {found.shade}: read what a unit responds to before you quote its label.",
    )


def _concepts(layers: Layers) -> Stop:
    view = _rich(layers)
    count = layers.counts[view.layer.name]
    chance = view.summary.expected_by_chance()
    beside = f"; chance alone would give {chance:.1f}" if chance is not None else ""
    best = int(np.argmax(view.iou))
    return Stop(
        "concepts",
        {"concept": view.label(best)} if view.label(best) else {},
        f"Each bar is a layer: its detectors, by what they detect. {view.layer.name} has the most concepts, "
        f"{count.concepts:,} among {count_text(count.detectors, 'detector')}{beside}.",
        "What counts is the distance to chance, and what is left of it at a higher cut-off: drag it and see.",
    )


def _relevant(cell: Cell | None) -> Stop:
    if cell is None:
        return Stop("relevance", {}, "Which layers and units the answer to a picture rests on.", NOT_YET)
    return Stop(
        "relevance",
        {"layer": cell.layer, "class": cell.name, "unit": cell.unit},
        f"Rows are layers and columns are classes; {cell.layer} contributes most to “{cell.name}”, and below "
        f"stand its units, unit {cell.unit} first.",
        "Relevance says what the network uses, not what a unit looks like: a unit may matter for a class "
        "that it does not overlap with.",
    )


def _agreement(cell: Cell | None) -> Stop:
    seen = (
        "An error is the share of a layer's units on which two rankings disagree: by overlap with the "
        "class's object, and by relevance for the class."
    )
    if cell is None:
        return Stop("agreement", {}, seen, NOT_YET)
    return Stop(
        "agreement",
        {"layer": cell.layer, "class": cell.name},
        seen,
        "An untrained network often does better than chance as well: what training has added is the distance "
        "to the untrained control, not to chance.",
    )


def _shared(pair: Pair | None) -> Stop:
    if pair is None:
        return Stop("shared", {}, "Which classes rely on the same units.", NOT_YET)
    return Stop(
        "shared",
        {"pair": lists.joined((pair.first, pair.second))},
        f"No two classes share more of their most relevant units than “{pair.first}” and “{pair.second}”: "
        f"{pair.both:,} are in both sets (Jaccard {pair.jaccard:.2f}; chance alone would give "
        f"{pair.chance:.2f}).",
        "What two classes share should cost both when it is silenced: the next page tries it.",
    )


def _ablation(name: str) -> Stop:
    if not name:
        return Stop("ablation", {}, "What the network can no longer do without some of its units.", NOT_YET)
    return Stop(
        "ablation",
        {"class": name},
        f"In each layer between the first and the last, the 3 % of units that matter most for “{name}” are "
        "silenced; the bars show what every class loses.",
        "Only what goes beyond the random control, as many units drawn at random, says that just these units "
        "are needed.",
    )


def _rich(layers: Layers) -> LayerView:
    """The layer with most concepts."""
    counts = layers.counts
    return layers[max(counts, key=lambda name: counts[name].concepts)]


def _relevance(about: Ask) -> Found | None:
    """Relevance by the default method; None where nothing of it is computed."""
    try:
        found = relevances.find(Wanted(about.network, about.dataset))
    except UnitscopeError:
        return None
    return found if found.records else None


def _cell(found: Found | None) -> Cell | None:
    """The largest mass of all layers and classes that the network recognises."""
    if found is None:
        return None
    totals = relevances.totals(found)
    name = max(totals, key=lambda one: (totals[one].right > 0, _most(totals[one])))
    layer = totals[name].layers[int(np.argmax(totals[name].mass))]
    return Cell(layer, name, int(np.argmax(found.records[name].layer(layer).relevance)))


def _most(found: LayerTotals) -> float:
    return float(found.mass.max(initial=0.0))


def _pair(found: Found | None) -> Pair | None:
    """The two classes with the largest overlap; None with fewer than two."""
    if found is None or len(found.records) < 2:
        return None
    overlap = _overlap(tuple(relevances.digest_of(found, name) for name in found.records), found.records)
    names = list(found.records)
    jaccard = np.where(np.eye(len(names), dtype=bool), -1.0, overlap.jaccard)
    first, second = sorted(map(int, np.unravel_index(int(np.argmax(jaccard)), jaccard.shape)))
    return Pair(
        names[first],
        names[second],
        int(overlap.both[first, second]),
        float(jaccard[first, second]),
        float(overlap.chance[first, second]),
    )


@kept(32)
def _overlap(keys: tuple[str, ...], _records: Mapping[str, ClassRelevance]) -> Overlap:
    layers = [shape.name for shape in next(iter(_records.values())).layers]
    return agreements.shared_units(_records, layers).whole
