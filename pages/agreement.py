"""Agreement: whether the units that overlap a class's object most are those that matter most for it."""

from __future__ import annotations

import streamlit as st

from interpret_core.errors import UserError
from ui import agreement, relevance_settings, relevance_status, results, state, status, widgets
from ui.agreement import Side
from ui.agreement_rows import facts_sentence
from ui.concepts import Views
from ui.plain import plain
from ui.relevances import Found
from ui.results import Ask


def main() -> None:
    """Draw the page."""
    st.title("Agreement")
    ask = st.session_state["ask"]
    wanted = relevance_settings.wanted(ask) if ask else None
    views = dict(status.ready(ask))
    found = relevance_status.ready(ask, wanted)
    if ask is None or wanted is None:
        return
    others = relevance_settings.others(ask, wanted)
    with_profile = {name: dict(results.layers(ask._replace(network=name)) or {}) for name in others}
    for name, there in with_profile.items():
        if not there:
            with st.container(border=True):
                status.pending(ask._replace(network=name))
    widgets.show_notices()
    body(ask, {ask.network: (views, found)} | {n: (with_profile[n], o) for n, o in others.items()})


@st.fragment
def body(ask: Ask, networks: dict[str, tuple[Views, Found]]) -> None:
    """Everything that follows the slider while it is dragged, and the cell that is chosen."""
    head = st.container()  # the sentence stands above the slider and follows it
    top, at_rest = agreement.top_slider()
    sides = []
    for name, (views, found) in networks.items():
        if not views:
            continue
        try:
            with st.spinner("Comparing …"):
                compared = agreement.compare(views, found, top, agreement.permutations(at_rest))
        except UserError as error:
            st.error(plain(error))
            continue
        sides.append(Side(name, views, found, compared))
    if not sides:
        return
    head.markdown(facts_sentence(sides[0].agreement, plain(sides[0].title), top))
    agreement.table(sides, top)
    side, layer, name = agreement.cells(sides)
    agreement.units(side, layer, name, top)
    agreement.errors(sides)
    widgets.show_notices()
    state.keep("agreement", (*relevance_settings.PARAMETERS, *agreement.PARAMETERS))


main()
