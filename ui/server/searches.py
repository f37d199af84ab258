"""What the search box shows: groups of links with a few words of evidence, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from interpret_core.figures.colours import NEUTRAL, colour_of
from ui.components.assessment import NAMES
from ui.components.search.index import PATIENCE, IndexedLayer, StillReading, layers
from ui.components.search.matches import Matches, NamedUnit, Numbered, Responding, counted, matches
from ui.session.view import SHADE
from ui.shell.addresses import page
from ui.shell.theme import count_text, iou_text

LONGEST = 80  # characters of a query that are read
AT_ONCE = 0.1  # seconds to wait for what is only counted


class Searched(NamedTuple):
    """Where and under which rules is searched.

    Attributes:
        network: the present one, as the address says it.
        cutoff: a unit is a detector above this IoU.
        entry: what every link carries, by the address's names; `own`: what belongs to the present network.
    """

    network: str
    dataset: str
    least: int
    cutoff: float
    entry: Mapping[str, str]
    own: Mapping[str, str]

    def link(self, where: IndexedLayer, **parameters: str | int) -> str:
        """The address of the unit browser at a layer."""
        own = self.own if where.network == self.network else {}
        named = {"network": where.network, "dataset": self.dataset}
        return page("units", **{**named, **self.entry, **own, "layer": where.layer, **parameters})


def answer(searched: Searched, query: str) -> bytes:
    """What the box shows for what was typed.

    Raises:
        UserError: the data set cannot be opened.
        StillReading: what there is, is still being read.
    """
    text = query[:LONGEST].strip()
    try:
        known = layers(searched.dataset, searched.least, PATIENCE if text else AT_ONCE)
    except StillReading:
        if text:
            raise
        return _json({"groups": [], "words": _hint()})
    groups = _groups(searched, matches(known, text, searched.network))
    return _json({"groups": groups, "words": _words(searched, known, text, groups)})


def _json(told: Mapping[str, Any]) -> bytes:
    # As components write their data: a name may hold what is no text.
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "backslashreplace")


def _groups(searched: Searched, found: Matches) -> list[dict[str, Any]]:
    """Those with a hit, a unit's number first where one was typed."""
    concepts = [_concept(searched, one) for one in found.concepts[0]]
    if found.exact and found.concepts[1] > len(concepts):
        concepts.append(_all_of(searched, found))
    units = _group("Units", [_numbered(searched, one) for one in found.units[0]], found.units[1])
    others = [
        _group("Concepts", concepts, found.concepts[1]),
        _group("Shades", [_shade(searched, one) for one in found.shades[0]], found.shades[1]),
        _group("Responds to", [_responding(searched, one) for one in found.responds[0]], found.responds[1]),
    ]
    every = [units, *others] if found.number else [*others, units]
    return [group for group in every if group["hits"]]


def _group(title: str, hits: Sequence[dict[str, Any]], total: int) -> dict[str, Any]:
    left = total - sum(not hit.get("all") for hit in hits)
    return {
        "title": title,
        "hits": hits,
        "more": f"and {left:,} more: add a word, such as a layer" if left > 0 else "",
    }


def _words(searched: Searched, known: Sequence[IndexedLayer], query: str, groups: Sequence[object]) -> str:
    """What was searched, and what to do where nothing was found."""
    networks, places, units = counted(known)
    if not networks:
        return (
            f"No network has a stored profile on “{searched.dataset}” yet, so there is nothing to search: "
            "open the page Units and find what a network's units detect."
        )
    among = (
        f"{count_text(units, 'unit')} in {count_text(places, 'layer')} of {count_text(networks, 'network')} "
        f"on “{searched.dataset}”"
    )
    if not query:
        return f"{_hint(known[0].layer)} Searched are {among}."
    if not groups:
        return (
            f"Nothing is called “{query}” among {among}. Try fewer words or the beginning of one; of each "
            "unit, its best concept and its nearest shade are searched."
        )
    return f"Among {among}."


def _hint(layer: str = "conv1") -> str:
    return (
        f"Type a concept (car), a colour (yellow), what units respond to (colour, object) or a unit "
        f"({layer} 7, #7)."
    )


def _where(layer: IndexedLayer) -> str:
    return f"{layer.title} · {layer.layer}"


def _annotated(layer: IndexedLayer, unit: int, name: str) -> str:
    """What the link says to draw over the photographs; the page's own choice leaves no trace."""
    return "" if name == layer.units[unit].told else name


def _hit(name: str, about: str, href: str, tone: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "about": about, "href": href, "tone": tone, "kind": "", "weak": False, **more}


def _concept(searched: Searched, one: NamedUnit) -> dict[str, Any]:
    unit, weak = one.layer.units[one.unit], one.iou <= searched.cutoff
    about = f"{_where(one.layer)} · unit {one.unit} · IoU {iou_text(one.iou)}"
    href = searched.link(one.layer, unit=one.unit, annotate=_annotated(one.layer, one.unit, one.name))
    about += ", below the cut-off" if weak else ""
    return _hit(one.name, about, href, colour_of(unit.category), weak=weak)


def _all_of(searched: Searched, found: Matches) -> dict[str, Any]:
    """The way to all units of the concept that was typed."""
    layers = [one.layer for one in found.concepts[0]]
    layer = next((one for one in layers if one.network == searched.network), layers[0])
    named = {"network": layer.network, "dataset": searched.dataset}
    href = page("concepts", **{**named, **searched.entry, "concept": found.exact})
    about = f"on the page Concepts, in {layer.title}"
    return _hit(f"All units of “{found.exact}”", about, href, NEUTRAL, all=True)


def _shade(searched: Searched, one: NamedUnit) -> dict[str, Any]:
    shade, unit = one.layer.shades[one.name], one.layer.units[one.unit]
    about = f"{_where(one.layer)} · unit {one.unit} · IoU {iou_text(one.iou)} with the {SHADE}"
    about += f" · label: {unit.label}" if unit.label else ""
    href = searched.link(one.layer, unit=one.unit, annotate=_annotated(one.layer, one.unit, shade.drawn))
    red, green, blue = shade.rgb
    return _hit(one.name, about, href, f"rgb({red},{green},{blue})", kind="shade")


def _responding(searched: Searched, one: Responding) -> dict[str, Any]:
    about = f"{_where(one.layer)} · {one.units:,} of {count_text(len(one.layer.units), 'unit')}"
    href = searched.link(one.layer, responds=one.word.name.lower())
    return _hit(NAMES[one.word], about, href, NEUTRAL)


def _numbered(searched: Searched, one: Numbered) -> dict[str, Any]:
    if one.unit is None:
        about = f"{one.layer.title} · {count_text(len(one.layer.units), 'unit')}"
        return _hit(one.layer.layer, about, searched.link(one.layer), NEUTRAL)
    unit = one.layer.units[one.unit]
    parts = [one.layer.title, f"{unit.label} {iou_text(unit.iou)}" if unit.label else "no concept", unit.sign]
    return _hit(
        f"{one.layer.layer} · unit {one.unit}",
        " · ".join(part for part in parts if part),
        searched.link(one.layer, unit=one.unit),
        colour_of(unit.category),
        weak=unit.iou <= searched.cutoff,
    )
