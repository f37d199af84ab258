"""The sidebar: which network, which data set, under which settings; and what the evidence is worth."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

import streamlit as st

from interpret_core import installation
from interpret_core.analyses.profile.request import CUTOFF, MIN_IMAGES, ProfileRequest
from interpret_core.errors import UserError
from interpret_core.options import ALL, Names
from ui.shell import links, notices, silenced, state
from ui.shell.addresses import page
from ui.shell.component import Component
from ui.shell.how import TITLE
from ui.shell.theme import EVIDENCE

_boxes = Component("shell/settings", "components/common/travel.js")
CUTOFF_BOX = {
    "kind": "number",
    "name": "cutoff",
    "label": "IoU cut-off",
    "low": 0,
    "high": state.CUTOFF_MAX,
    "step": 0.005,
    "help": "A unit is a detector when its best IoU exceeds this. 0.04 is that of Bau et al. 2017; at 0 "
    f"every unit keeps its label, as in Islam & Tushar 2021, “{TITLE}”.",
}
IMAGES_BOX = {
    "kind": "number",
    "name": "min_images",
    "label": "Images per concept",
    "low": 1,
    "high": state.IMAGES_MAX,
    "step": 1,
    "help": "Concepts in fewer images are left out of labels and counts (Broden's rule: 10). Another number "
    "needs another chance level, computed on request.",
}
DEFAULTS = {"cutoff": f"{state.CUTOFF_DEFAULT:g}", "min_images": str(MIN_IMAGES)}  # leave no trace
LOOKING = "Looking for results (the first time, the data set's files are read once) …"


class Ask(NamedTuple):
    """What every page is about."""

    network: str
    dataset: str
    min_images: int = MIN_IMAGES
    cutoff: float = CUTOFF

    def request(self, layers: Names = ALL) -> ProfileRequest:
        """The request the command line would make with the same choices; of some layers, or of all."""
        return _request(self.network, self.dataset, self.min_images, layers)


@lru_cache(maxsize=256)
def _request(network: str, dataset: str, min_images: int, layers: Names) -> ProfileRequest:
    return ProfileRequest(network, dataset, layers, min_images=min_images)


class Card(NamedTuple):
    """A network as the sidebar introduces it."""

    name: str
    title: str
    evidence: str
    note: str
    description: str
    findings: tuple[str, ...] = ()


class Account(NamedTuple):
    """Who is logged in, for the foot of the sidebar.

    Attributes:
        text: name and role, in words.
        way, href: what leads out or in, and where; empty where nothing does.
        returns: whether `href` leads back to the page it was left from, named as `next`.
    """

    text: str
    way: str = ""
    href: str = ""
    returns: bool = False


class Known(NamedTuple):
    """What there is to choose from.

    Attributes:
        networks, datasets: registered names.
        nameless: whether the configuration has an entry that no URL can name.
        first_dataset, first_network: where whoever names none starts; asked only then.
        card: of a network.
        own_networks, own_datasets: names that the user has given in the configuration.
        account: who is logged in, where there is a login.
        told: what the visitor reads of an error.
    """

    networks: Sequence[str]
    datasets: Sequence[str]
    nameless: bool
    first_dataset: Callable[[], str]
    first_network: Callable[[str], str]
    card: Callable[[str], Card]
    own_networks: Collection[str] = ()
    own_datasets: Collection[str] = ()
    account: Account | None = None
    told: Callable[[Exception], str] = str


def selection(known: Known, menu: Callable[[], None]) -> Ask | None:
    """Draw what every page is about; the URL names network and data set also where nobody chose them.

    Args:
        known: what there is to choose from.
        menu: draws the links to the pages, once the URL is complete.

    Returns:
        What the pages are about, or None when no data set is registered.
    """
    if known.nameless:
        notices.complain(
            "An entry of unitscope.toml has no name but spaces, so no page can show it: give it a name."
        )
    with st.sidebar:
        dataset = state.name_of("dataset", known.datasets, "data set", lambda: _first_dataset(known))
        network = state.name_of("network", known.networks, "network", lambda: _first(dataset, known))
        cutoff = state.number_of("cutoff", 0, state.CUTOFF_MAX, state.CUTOFF_DEFAULT, "cut-off")
        least = state.whole("min_images", 1, state.IMAGES_MAX, MIN_IMAGES, "images per concept")
        state.repair(network=network, dataset=dataset)
        menu()
        _settings((network, dataset), cutoff, least, known)
    return Ask(network, dataset, least, round(cutoff, 4)) if dataset and network else None


def _first_dataset(known: Known) -> str:
    """Whoever comes without a data set in the link starts with their own, once it has a result."""
    with st.spinner(LOOKING):
        return known.first_dataset()


def _first(dataset: str | None, known: Known) -> str:
    """Whoever comes without a network in the link starts where there is something to see."""
    if dataset is None:
        return known.networks[0]
    with st.spinner(LOOKING):
        return known.first_network(dataset)


def _settings(ask: tuple[str | None, str | None], cutoff: float, least: int, known: Known) -> None:
    """The boxes and what the network's evidence is worth, as one component: each box costs every run."""
    network, dataset = ask
    fields = [
        _choice("Network", "network", known.networks, network, known.own_networks),
        *([_evidence(network, known)] if network else []),
        _choice("Data set", "dataset", known.datasets, dataset, known.own_datasets),
        {**CUTOFF_BOX, "value": _digits(cutoff)},
        {**IMAGES_BOX, "value": str(least)},
        _foot(),
        *([{"kind": "account", "name": "account", **known.account._asdict()}] if known.account else []),
    ]
    _boxes(key="settings", data={"fields": fields}, on_chosen_change=_chosen)


