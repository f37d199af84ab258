"""The sidebar: which network, which data set, under which settings; and what the evidence is worth."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from interpret_core.errors import UserError
from interpret_core.profile.summary import MIN_IMAGES
from ui import goto, ranking, results, state
from ui.plain import plain
from ui.texts import HOW
from ui.theme import EVIDENCE, asset


def selection() -> results.Ask | None:
    """Draw the entry-point widgets; they are bound to the URL and survive a page switch.

    Returns:
        What the pages are about, or None when no data set is registered.
    """
    known_networks, known_datasets = results.network_names(), results.dataset_names()
    state.check_entry(known_networks, known_datasets)
    goto.arrive()
    with st.sidebar:
        _begin(known_networks, known_datasets)
        network = st.selectbox("Network", known_networks, key="network", bind="query-params")
        evidence(network)
        chosen = st.selectbox(
            "Data set",
            known_datasets,
            key="dataset",
            bind="query-params",
            placeholder="none registered",
            disabled=not known_datasets,
        )
        cutoff, least = _rules()
    return results.Ask(network, chosen, least, cutoff) if chosen and network else None


def _begin(known_networks: Sequence[str], known_datasets: Sequence[str]) -> None:
    """Whoever comes without a network in the link starts where there is something to see."""
    if not known_datasets or state.parameter("network") in known_networks or "network" in st.session_state:
        return
    raw = state.parameter("dataset")
    with st.spinner("Looking for results (the first time, the data set's files are read once) …"):
        st.session_state["network"] = ranking.first(raw if raw in known_datasets else known_datasets[0])


def _rules() -> tuple[float, int]:
    """The cut-off, and the images that a concept must be in."""
    left, right = st.columns(2)
    cutoff = left.number_input(
        "IoU cut-off",
        0.0,
        state.CUTOFF_MAX,
        state.CUTOFF_DEFAULT,
        step=0.005,
        format="%.3f",
        key="cutoff",
        bind="query-params",
        help="A unit is a detector when its best IoU exceeds this. The paper's is 0.04; at 0 every unit "
        "keeps its label.",
    )
    least = right.number_input(
        "Images per concept",
        1,
        1000,
        MIN_IMAGES,
        key="min_images",
        bind="query-params",
        help="Concepts in fewer images are left out of labels and counts (Broden's rule: 10). "
        "Another number needs another chance level, computed on request.",
    )
    return round(float(cutoff), 4), int(least)


def evidence(network: str | None) -> None:
    """The badge that says what the network's weights are worth, and its note."""
    if not network:
        return
    try:
        card = results.card(network)
    except UserError as error:
        st.caption(plain(error))
        return
    colour, word, meaning = EVIDENCE.get(card.evidence, ("gray", plain(card.evidence) or "unknown", ""))
    st.badge(word, color=colour, help=_plain(card.note) or meaning)  # type: ignore[arg-type]
    if card.evidence != "trained":
        st.caption(meaning)


def _plain(note: str) -> str:
    """A note as inline code, so that addresses and paths in it neither link nor format."""
    return f"`{note.replace('`', '')}`" if note else ""


def show_notices() -> None:
    """Friendly lines about parameters that could not be followed."""
    for line in state.notices():
        st.warning(line)


def style() -> None:
    """The page's own style sheet."""
    st.html(f"<style>{asset('page.css')}</style>")


def how(*names: str) -> None:
    """A popover with the formula and its source."""
    with st.popover("How computed", type="tertiary"):
        for name in names:
            st.markdown(HOW[name])
