"""What a layer can be searched for: made once of each stored profile, and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from interpret_core.errors import UnitscopeError
from interpret_core.measures.assessment.words import Assessment
from ui.components.assessment import sign
from ui.session import precedence, results
from ui.session.memory import kept
from ui.session.stored import store
from ui.session.view import LayerView
from ui.shell.sidebar import Ask

AGAIN = 60.0  # seconds after which is looked whether other networks have profiles
RGB = tuple[int, int, int]


@dataclass(frozen=True)
class IndexedUnit:
    """A unit as a search shows it.

    Attributes:
        label, category: of its best concept, empty for none.
        iou: with it.
        told: name of what its page draws over the photographs by default.
        sign: what it responds to, in a word; `dead` or `tied` where it is.
    """

    label: str
    category: str
    iou: float
    told: str
    sign: str


@dataclass(frozen=True)
class IndexedShade:
    """A shade that is the nearest of some units of a layer.

    Attributes:
        drawn: its name among what can be drawn over photographs.
        rgb: the colour.
        units: (unit, IoU with the shade), highest first.
    """

    drawn: str
    rgb: RGB
    units: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class IndexedLayer:
    """A layer of a network, by all that it can be found by.

    Attributes:
        network, title: registered name, and the name for people.
        concepts: name -> (unit, IoU) of the units whose best concept it is, highest first.
        responds: what units respond to -> how many do.
    """

    network: str
    title: str
    layer: str
    units: tuple[IndexedUnit, ...]
    concepts: Mapping[str, tuple[tuple[int, float], ...]]
    shades: Mapping[str, IndexedShade]
    responds: Mapping[Assessment, int]


def layers(dataset: str, least: int) -> tuple[IndexedLayer, ...]:
    """Every layer with a stored profile on a data set, network by network.

    Args:
        dataset: a registered name.
        least: images that a concept needs to be a label.

    Raises:
        UserError: the data set cannot be opened.
    """
    digest = results.dataset(dataset).digest
    return _layers(dataset, least, digest, tuple(store().keys("profile/")))


# Which networks there are, and whether one has become another, is in none of the arguments.
@kept(4, seconds=AGAIN)
def _layers(dataset: str, least: int, digest: str, profiles: tuple[str, ...]) -> tuple[IndexedLayer, ...]:
    asks = [Ask(name, dataset, least) for name in results.network_names()]
    return tuple(one for ask in asks if precedence.ready(ask) for one in _of_network(ask))


def _of_network(ask: Ask) -> Iterable[IndexedLayer]:
    """Its convolutions, and those of its further layers that have a profile."""
    usual: Mapping[str, LayerView] = results.layers(ask) or {}
    for name in [*usual, *(one.name for one in results.further(ask.network))]:
        try:
            view = usual[name] if name in usual else results.layer(ask, name)
        except UnitscopeError:  # its page says what is wrong with it
            continue
        if view is not None:
            yield _layer(view.identity, view)


@kept(1024)
def _layer(identity: tuple[object, ...], _view: LayerView) -> IndexedLayer:
    numbers = range(_view.layer.units)
    units = tuple(_unit(_view, unit) for unit in numbers)
    concepts: dict[str, list[tuple[int, float]]] = {}
    for number, unit in enumerate(units):
        if unit.label:
            concepts.setdefault(unit.label, []).append((number, unit.iou))
    words = [_view.assessment(unit) for unit in numbers]
    return IndexedLayer(
        _view.network,
        _view.facts.network_title,
        _view.layer.name,
        units,
        {name: _best_first(found) for name, found in concepts.items()},
        _shades(_view),
        Counter(word for word in words if word is not None),
    )


def _unit(view: LayerView, unit: int) -> IndexedUnit:
    told = view.told(unit)
    return IndexedUnit(
        view.label(unit),
        view.category(unit),
        float(view.iou[unit]),
        view.drawn[told].name if told >= 0 else "",
        view.word(unit) or sign(view, unit),
    )


def _shades(view: LayerView) -> dict[str, IndexedShade]:
    found: dict[str, list[tuple[int, float]]] = {}
    about: dict[str, tuple[str, RGB]] = {}
    for unit in range(view.layer.units):
        best, shade = view.best_shade(unit), view.nearest_shade(unit)
        if best is not None and shade is not None:
            name, rgb, iou = shade
            found.setdefault(name, []).append((unit, iou))
            about[name] = view.drawn[len(view.concepts) + best].name, rgb
    return {name: IndexedShade(*about[name], _best_first(units)) for name, units in found.items()}


def _best_first(units: Iterable[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    return tuple(sorted(units, key=lambda one: (-one[1], one[0])))
