"""What stands where relevance has not been computed: what it would be, what it costs, its progress."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from interpret_core.analyses.estimate.request import EstimateRequest
from interpret_core.errors import UnitscopeError
from ui.access.told import told
from ui.jobs import estimates
from ui.jobs.own import no_dataset
from ui.jobs.panel import Offer, panel
from ui.jobs.words import takes
from ui.session import relevances, results, stored, work
from ui.session.relevances import Found, Wanted
from ui.shell import notices
from ui.shell.plain import plain
from ui.shell.sidebar import Ask
from ui.shell.theme import count_text

LOOKING = "Looking for the relevance (the first time, the data set's files are read once) …"


def find(wanted: Wanted) -> Found | None:
    """What is there of one network, None after a line that says why it cannot be looked for."""
    try:
        with st.spinner(LOOKING, show_time=True):
            return relevances.find(wanted)
    except UnitscopeError as error:
        st.error(plain(told(error)))
        return None


def ready(ask: Ask | None, wanted: Wanted | None) -> Found:
    """What is there; where there is nothing to draw, draws the state instead and ends the page.

    Where classes are missing, the page draws `rest` below its facts.
    """
    notices.show("relevance")
    if ask is None or wanted is None:
        no_dataset()
        st.stop()
    found = find(wanted)
    if found is None:
        st.stop()
    if not found.records:
        pending(wanted, found)
        st.stop()
    if found.missing and work.busy(wanted.request()):
        pending(wanted, found)
    return found


def rest(wanted: Wanted, found: Found) -> None:
    """Below the facts: the classes that are not there, unless their job's progress stands on top already."""
    if found.missing and not work.busy(wanted.request()):
        pending(wanted, found)


def pending(wanted: Wanted, found: Found) -> None:
    """Classes that are not there: their job's progress, or the offer to start one."""
    try:
        panel(_offer(wanted, found))
    except UnitscopeError as error:
        st.error(plain(told(error)))


def _offer(wanted: Wanted, found: Found) -> Offer:
    time, measure = _cost(wanted, found)
    what = f"The relevance of {plain(wanted.network)} on {plain(wanted.dataset)}"
    more = "The stage is named after the class."
    if found.records:
        few = ", ".join(map(plain, found.missing[:6])) + (" …" if len(found.missing) > 6 else ".")
        cost = (
            f"{count_text(len(found.missing), 'class', 'classes')} of {len(found.classes)} "
            f"{'is' if len(found.missing) == 1 else 'are'} not computed: {few} {time}"
        )
        return Offer(
            wanted.request(), what, "Compute the rest", cost=cost, more=more, beside=True, measure=measure
        )
    missing = f"**{what} has not been computed yet** ({wanted.words})."
    offer = Offer(wanted.request(), what, "Compute the relevance", missing, time, more, primary=True)
    return replace(offer, measure=measure)


def _cost(wanted: Wanted, found: Found) -> tuple[str, EstimateRequest | None]:
    """What the button costs, before it is pressed, and the job that measures it where that is not known."""
    if found.plan is None:
        images = len(results.dataset(wanted.dataset))
        return (
            "Which image shows which class is read from the annotations first "
            f"({count_text(images, 'image')}), then gradients are integrated in every layer for each class: "
            "a few minutes for a small network, longer without a graphics card."
        ), None
    words = found.plan.cost(stored.store(), found.missing).words
    cost = estimates.relevance(found, found.missing)
    rule = "how long depends on the network: about 1 to 20 s per image on two cores"
    measure = estimates.of_relevance(wanted.request()) if cost is None else None
    return f"It {words} and keeps the result: {takes(cost, rule)}.", measure
