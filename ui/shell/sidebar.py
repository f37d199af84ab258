"""The sidebar: which network, which data set, under which settings; and what the evidence is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st

from interpret_core.analyses.profile.request import CUTOFF, MIN_IMAGES, ProfileRequest
from interpret_core.errors import UserError
from ui.shell import notices, silenced, state
from ui.shell.plain import badge, plain
from ui.shell.theme import EVIDENCE

LOOKING = "Looking for results (the first time, the data set's files are read once) …"


class Ask(NamedTuple):
    """What every page is about."""

    network: str
    dataset: str
    min_images: int = MIN_IMAGES
    cutoff: float = CUTOFF

    def request(self) -> ProfileRequest:
        """The request the command line would make with the same choices."""
        return ProfileRequest(self.network, self.dataset, min_images=self.min_images)


class Card(NamedTuple):
    """A network as the sidebar introduces it."""

    name: str
    title: str
    evidence: str
    note: str
    description: str
    findings: tuple[str, ...] = ()


class Known(NamedTuple):
    """What there is to choose from.

    Attributes:
        networks, datasets: registered names.
        nameless: whether the configuration has an entry that no URL can name.
        first_dataset, first_network: where whoever names none starts; asked only then.
        card: of a network.
    """

    networks: Sequence[str]
    datasets: Sequence[str]
    nameless: bool
    first_dataset: Callable[[], str]
    first_network: Callable[[str], str]
    card: Callable[[str], Card]


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
        _name("Network", "network", known.networks, network)
        if network:
            _evidence(network, known)
        _name("Data set", "dataset", known.datasets, dataset)
        _rules(cutoff, least)
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


def _name(label: str, name: str, known: Sequence[str], chosen: str | None) -> None:
    key = state.follow(f"pick_{name}", chosen)
    write = state.writer(name, key, str, clear=("silence",) if name == "network" else ())

    def choose() -> None:
        if name == "network":  # units picked by hand are the network's own
            silenced.put_back()
        write()

    st.selectbox(
        label,
        known,
        key=key,
        placeholder="none registered",
        disabled=not known,
        on_change=choose,
    )


def _rules(cutoff: float, least: int) -> None:
    """The cut-off, and the images that a concept must be in."""
    key = state.follow("pick_cutoff", cutoff)
    st.number_input(
        "IoU cut-off",
        0.0,
        state.CUTOFF_MAX,
        step=0.005,
        format="%.3f",
        key=key,
        on_change=state.writer(
            "cutoff", key, lambda value: "" if value == state.CUTOFF_DEFAULT else f"{value:.4g}"
        ),
        help="A unit is a detector when its best IoU exceeds this. The paper's is 0.04; at 0 every unit "
        "keeps its label.",
    )
    key = state.follow("pick_min_images", least)
    st.number_input(
        "Images per concept",
        1,
        state.IMAGES_MAX,
        key=key,
        on_change=state.writer("min_images", key, lambda value: "" if value == MIN_IMAGES else str(value)),
        help="Concepts in fewer images are left out of labels and counts (Broden's rule: 10). "
        "Another number needs another chance level, computed on request.",
    )


def _evidence(network: str, known: Known) -> None:
    """The badge that says what the network's weights are worth, and its note."""
    try:
        card = known.card(network)
    except UserError as error:
        st.caption(plain(error))
        return
    colour, word, meaning = EVIDENCE.get(card.evidence, ("gray", badge(card.evidence) or "unknown", ""))
    st.badge(word, color=colour, help=plain(card.note) or meaning)  # type: ignore[arg-type]
    if card.evidence != "trained":
        st.caption(meaning)
    for finding in card.findings:
        st.caption(plain(finding))
