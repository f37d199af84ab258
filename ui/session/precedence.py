"""Which network comes first: one with a result, then a trained one, then the rest."""

from __future__ import annotations

from collections.abc import Sequence

from interpret_core import config, demo
from interpret_core.errors import UnitscopeError
from ui.access import account
from ui.access.told import told
from ui.session import results
from ui.shell.sidebar import Ask, Known

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


def known() -> Known:
    """What there is to choose from in the sidebar, and where to start."""
    names, now = results.dataset_names(), config.current()
    return Known(
        results.network_names(),
        names,
        results.nameless(),
        lambda: first_dataset(names),
        first,
        results.card,
        now.networks,
        now.datasets,
        account.account(),
        told,
    )


def first(dataset: str) -> str:
    """The network to start with."""
    names = ranked(results.shown_networks(None), [dataset], Ask("", "").min_images)
    return (names or list(results.network_names()))[0]


def first_dataset(known: Sequence[str]) -> str:
    """The data set to start with: a configured one that has a result, else the demo, else the first.

    Telling whether there is a result takes a data set's digest, minutes for a large one: none is looked at
    before something was computed here.
    """
    own = [name for name in known if name != demo.NAME]
    if not own or demo.NAME not in known:
        return known[0]
    networks, least = results.shown_networks(None), Ask("", "").min_images
    candidates = [*own, demo.NAME] if results.any_computed() else [demo.NAME]
    found = (name for name in candidates if any(ready(Ask(one, name, least)) for one in networks))
    return next(found, known[0])


def _evidence(name: str) -> int:
    try:
        found = results.card(name).evidence
    except UnitscopeError:
        return len(EVIDENCE) + 1
    return EVIDENCE.index(found) if found in EVIDENCE else len(EVIDENCE)
