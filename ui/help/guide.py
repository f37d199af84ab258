"""The strip above a page that leads a newcomer: a step of the tour, or one line on what this is.

The line is for a colleague who was sent a link. It is gone once they have been on Home or on the tour, or
have dismissed it; the browser notes that for the tab, since a reload begins another session here.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from interpret_core.errors import UnitscopeError
from ui.help import itinerary
from ui.help.itinerary import STEPS, Stop
from ui.shell import addresses, links, state
from ui.shell.component import Component
from ui.shell.sidebar import Ask
from ui.shell.site import HOME, PAGES, address
from ui.shell.theme import asset

PARAMETER = "tour"
PRESENT = "present"
NOTHING = (
    "The tour shows results, and nothing is computed here yet: Home lists what can be, and what it costs."
)
TITLES = {address(one): one.title for one in PAGES}
STRANGE = "What is this? Units of a neural network and what they detect"
WELCOME = "New here? The tour leads through all pages in eight steps and five minutes"
_KNOWN = "_knows_the_way"
_guide = Component("help/guide", "components/common/travel.js", "components/common/focus.js")


def guide(page: str) -> None:
    """Draw what the address asks for, or what a newcomer needs; nothing for whoever knows the way.

    Args:
        page: address of the one that is shown.
    """
    step = state.whole(PARAMETER, 1, STEPS, 0, "step of the tour")
    data: dict[str, Any] = {"knows": bool(step) or page == address(HOME)}
    if step:
        data["tour"] = tour(st.session_state["ask"], step, page)
    elif page == address(HOME):
        data["line"] = _line(WELCOME)
    elif not st.session_state.get(_KNOWN):
        data["line"] = _line(STRANGE) | {"dismiss": "Dismiss"}
    if data["knows"]:
        st.session_state[_KNOWN] = True
    if state.flag(PRESENT):
        data["present"] = PRESENT
        st.html(f"<style>{asset('help/presentation.css')}</style>")
    if len(data) > 1:
        _guide(key="guide", data=data)


def _line(text: str) -> dict[str, str]:
    return {"text": text, "tour": links.to("", **{PARAMETER: 1}), "glossary": addresses.page("glossary")}


def tour(ask: Ask | None, step: int, page: str) -> dict[str, Any]:
    """A step as the strip shows it.

    Args:
        ask: what is chosen.
        step: 1 to STEPS.
        page: address of the one that is shown.
    """
    about = itinerary.subject(ask)
    try:
        stops = itinerary.stops(about) if about else ()
    except UnitscopeError:
        stops = ()
    if about is None or not stops:
        return {"title": "Tour", "see": NOTHING, "conclude": "", "end": PARAMETER}
    here = stops[step - 1]
    told = {"title": TITLES[here.page], "see": here.see, "conclude": here.conclude}
    back, onward = step - 1, step + 1
    if here.page != page:  # somebody has walked away: the next step is the way back
        told |= {"see": f"This step of the tour is about the page {TITLES[here.page]}.", "conclude": ""}
        onward = step
    return {
        **told,
        "place": f"Step {step} of {STEPS}",
        "back": _address(about, stops, back),
        "next": _address(about, stops, onward),
        "end": PARAMETER,
    }


def _address(about: Ask, stops: tuple[Stop, ...], step: int) -> str:
    """Where a step is; empty where there is none."""
    if not 1 <= step <= len(stops):
        return ""
    stop = stops[step - 1]
    here: dict[str, str | int] = {"network": about.network, "dataset": about.dataset}
    return links.to(stop.page, **{**here, **stop.parameters, PARAMETER: step})
