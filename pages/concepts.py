"""Concept distribution: what a network's detectors detect, layer by layer, beside other networks."""

from __future__ import annotations

import streamlit as st

from interpret_core.errors import UnitscopeError
from ui.components import least, unannotated
from ui.components.facts import fine_print
from ui.concepts import comparison, image_labels, linked, tables, untrained
from ui.concepts.concept_table import concept_section
from ui.jobs import beside, profile
from ui.session import results
from ui.session.layers import Layers
from ui.session.memory import part
from ui.session.view import Views
from ui.shell import notices, state
from ui.shell.sidebar import Ask


def main() -> None:
    """Draw the page."""
    st.title("Concepts")
    ask = st.session_state["ask"]
    if unannotated.ends(ask, "so no unit has a concept."):
        labels_of_images(ask)
        return
    views = dict(profile.ready(ask))  # all of them, once: the fragment below keeps them while it is dragged
    others = beside.profiles(ask)
    controls = untrained.profiles([ask, *(ask._replace(network=name) for name in others)])
    notices.show("page")
    body(ask, views, others, controls)


def labels_of_images(ask: Ask) -> None:
    """What there is in place of concepts: labels of whole images, where a layer's are known."""
    try:
        views = dict(results.layers(ask) or {}) if results.ready(ask) else {}
    except UnitscopeError:  # Units says what is wrong
        return
    told = image_labels.known(views)
    if told:
        image_labels.section(told, views)


@part
def body(ask: Ask, views: Views, others: dict[str, Views], controls: dict[str, Layers]) -> None:
    """Everything that follows the cut-off while it is dragged, and the concept that is chosen."""
    head = st.container()  # the sentence stands above the slider and follows it
    cutoff = comparison.live_cutoff(ask)
    here = tables.at(views, cutoff)
    head.markdown(tables.facts_sentence(here))
    with head:
        st.caption(fine_print(next(iter(here.values()))))
        least.offer(next(iter(here.values())))
    networks: dict[str, Views] = {
        ask.network: here,
        **{name: tables.at(found, cutoff) for name, found in others.items()},
    }
    chosen = comparison.bars(networks)
    comparison.uncertain(networks)
    comparison.responds(networks, untrained.ends(controls, cutoff))
    untrained.offers(ask, controls)
    linked.section(networks, chosen)
    concept_section(here, chosen)
    left, right = st.columns(2, gap="medium")
    with left:
        comparison.sensitivity(here, cutoff)
    with right:
        comparison.quality(networks)
    with head:
        notices.show("body")
    state.keep("concepts", comparison.PARAMETERS)


main()
