"""Agreement: whether the units that overlap a class's object most are those that matter most for it."""

from __future__ import annotations

import streamlit as st

from interpret_core.errors import UnitscopeError, UserError
from ui import (
    agreement,
    agreement_twin,
    relevance_settings,
    relevance_status,
    results,
    state,
    status,
    widgets,
)
from ui.agreement import Side
from ui.agreement_rows import facts_sentence
from ui.agreement_twin import Twin
from ui.concepts import Views
from ui.plain import plain
from ui.relevances import Found, Wanted
from ui.results import Ask


def main() -> None:
    """Draw the page."""
    st.title("Agreement")
    ask = st.session_state["ask"]
    wanted = relevance_settings.wanted(ask) if ask else None
    views = dict(status.ready(ask, chance=False))
    found = relevance_status.ready(ask, wanted)
    if ask is None or wanted is None:
        return
    others = relevance_settings.others(ask, wanted)
    with_profile = {name: dict(results.layers(ask._replace(network=name)) or {}) for name in others}
    for name, there in with_profile.items():
        if not there:
            with st.container(border=True):
                status.pending(ask._replace(network=name))
    widgets.show_notices("page")
    networks = {ask.network: (views, found)} | {
        name: (with_profile[name], one) for name, one in others.items()
    }
    body(networks, {name: _twin(ask, wanted, name, one) for name, (_, one) in networks.items()})
    relevance_status.rest(wanted, found)


def _twin(ask: Ask, wanted: Wanted, name: str, found: Found) -> Twin | None:
    try:
        return agreement_twin.find(ask._replace(network=name), wanted._replace(network=name), found)
    except UnitscopeError as error:
        st.error(plain(error))
        return None


@st.fragment
def body(networks: dict[str, tuple[Views, Found]], twins: dict[str, Twin | None]) -> None:
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
                untrained = agreement.twin_of(twins[name], top, agreement.permutations(at_rest))
        except UserError as error:
            st.error(plain(error))
            continue
        sides.append(Side(name, views, found, compared, untrained))
    if not sides:
        return
    first = sides[0]
    head.markdown(facts_sentence(first.agreement, plain(first.title), top, first.untrained))
    agreement.table(sides, top)
    for one in sides:
        if one.untrained is None:
            agreement_twin.offer(one.title, twins[one.name])
    side, layer, name = agreement.cells(sides)
    agreement.units(side, layer, name, top)
    agreement.errors(sides)
    with head:
        widgets.show_notices("body")
    state.keep("agreement", (*relevance_settings.PARAMETERS, *agreement.PARAMETERS))


main()
