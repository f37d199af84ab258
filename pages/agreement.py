"""Agreement: whether the units that overlap a class's object most are those that matter most for it."""

from __future__ import annotations

import streamlit as st

from interpret_core.errors import UnitscopeError, UserError
from ui.access.told import told
from ui.agreement import parts, untrained
from ui.agreement.parts import Side
from ui.agreement.rows import facts_sentence
from ui.agreement.untrained import UntrainedControl
from ui.components import unannotated
from ui.components.relevance_settings import relevance_settings
from ui.jobs import beside, profile
from ui.jobs import relevance as relevance_status
from ui.session import results
from ui.session.memory import part
from ui.session.relevances import Found, Wanted
from ui.session.view import Views
from ui.shell import notices, state
from ui.shell.plain import plain
from ui.shell.sidebar import Ask


def main() -> None:
    """Draw the page."""
    st.title("Agreement")
    ask = st.session_state["ask"]
    if unannotated.ends(ask, "and the overlap of a unit with a class’s object is one half of an agreement."):
        return
    wanted = relevance_settings.wanted(ask) if ask else None
    views: Views = profile.ready(ask, chance=False)
    found = relevance_status.ready(ask, wanted)
    if ask is None or wanted is None:
        return
    others = beside.relevances(wanted)
    with_profile = {name: dict(results.layers(ask._replace(network=name)) or {}) for name in others}
    for name, there in with_profile.items():
        if not there:
            with st.container(border=True):
                profile.pending(ask._replace(network=name))
    notices.show("page")
    networks: dict[str, tuple[Views, Found]] = {ask.network: (views, found)} | {
        name: (with_profile[name], one) for name, one in others.items()
    }
    body(networks, {name: _control(ask, wanted, name, one) for name, (_, one) in networks.items()})
    relevance_status.rest(wanted, found)


def _control(ask: Ask, wanted: Wanted, name: str, found: Found) -> UntrainedControl | None:
    try:
        return untrained.find(ask._replace(network=name), wanted._replace(network=name), found)
    except UnitscopeError as error:
        st.error(plain(told(error)))
        return None


@part
def body(networks: dict[str, tuple[Views, Found]], controls: dict[str, UntrainedControl | None]) -> None:
    """Everything that follows the slider while it is dragged, and the cell that is chosen."""
    head = st.container()  # the sentence stands above the slider and follows it
    top, at_rest = parts.top_slider()
    sides = []
    for name, (views, found) in networks.items():
        if not views:
            continue
        try:
            with st.spinner("Comparing …"):
                compared = parts.compare(views, found, top, parts.permutations(at_rest))
                control = parts.control_of(controls[name], top, parts.permutations(at_rest))
        except UserError as error:
            st.error(plain(told(error)))
            continue
        sides.append(Side(name, views, found, compared, control))
    if not sides:
        return
    first = sides[0]
    head.markdown(facts_sentence(first.agreement, plain(first.title), top, first.untrained))
    parts.table(sides, top)
    for one in sides:
        if one.untrained is None:
            untrained.offer(one.title, controls[one.name])
    side, layer, name = parts.cells(sides)
    parts.units(side, layer, name, top)
    parts.errors(sides)
    with head:
        notices.show("body")
    state.keep("agreement", (*relevance_settings.PARAMETERS, *parts.PARAMETERS))


main()
