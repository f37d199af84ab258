"""Which network comes first: one with a result, then a trained one, then the rest."""

from __future__ import annotations

from collections.abc import Sequence

from interpret_core.errors import UnitscopeError
from ui import results
from ui.results import Ask

EVIDENCE = ("trained", "demo")  # what else there is (random weights) shows nothing that was learned


def ready(ask: Ask) -> bool:
    """Whether there is a result to look at; a network or a data set that cannot be opened has none."""
    try:
        return results.ready(ask)
    except UnitscopeError:
        return False


def ranked(names: Sequence[str], datasets: Sequence[str], least: int) -> list[str]:
    """The names: those with a result on any of the data sets first, then by evidence, then as they were."""

    def rank(name: str) -> tuple[bool, int]:
        return not any(ready(Ask(name, dataset, least)) for dataset in datasets), _evidence(name)

    return sorted(names, key=rank)


def first(dataset: str) -> str:
    """The network to start with."""
    names = ranked(results.shown_networks(None), [dataset], Ask("", "").min_images)
    return (names or list(results.network_names()))[0]


def _evidence(name: str) -> int:
    try:
        found = results.card(name).evidence
    except UnitscopeError:
        return len(EVIDENCE) + 1
    return EVIDENCE.index(found) if found in EVIDENCE else len(EVIDENCE)
