"""What the store has of a network's layers: each whole, a sketch of each, an outline of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property, partial
from itertools import product
from typing import NamedTuple

from interpret_core.analyses.profile.outline import outline_key, outline_of
from interpret_core.analyses.profile.plan import LayerKeys
from interpret_core.analyses.profile.request import Settings
from interpret_core.analyses.profile.result import AssessmentResult, ChanceResult, LayerProfile
from interpret_core.analyses.profile.summary import summarise
from interpret_core.runtime.names import NamesNow
from interpret_core.store.records import Record
from ui.session.layers import damaged
from ui.session.memory import held, kept
from ui.session.profiles.sketch import Sketch
from ui.session.profiles.stored_sketches import kept_sketch, sketch_key
from ui.session.stored import Missing, present, record, store
from ui.session.view import LayerView
from ui.shell.sidebar import Ask


class Parts(NamedTuple):
    """Keys of what a layer consists of, empty for a stage that has not run."""

    profile: str
    chance: str
    assessment: str
    survey: str


class Readers(NamedTuple):
    """What reads the parts of a layer."""

    profile: Callable[[str], LayerProfile]
    chance: Callable[[str], ChanceResult]
    assessment: Callable[[str], AssessmentResult]


class StoredLayers:
    """Layers of a network on a data set (`layers.Stored`).

    Args:
        keys: where they lie.
        ask: under which names and settings they are looked at.
    """

    def __init__(self, keys: LayerKeys, ask: Ask) -> None:
        self._keys, self._ask = keys, ask

    def layer(self, name: str) -> LayerView | None:
        """One layer, read whole and kept for all sessions; None where it is not stored or damaged."""
        ask = self._ask
        for parts in self._attempts(name):
            with suppress(Missing):
                view = _view(parts, self._keys.names, ask.min_images).at(ask.cutoff)
                _held[parts, self._keys.names, ask.min_images] = view
                return view
        return None

    def sketch(self, name: str) -> Sketch | None:
        """A few numbers of each unit of a layer, which is only read where nobody has made them yet."""
        ask = self._ask
        for parts in self._attempts(name):
            if not self._there.issuperset(filter(None, parts[1:3])):
                continue
            key = sketch_key(parts.profile, parts.chance, parts.assessment, ask.min_images)
            with suppress(Missing):
                return kept_sketch(key, partial(_made, parts, self._keys.names, ask.min_images, DIRECT))
        return None

    def outline(self) -> Record:
        """Best IoU and best concept of every unit."""
        keys = [self._keys.profile[name] for name in self._keys.layers]
        return _outline(outline_key(keys, self._ask.min_images), self)

    def sketches(self) -> Iterator[Sketch]:
        """Of all layers.

        Raises:
            UserError: one of them was damaged.
        """
        for name in self._keys.layers:
            found = self.sketch(name)
            if found is None:
                raise damaged(name)
            yield found

    def _attempts(self, name: str) -> Iterator[Parts]:
        """All that may be known of a layer, then less: a later stage may be missing or damaged."""
        keys = self._keys
        for chance, assessment in product((keys.chance[name], ""), (keys.assessment[name], "")):
            yield Parts(keys.profile[name], chance, assessment, keys.survey)

    @cached_property
    def _there(self) -> frozenset[str]:
        """Keys of the later stages that have run."""
        return present((*self._keys.chance.values(), *self._keys.assessment.values()))


@kept(64, kind="layers")
def _outline(key: str, _layers: StoredLayers) -> Record:
    def made() -> Record:
        return outline_of((one.iou, one.best) for one in _layers.sketches())

    return store().compute(key, made, needed=False)


def _read_profile(key: str) -> LayerProfile:
    found = record(key)
    return LayerProfile(found.arrays, found.metadata)


def _read_chance(key: str) -> ChanceResult:
    found = record(key)
    return ChanceResult(found.arrays, found.metadata)


def _read_assessment(key: str) -> AssessmentResult:
    found = record(key)
    return AssessmentResult(found.arrays, found.metadata)


# Pages come back to a layer; whoever goes through all of them once must not push those out.
KEPT = Readers(
    kept(128, kind="layers")(_read_profile),
    kept(256, kind="layers")(_read_chance),
    kept(256, kind="layers")(_read_assessment),
)
DIRECT = Readers(_read_profile, _read_chance, _read_assessment)


_held = held()  # views under whichever cut-off they were last asked for


@kept(256, kind="layers")
def _view(parts: Parts, names: NamesNow, min_images: int) -> LayerView:
    # Deep networks beside each other have more layers than are kept; the page that shows them holds them all.
    known: LayerView | None = _held.get((parts, names, min_images))
    return known if known is not None else _made(parts, names, min_images, KEPT)


def _made(parts: Parts, names: NamesNow, min_images: int, readers: Readers) -> LayerView:
    chance = readers.chance(parts.chance) if parts.chance else None
    assessment = readers.assessment(parts.assessment) if parts.assessment else None
    summary = summarise(readers.profile(parts.profile), chance, Settings(min_images), assessment)
    key = parts.profile.rpartition("/")[2]
    return LayerView(key, summary, names.network, names.dataset, parts.survey, names)
