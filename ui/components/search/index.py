"""What a layer can be searched for, made of its sketch, and whoever reads all of them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from interpret_core.measures.assessment.words import Assessment
from ui.components.assessment import sign
from ui.session import precedence, results, work
from ui.session.memory import kept
from ui.session.profiles.sketch import Sketch
from ui.shell.sidebar import Ask
from ui.shell.theme import count_text

AGAIN = 60.0  # seconds after which is looked whether other networks have profiles
PATIENCE = 1.0  # seconds that whoever asks waits
READER = "search"  # what its thread is called
RGB = tuple[int, int, int]
_one = threading.Lock()  # one reader at a time, whatever the data set


class StillReading(Exception):
    """What is stored has not been read yet; says how far it is."""


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


def layers(dataset: str, least: int, patience: float = PATIENCE) -> tuple[IndexedLayer, ...]:
    """Every layer with a stored profile on a data set, network by network.

    Args:
        dataset: a registered name.
        least: images that a concept needs to be a label.
        patience: seconds to wait for them.

    Raises:
        UserError: the data set cannot be opened.
        StillReading: they are being read; ask again.
    """
    digest = results.dataset(dataset).digest
    return _reader(dataset, least, digest).layers(patience)


@kept(4, kind="")
def _reader(dataset: str, least: int, digest: str) -> Reader:
    return Reader(dataset, least)


@kept(1, seconds=1.0, kind="")
def _last_end() -> float:
    """When the last job ended: until the next one does, few results are added."""
    return max((job.finished or 0.0 for job in work.listing()), default=0.0)


class Reader:
    """Reads the sketches of a data set's layers in a thread of its own, once for all who ask meanwhile.

    What was read stays until it was read again: a look that mostly finds nothing new keeps nobody waiting.
    """

    def __init__(self, dataset: str, least: int) -> None:
        self._dataset, self._least = dataset, least
        self._changed = threading.Condition()
        self._working, self._awaited = False, True  # whether it reads now, and what others wait for
        self._found: dict[tuple[str, str, str], IndexedLayer] | None = None
        self._failed: Exception | None = None
        self._looked, self._ended = 0.0, -1.0  # when, and when the last job had ended then
        self._read = 0  # layers, so far

    def layers(self, patience: float) -> tuple[IndexedLayer, ...]:
        """What there is.

        Args:
            patience: seconds to wait for the first look, and for one after a job has ended.

        Raises:
            UnitscopeError: the cache cannot be read.
            StillReading: it takes longer.
        """
        ended = _last_end()
        with self._changed:
            more, old = self._ended != ended, time.monotonic() - self._looked > AGAIN
            if not self._working and (more or old or self._failed is not None):
                self._working, self._failed, self._read = True, None, 0
                self._awaited, self._ended = self._found is None or more, ended
                threading.Thread(target=self._look, name=READER, daemon=True).start()
            if self._awaited:
                self._changed.wait_for(lambda: not self._working, patience)
            if self._failed is not None:
                raise self._failed
            if self._found is None:
                so_far = f": {count_text(self._read, 'layer')} so far" if self._read else ""
                raise StillReading(f"Still reading the stored profiles, the first time all of them{so_far} …")
            return tuple(self._found.values())

    def _look(self) -> None:
        found, failed = None, None
        try:
            with _one:
                found = self._all()
        except Exception as error:  # whoever asks gets it
            failed = error
        with self._changed:
            self._working = self._awaited = False
            self._looked, self._failed = time.monotonic(), failed
            self._found = self._found if found is None else found
            self._changed.notify_all()

    def _all(self) -> dict[tuple[str, str, str], IndexedLayer]:
        found: dict[tuple[str, str, str], IndexedLayer] = {}
        before = self._found or {}
        for network in results.network_names():
            ask = Ask(network, self._dataset, self._least)
            if not precedence.ready(ask):
                continue
            title = results.title(network)
            for layer, sketch in results.sketches(ask):
                key = sketch.key, network, title
                found[key] = before.get(key) or indexed(sketch, network, title, layer)
                self._read += 1
        return found


def indexed(sketch: Sketch, network: str, title: str, layer: str) -> IndexedLayer:
    """A layer by all that it can be found by."""
    numbers = range(sketch.units)
    concepts: dict[str, list[tuple[int, float]]] = {}
    units = tuple(_unit(sketch, unit) for unit in numbers)
    for number, unit in enumerate(units):
        if unit.label:
            concepts.setdefault(unit.label, []).append((number, unit.iou))
    words = [sketch.assessment(unit) for unit in numbers]
    return IndexedLayer(
        network,
        title,
        layer,
        units,
        {name: _best_first(found) for name, found in concepts.items()},
        _shades(sketch),
        Counter(word for word in words if word is not None),
    )


def _unit(sketch: Sketch, unit: int) -> IndexedUnit:
    return IndexedUnit(
        sketch.label(unit),
        sketch.category(unit),
        float(sketch.iou[unit]),
        sketch.told(unit),
        sketch.word(unit) or sign(sketch.assessment(unit)),
    )


def _shades(sketch: Sketch) -> dict[str, IndexedShade]:
    found: dict[str, list[tuple[int, float]]] = {}
    about: dict[str, tuple[str, RGB]] = {}
    for unit in range(sketch.units):
        nearest = sketch.shade(unit)
        if nearest is not None:
            (name, drawn, rgb), iou = nearest
            found.setdefault(name, []).append((unit, iou))
            about[name] = drawn, rgb
    return {name: IndexedShade(*about[name], _best_first(units)) for name, units in found.items()}


def _best_first(units: Iterable[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    return tuple(sorted(units, key=lambda one: (-one[1], one[0])))
