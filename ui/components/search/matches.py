"""Which units, shades and layers a few words mean: pure functions over what is indexed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import nlargest, nsmallest
from typing import NamedTuple

from interpret_core.measures.assessment.words import Assessment
from ui.components.assessment import NAMES, WORDS
from ui.components.search.index import IndexedLayer

MOST = 6  # of a group that are shown
OF_ONE_NAME = 4  # of them, of the very name that is typed, where there are others
WORDS_MOST = 8  # that a query is read for
NUMBER = re.compile(r"#?(\d{1,7})")
_PAIR = re.compile(r"(\S+):#?(\d{1,7})")  # as the address writes a unit
_SHORT = {word: WORDS.get(word, word.name).casefold() for word in NAMES}  # as a tile says it
_SPOKEN = {word: f"{NAMES[word]} {_SHORT[word]}".casefold() for word in NAMES}


class NamedUnit(NamedTuple):
    """A unit found by a name: that of its label or of its nearest shade."""

    name: str
    layer: IndexedLayer
    unit: int
    iou: float


class Responding(NamedTuple):
    """Units of a layer that respond to the same."""

    word: Assessment
    layer: IndexedLayer
    units: int


class Numbered(NamedTuple):
    """A unit found by its number; the layer itself where there is none."""

    layer: IndexedLayer
    unit: int | None


class Matches(NamedTuple):
    """What was found, the best first, and how many there are of each kind.

    Attributes:
        exact: the concept whose very name was typed, empty for none.
        number: whether a unit's number was typed.
    """

    concepts: tuple[Sequence[NamedUnit], int] = ((), 0)
    shades: tuple[Sequence[NamedUnit], int] = ((), 0)
    responds: tuple[Sequence[Responding], int] = ((), 0)
    units: tuple[Sequence[Numbered], int] = ((), 0)
    exact: str = ""
    number: bool = False


def matches(layers: Sequence[IndexedLayer], text: str, network: str = "") -> Matches:
    """What some words mean.

    Every word stands in a name, or in those of layer and network: `grass conv5` is grass in conv5.

    Args:
        layers: what there is.
        text: what was typed.
        network: that comes first where others are as good.
    """
    words = tuple(_PAIR.sub(r"\1 \2", text.casefold()).split()[:WORDS_MOST])
    if not words:
        return Matches()
    places = [_place(layer) for layer in layers]
    concepts = _named(layers, places, words, lambda layer: layer.concepts)
    shades = _named(
        layers,
        places,
        words,
        lambda layer: {name: shade.units for name, shade in layer.shades.items()},
    )
    units = _numbered(layers, places, words, network)
    first = concepts[0][0].name if concepts[0] else ""
    return Matches(
        concepts,
        shades,
        _responding(layers, places, words, network),
        units,
        first if first.casefold() == " ".join(words) else "",
        any(one.unit is not None for one in units[0]),
    )


def _place(layer: IndexedLayer) -> str:
    return f"{layer.network} {layer.title} {layer.layer}".casefold()


class _Reading(NamedTuple):
    """How words fit a name: the words within it, and how well; 0 is best."""

    inside: frozenset[str]
    rank: int


def _read(name: str, words: tuple[str, ...]) -> _Reading | None:
    """None where no word is in the name."""
    folded = name.casefold()
    inside = [word for word in words if word in folded]
    if not inside:
        return None
    whole = " ".join(inside)
    if folded == whole:
        rank = 0
    elif folded.startswith(whole):
        rank = 1
    else:
        rank = 2 if f" {inside[0]}" in f" {folded}" else 3
    return _Reading(frozenset(inside), rank)


def _fits(reading: _Reading, place: str, words: tuple[str, ...]) -> bool:
    """Whether layer and network have the words that the name has not."""
    return all(word in reading.inside or word in place for word in words)


def _named(
    layers: Sequence[IndexedLayer],
    places: Sequence[str],
    words: tuple[str, ...],
    names: Callable[[IndexedLayer], Mapping[str, tuple[tuple[int, float], ...]]],
) -> tuple[list[NamedUnit], int]:
    """Units by the names that fit: those of the very name typed, then the best of each other name in turn."""
    readings: dict[str, _Reading | None] = {}
    found: dict[str, list[NamedUnit]] = {}
    total = 0
    for layer, place in zip(layers, places, strict=True):
        for name, units in names(layer).items():
            if name not in readings:
                readings[name] = _read(name, words)
            reading = readings[name]
            if reading is None or not _fits(reading, place, words):
                continue
            total += len(units)
            best = (NamedUnit(name, layer, unit, iou) for unit, iou in units[:MOST])
            found[name] = nlargest(MOST, [*found.get(name, ()), *best], key=lambda one: one.iou)

    def rank(name: str) -> int:
        reading = readings[name]
        return reading.rank if reading else len(words)

    exact = [one for name in found if rank(name) == 0 for one in found[name]][:MOST]
    others = nsmallest(
        MOST,
        (
            (at, rank(name), -one.iou, name, one)
            for name in found
            if rank(name) > 0
            for at, one in enumerate(found[name])
        ),
        key=lambda each: each[:4],
    )
    room = max(OF_ONE_NAME, MOST - len(others))
    shown = [*exact[:room], *(one for *_, one in others)]
    return shown[:MOST], total


def _responding(
    layers: Sequence[IndexedLayer], places: Sequence[str], words: tuple[str, ...], network: str
) -> tuple[list[Responding], int]:
    """Layers with units that respond to what the words say: the present network's first, the most first."""
    readings = {word: _read(spoken, words) for word, spoken in _SPOKEN.items()}
    found = []
    for layer, place in zip(layers, places, strict=True):
        for word, count in layer.responds.items():
            reading = readings[word]
            if reading is not None and _fits(reading, place, words):
                short = _SHORT[word] == " ".join(one for one in words if one in reading.inside)
                order = (not short, reading.rank, layer.network != network, -count)
                found.append((order, Responding(word, layer, count)))
    best = nsmallest(MOST, found, key=lambda each: each[0])
    return [one for _, one in best], len(found)


def _numbered(
    layers: Sequence[IndexedLayer], places: Sequence[str], words: tuple[str, ...], network: str
) -> tuple[list[Numbered], int]:
    """Units of a number, in the layers that the other words name; layers where no number is typed."""
    *before, last = words
    number = NUMBER.fullmatch(last)
    unit = int(number[1]) if number else None
    named = before if number else [*before, last]
    found = []
    for layer, place in zip(layers, places, strict=True):
        if not all(word in place for word in named):
            continue
        name = layer.layer.casefold()
        if unit is None and not any(name.startswith(word) for word in named):
            continue
        if unit is None or unit < len(layer.units):
            order = (name not in named, layer.network != network)
            found.append((order, Numbered(layer, unit)))
    return [one for _, one in nsmallest(MOST, found, key=lambda each: each[0])], len(found)


def counted(layers: Iterable[IndexedLayer]) -> tuple[int, int, int]:
    """Networks, layers and units among which is searched."""
    every = list(layers)
    return len({one.network for one in every}), len(every), sum(len(one.units) for one in every)
