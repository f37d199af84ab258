"""What stands where relevance has not been computed: what it would be, what it costs, its progress."""

from __future__ import annotations

from functools import partial

import streamlit as st

from interpret_core.errors import UnitscopeError
from ui import relevances, results, status, widgets
from ui.naming import key_of
from ui.plain import plain
from ui.relevances import Found, Wanted
from ui.results import Ask
from ui.theme import count_text

LOOKING = "Looking for the relevance (the first time, the data set's files are read once) …"


def find(wanted: Wanted) -> Found | None:
    """What is there of one network, None after a line that says why it cannot be looked for."""
    try:
        with st.spinner(LOOKING, show_time=True):
            return relevances.find(wanted)
    except UnitscopeError as error:
        st.error(plain(error))
        return None


def ready(ask: Ask | None, wanted: Wanted | None) -> Found:
    """What is there; where there is nothing to draw, draws the state instead and ends the page.

    Where classes are missing, the page draws `rest` below its facts.
    """
    widgets.show_notices("relevance")
    if ask is None or wanted is None:
        status.no_dataset()
        st.stop()
    found = find(wanted)
    if found is None:
        st.stop()
    if not found.records:
        pending(wanted, found)
        st.stop()
    if found.missing and busy(wanted):
        pending(wanted, found)
    return found


def busy(wanted: Wanted) -> bool:
    """Whether its job waits or runs; what cannot be asked for does not."""
    try:
        job = relevances.job(wanted)
    except UnitscopeError:
        return False
    return bool(job and job.active)


def rest(wanted: Wanted, found: Found) -> None:
    """Below the facts: the classes that are not there, unless their job's progress stands on top already."""
    if found.missing and not busy(wanted):
        pending(wanted, found)


def pending(wanted: Wanted, found: Found) -> None:
    """Classes that are not there: their job's progress, or the offer to start one."""
    try:
        job = relevances.job(wanted)
        if job and job.active:
            progress(wanted)
        elif found.records:
            _rest(wanted, found)
        else:
            offer(wanted, found)
    except UnitscopeError as error:
        st.error(plain(error))


def offer(wanted: Wanted, found: Found) -> None:
    """Nothing computed: what it would be, what it costs, and the button; after a failure, why."""
    job = relevances.job(wanted)
    again = status.last_attempt(job)
    if not again:
        st.info(
            f"**The relevance of {plain(wanted.network)} on {plain(wanted.dataset)} has not been computed "
            f"yet** ({settings_words(wanted)})."
        )
    st.markdown(cost(wanted, found))
    label = "Try again" if again else "Compute the relevance"
    if st.button(label, type="primary", key=key_of("start_relevance", wanted.network)):
        status.begin(partial(relevances.start, wanted))


def _rest(wanted: Wanted, found: Found) -> None:
    """Some classes are there, others not."""
    few = ", ".join(map(plain, found.missing[:6])) + (" …" if len(found.missing) > 6 else ".")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{count_text(len(found.missing), 'class', 'classes')} of {len(found.classes)} "
            f"{'is' if len(found.missing) == 1 else 'are'} not computed: {few} {cost(wanted, found)}",
            width="content",
        )
        if st.button("Compute the rest", key=key_of("rest_relevance", wanted.network)):
            status.begin(partial(relevances.start, wanted))


def cost(wanted: Wanted, found: Found) -> str:
    """What the button costs, before it is pressed."""
    if found.plan is None:
        images = len(results.dataset(wanted.dataset))
        return (
            "Which image shows which class is read from the annotations first "
            f"({count_text(images, 'image')}), then gradients are integrated in every layer for each class: "
            "a few minutes for a small network, longer without a graphics card."
        )
    cost = relevances.cost(found.plan, found.missing)
    time = (
        f"≈ {status.duration(cost.seconds)}, at the pace of the last run here"
        if cost.seconds is not None
        else "how long depends on the network: about 1 to 20 s per image on two cores (a rule of thumb)"
    )
    return f"It {cost.words} and keeps the result: {time}."


def progress(wanted: Wanted) -> None:
    """Its job, in the line or at work: what it is, and its progress."""
    st.markdown(
        f"**The relevance of {plain(wanted.network)} on {plain(wanted.dataset)}.** You may close "
        "this tab: the work goes on, and this page finds it again. The stage is named after the class."
    )
    key = key_of("cancel_relevance", wanted.network)
    status.follow(partial(relevances.job, wanted), partial(relevances.cancel, wanted), key)


def settings_words(wanted: Wanted) -> str:
    """The settings as a phrase."""
    method = "layer integrated gradients" if wanted.method == "layer-ig" else "conductance"
    split = "all images" if wanted.split == "all" else f"{wanted.split} images"
    return f"{method}, {wanted.baseline} baseline, {wanted.output}, {split}"
