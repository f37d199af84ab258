"""Concept distribution: what a network's detectors detect, layer by layer, beside other networks."""

from __future__ import annotations

import streamlit as st

from ui.components import least
from ui.components.facts import fine_print
from ui.concepts import comparison, image_labels, linked, tables, untrained
from ui.concepts.concept_table import concept_section
from ui.jobs import beside, profile
from ui.session.layers import Layers
from ui.session.memory import part
from ui.session.view import Views
from ui.shell import links, notices, state
from ui.shell.plain import plain
from ui.shell.sidebar import Ask


def main() -> None:
    """Draw the page."""
    st.title("Concepts")
    ask = st.session_state["ask"]
    views = dict(profile.ready(ask))  # all of them, once: the fragment below keeps them while it is dragged
    if not any(view.annotated for view in views.values()):
        without_concepts(views)
        return
    others = beside.profiles(ask)
    controls = untrained.profiles([ask, *(ask._replace(network=name) for name in others)])
    notices.show("page")
    body(ask, views, others, controls)


def without_concepts(views: Views) -> None:
    """What there is in place of concepts where nothing is annotated."""
    facts = next(iter(views.values())).facts
    st.markdown(
        f"**{plain(facts.network_title)}** on **{plain(facts.dataset)}**: nothing is annotated in these "
        "photographs, so no unit has a concept."
    )
    told = image_labels.known(views)
    if told:
        image_labels.section(told, views)
        return
    st.markdown(
        f"[Units]({links.to('units')}) shows each unit’s strongest photographs, its colours and shades, and "
        "finds which labels of whole images it tells, where there are any."
    )


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
