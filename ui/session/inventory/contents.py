"""What lies in the cache: which results of which network on which data set, how large, and since when.

A record's metadata says whose it is. That of chance levels, assessments and what a profile computes on its
way does not, but their keys follow from the profile's, so they are found by trying: the few settings that
their own metadata names, for every profile there is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from interpret_core.analyses.profile.artefacts import largest_key, masks_key, thresholds_key
from interpret_core.analyses.profile.keys import assessment_key, chance_key
from interpret_core.datasets import DEFAULT_CATEGORIES
from interpret_core.runtime.survey import survey_key
from interpret_core.store.store import Store
from interpret_core.store.trash import StoredEntry
from ui.session.memory import kept, once
from ui.session.stored import store

SECONDS = 5.0  # for which an answer counts
RECORD = "record/"
_turn = 0


class Whose(NamedTuple):
    """Network and data set of a record: digests, and their names when it was made; empty for none."""

    network: str = ""
    dataset: str = ""
    network_name: str = ""
    dataset_name: str = ""


class Holding(NamedTuple):
    """A record or a state of the cache, and whose it is."""

    entry: StoredEntry
    whose: Whose

    @property
    def record(self) -> bool:
        """Whether it is a record: a result, or a part of one."""
        return self.entry.name.startswith(RECORD)


class _Told(NamedTuple):
    """What a record's metadata says: whose it is, and the settings of one that does not say."""

    written: float
    whose: Whose
    settings: tuple[int, ...] = ()
    categories: tuple[str, ...] = ()


class Catalogue:
    """Reads each record's metadata once. Safe to share between threads.

    Args:
        store: whose records.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: dict[str, _Told] = {}
        self._lock = threading.Lock()

    def holdings(self) -> list[Holding]:
        """All that lies in the cache, by name.

        Raises:
            StoreError: it cannot be read.
        """
        with self._lock:
            entries = self._store.entries()
            told = {}
            for one in entries:
                if one.name.startswith(RECORD):
                    known = self._told.get(one.name)
                    if known is None or known.written != one.written:
                        known = _read(one, self._store.metadata(one.key))
                    told[one.name] = known
            self._told = told
        derived = _derived({name.removeprefix(RECORD): one for name, one in told.items()})
        nobody = _Told(0.0, Whose())
        return [
            Holding(one, derived.get(one.key) or told.get(one.name, nobody).whose)
            if one.name.startswith(RECORD)
            else Holding(one, Whose())
            for one in entries
        ]


@once
def holdings() -> list[Holding]:
    """All that lies in the cache of this installation; an answer of a few seconds ago will do.

    Raises:
        StoreError: it cannot be read.
    """
    return _recent(str(store().folder), _turn)


@kept(4, SECONDS)
def _recent(folder: str, turn: int) -> list[Holding]:
    return _catalogue(folder).holdings()


def look_again() -> None:
    """What was known a moment ago has changed."""
    global _turn
    _turn += 1


@kept(4)
def _catalogue(folder: str) -> Catalogue:
    return Catalogue(store())


def _read(entry: StoredEntry, metadata: Any) -> _Told:
    found = metadata if isinstance(metadata, dict) else {}
    network, dataset = (found.get(name) for name in ("network", "dataset"))
    whose = Whose(
        _text(network, "digest"), _text(dataset, "digest"), _text(network, "name"), _text(dataset, "name")
    )
    numbers = [found.get(name) for name in ("min_images", "seed", "permutations")]
    categories = found.get("categories")
    return _Told(
        entry.written,
        whose,
        tuple(one for one in numbers if isinstance(one, int)),
        tuple(map(str, categories)) if isinstance(categories, list) else (),
    )


def _text(told: Any, name: str) -> str:
    value = told.get(name) if isinstance(told, dict) else None
    return value if isinstance(value, str) else ""


def _derived(told: dict[str, _Told]) -> dict[str, Whose]:
    """Whose the records are that do not say it themselves, by key."""
    profiles = {
        key: one.whose for key, one in told.items() if key.startswith("profile/") and one.whose.network
    }
    chances = _settings(told, "chance/", 3)
    weighed = _settings(told, "assessment/", 2)
    seeds = sorted({0, *(one[1] for one in (*chances, *weighed))})
    ways: list[Callable[[str], str]] = [thresholds_key, largest_key]
    ways += [lambda key, seed=seed: masks_key(key, seed) for seed in seeds]  # type: ignore[misc]
    ways += [lambda key, one=one: chance_key(key, *one) for one in chances]  # type: ignore[misc]
    ways += [lambda key, one=one: assessment_key(key, *one) for one in weighed]  # type: ignore[misc]
    found = {way(key): whose for key, whose in profiles.items() for way in ways}
    surveyed = {(one.whose.dataset, one.categories or DEFAULT_CATEGORIES) for one in told.values()}
    names = {one.whose.dataset: one.whose.dataset_name for one in told.values() if one.whose.dataset}
    for digest, categories in surveyed:
        if digest:
            found[survey_key(digest, categories)] = Whose("", digest, "", names[digest])
    return found


def _settings(told: dict[str, _Told], prefix: str, count: int) -> set[tuple[int, ...]]:
    found: Iterable[tuple[int, ...]] = (one.settings for key, one in told.items() if key.startswith(prefix))
    return {one for one in found if len(one) == count}