def _foot() -> dict[str, object]:
    """Ways to what helps, from every page: the tour in this tab, what is read in one of its own."""
    ways = [
        ["Tour", links.to("", tour=1)],
        ["Glossary", page("glossary")],
        ["Method", page("method")],
        *([["Documentation", page("docs/")]] if installation.site_is_built() else []),
        ["Present", ""],
    ]
    return {"kind": "ways", "name": "ways", "label": "Help", "ways": ways}


def _digits(cutoff: float) -> str:
    """Three places, the fourth where it is needed."""
    text = f"{cutoff:.4f}"
    return text.removesuffix("0")


def _choice(
    label: str, name: str, names: Sequence[str], chosen: str | None, own: Collection[str]
) -> dict[str, object]:
    """A list, with one's own first and the rest by where they come from."""
    groups: dict[str, list[str]] = {}
    for one in names:
        source, slash, _ = one.partition("/")
        groups.setdefault("Your own" if one in own else source if slash else "", []).append(one)
    return {
        "kind": "choice",
        "name": name,
        "label": label,
        "value": chosen or "",
        "groups": list(groups.items()) if len(groups) > 1 else [("", list(names))] if names else [],
        "empty": "none registered",
    }


def _evidence(network: str, known: Known) -> dict[str, object]:
    """The badge that says what the network's weights are worth, and its notes."""
    field: dict[str, object] = {"kind": "evidence", "name": "evidence", "label": "the evidence"}
    try:
        card = known.card(network)
    except UserError as error:
        return {**field, "word": "", "tone": "", "help": "", "notes": [known.told(error)]}
    tone, word, meaning = EVIDENCE.get(card.evidence, ("gray", card.evidence or "unknown", ""))
    notes = ([meaning] if card.evidence != "trained" and meaning else []) + list(card.findings)
    about = card.note or ("" if meaning in notes else meaning)
    return {**field, "word": word, "tone": tone, "help": about, "notes": notes}


def _chosen() -> None:
    """Write what was chosen to the address; what cannot be followed is told there, as of any link."""
    told = st.session_state["settings"].get("chosen")
    name, value = map(str, told) if isinstance(told, list) and len(told) == 2 else ("", "")
    if name == "network":  # units picked by hand are the network's own
        silenced.put_back()
        state.change(network=value, silence=None, pin=None, pin_image=None)
    elif name == "dataset":
        state.change(dataset=value)
    elif name in DEFAULTS:
        state.change(**{name: "" if value == DEFAULTS[name] else value})
