"""The home page's parts: entry cards with live pictures, and networks × data sets with the state of each."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from interpret_core.errors import UnitscopeError
from ui import addresses, goto, results, status
from ui.plain import plain
from ui.results import Ask
from ui.view import LayerView

POLL = 2.0
SHOWN = 6


def entries(ask: Ask | None) -> None:
    """One card per page; with a result at hand, its best units look out of it."""
    best = _best_layer(ask)
    left, right = st.columns(2, gap="medium")
    with left.container(border=True):
        st.markdown("**Units**: every unit of a layer, its photographs, its label and its doubts.")
        if best is not None:
            st.html(_pictures(best))
        st.page_link("pages/units.py", label="Browse units →")
    with right.container(border=True):
        st.markdown(
            "**Concepts**: which concepts a network's detectors name, layer by layer, beside other networks."
        )
        if best is not None:
            found, unique = best.detectors(), best.summary.unique_detectors()
            st.markdown(
                f"{plain(best.facts.network_title)} on {plain(best.facts.dataset)}, "
                f"{plain(best.layer.name)}: "
                f"**{found}** detectors of **{unique}** concepts."
            )
        st.page_link("pages/concepts.py", label="Compare concepts →")


def _best_layer(ask: Ask | None) -> LayerView | None:
    """The selected network's layer with most concepts; None while there is no result."""
    if ask is None:
        return None
    try:
        views = results.layers(ask)
    except UnitscopeError:
        return None
    return max(views.values(), key=lambda view: view.summary.unique_detectors()) if views else None


def _pictures(view: LayerView) -> str:
    before, after = addresses.thumbnail(view)
    best = [int(unit) for unit in np.argsort(-view.iou)[:SHOWN] if view.word(int(unit)) != "dead"]
    images = "".join(
        f'<img src="{escape(f"{before}{unit}{after}", quote=True)}" width="84" height="84" '
        f'alt="{escape(view.label(unit))}" title="{escape(view.label(unit))}">'
        for unit in best
    )
    return f'<div class="us-row">{images}</div>'


def matrix(ask: Ask | None) -> None:
    """Each network on each data set: ready, running, or a button that says what it would start."""
    st.subheader("Results")
    datasets = results.dataset_names()
    if not datasets:
        status.no_dataset()
        return
    names = results.shown_networks(ask.network if ask else None)
    least = ask.min_images if ask else Ask("", "").min_images
    running = any(_running(Ask(name, dataset, least)) for name in names for dataset in datasets)

    @st.fragment(run_every=POLL if running else None)
    def table() -> None:
        goto.follow()
        now = False
        for name in names:
            for dataset in datasets:
                now |= _line(Ask(name, dataset, least))
        if running and not now:
            st.rerun()

    table()


def _running(ask: Ask) -> bool:
    try:
        job = results.job(ask)
    except UnitscopeError:
        return False
    return bool(job and job.active)


def _line(ask: Ask) -> bool:
    """One result's line; whether its job is under way."""
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", border=True
    ):
        try:
            card, job, ready = results.card(ask.network), results.job(ask), results.ready(ask)
        except UnitscopeError as error:
            st.markdown(f"**{plain(ask.network)}** on **{plain(ask.dataset)}**: {plain(error)}")
            return False
        st.markdown(
            f"**{plain(card.title)}** on **{plain(ask.dataset)}** · {plain(card.evidence)}", width="content"
        )
        if job and job.active:
            status.bar(job)
            st.button(
                "Cancel", key=f"cancel_{ask.network}_{ask.dataset}", on_click=results.cancel, args=(ask,)
            )
            return True
        key = f"open_{ask.network}_{ask.dataset}"
        if ready:
            st.button("Ready: open →", key=key, on_click=_open, args=(ask,))
        else:
            words = (
                f"{job.state}: see why"
                if job and job.state in ("failed", "died")
                else "not computed: see the cost"
            )
            st.button(words, key=key, on_click=_open, args=(ask,), type="tertiary")
    return False


def _open(ask: Ask) -> None:
    st.session_state["dataset"] = ask.dataset
    goto.note(ask.network)
