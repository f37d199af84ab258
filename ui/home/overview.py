"""The home page's parts: entry cards with live pictures, and networks × data sets with the state of each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from interpret_core import demo
from interpret_core.errors import UnitscopeError
from ui.access.told import told
from ui.components.markup import pictures
from ui.components.misnomer import Misnomer, misnomer
from ui.jobs.own import no_dataset
from ui.jobs.panel import bar, cancel
from ui.jobs.words import brief
from ui.session import memory, precedence, relevances, results, work
from ui.session.layers import Layers
from ui.session.profiles.other_settings import other_profiles
from ui.session.relevances import Wanted
from ui.session.view import LayerView
from ui.shell import links
from ui.shell.names import key_of
from ui.shell.plain import plain
from ui.shell.sidebar import Ask

POLL = 2.0
SHOWN = 5


def entries(ask: Ask | None) -> None:
    """One card per kind of page; where a result is ready, its best units look out of them."""
    layers = _layers(ask)
    best = _best_layer(layers)
    left, middle, right = st.columns(3, gap="medium")
    with left.container(border=True, height="stretch", key="step_units"):
        st.markdown("**Units**: every unit of a layer, its photographs, its label and its doubts.")
        if best is not None:
            strongest = [int(unit) for unit in np.argsort(-best.iou, kind="stable")]
            st.html(pictures(best, strongest, SHOWN))
        found = misnomer(layers) if layers else None
        if found is not None and best is not None:
            _misleading(found, best)
        links.link("Browse units →")
    with middle.container(border=True, height="stretch", key="step_concepts"):
        st.markdown(
            "**Concepts**: which concepts a network's detectors name, layer by layer, beside other networks."
        )
        if best is not None and best.annotated:
            st.html(pictures(best, [units[0] for units in best.concept_counts().values()], SHOWN))
        links.link("Compare concepts →", links.CONCEPTS)
    with right.container(border=True, height="stretch", key="step_relevance"):
        st.markdown(
            "**Relevance**: for which classes a unit matters, by integrated gradients, and whether those are "
            "the ones it overlaps with."
        )
        relevant = _relevant(best) if best is not None else []
        if best is not None and relevant:
            st.html(pictures(best, relevant, SHOWN))
        with st.container(horizontal=True, gap="small"):
            links.link("Layers × classes →", links.RELEVANCE)
            links.link("Agreement →", links.AGREEMENT)
            links.link("Shared units →", links.SHARED)
    if best is not None and not best.annotated:
        st.caption(
            f"In the pictures: units of {plain(best.facts.network_title)} on {plain(best.facts.dataset)}, "
            f"{plain(best.layer.name)}. Nothing is annotated in these photographs, so no unit has a concept."
        )
    elif best is not None:
        third = ", then the unit that matters most for each class" if relevant else ""
        st.caption(
            f"In the pictures: {plain(best.facts.network_title)} ({plain(best.facts.evidence)}) on "
            f"{plain(best.facts.dataset)}, {plain(best.layer.name)}. First the units with the best IoU, "
            f"then the best detectors of {best.summary.unique_detectors():,} concepts{third}."
        )


def _relevant(view: LayerView) -> list[int]:
    """The most relevant unit of each class, each once."""
    found = relevances.classes_of(view)
    best = [int(np.argmax(record.layer(view.layer.name).relevance)) for record in found.values()]
    return list(dict.fromkeys(best))


def _misleading(found: Misnomer, view: LayerView) -> None:
    """The unit that shows best why a label is no finding, of the network that a layer is of."""
    st.markdown(f"Labelled “{plain(found.label)}”, yet it responds to a shade of {plain(found.shade)}:")
    links.link(
        f"{plain(found.layer)} unit {found.unit} →",
        network=view.network,
        dataset=view.dataset,
        layer=found.layer,
        unit=found.unit,
    )


def _layers(ask: Ask | None) -> Layers | None:
    """Those of the selected network or of the first that has a result; None without any."""
    if ask is None:
        return None
    others = [ask._replace(network=name) for name in results.shown_networks(ask.network)]
    found = next((one for one in (ask, *others) if precedence.ready(one)), None)
    try:
        return results.layers(found) if found else None
    except UnitscopeError:
        return None


def _best_layer(layers: Layers | None) -> LayerView | None:
    """The layer with most concepts."""
    if not layers:
        return None
    counts = layers.counts
    return layers[max(counts, key=lambda name: counts[name].concepts)]


def matrix(ask: Ask | None) -> None:
    """Each network on each data set: ready, running, or a button that says what it would start."""
    st.subheader("Results")
    datasets = results.dataset_names()
    if not datasets:
        no_dataset()
        return
    least = ask.min_images if ask else Ask("", "").min_images
    names = precedence.ranked(results.shown_networks(ask.network if ask else None), datasets, least)
    pairs = [Ask(name, dataset, least) for name in names for dataset in datasets]
    pairs = [one for one in pairs if _worth_a_line(one, ask)]
    running = [one for one in pairs if _running(one)]
    own = [one for one in pairs if one not in running and results.own(one)]
    rest = [one for one in pairs if one not in running and one not in own]
    if running:
        memory.part(partial(_watched, tuple(running)), every=POLL)()
    for one in own if own else rest:
        _line(one)
    if own and rest:
        with st.expander(f"{len(rest)} more, of networks and data sets that come with the program"):
            for one in rest:
                _line(one)


def _watched(running: Sequence[Ask]) -> None:
    """Lines of jobs at work; the whole page again once one has ended."""
    for one in running:
        _line(one)
    if not all(map(_running, running)):
        st.rerun()


def _worth_a_line(one: Ask, ask: Ask | None) -> bool:
    """The demo's networks belong to the demo's scenes, others to photographs, until somebody mixes them."""
    apart = one.network.startswith(demo.PREFIX) != (one.dataset == demo.NAME)
    chosen = ask is not None and (one.network, one.dataset) == (ask.network, ask.dataset)
    return not apart or chosen or _running(one) or precedence.ready(one)


def _running(ask: Ask) -> bool:
    try:
        job = work.job(ask.request())
    except UnitscopeError:
        return False
    return bool(job and job.active)


def _line(ask: Ask) -> None:
    """One result's line."""
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", border=True
    ):
        try:
            card, job, ready = results.card(ask.network), work.job(ask.request()), results.ready(ask)
        except UnitscopeError as error:
            st.markdown(f"**{plain(ask.network)}** on **{plain(ask.dataset)}**: {plain(told(error))}")
            return
        said = f"({card.evidence}" in card.title  # the demo's networks are called so
        worth = "" if said else f" · {plain(card.evidence)}"
        st.markdown(f"**{plain(card.title)}** on **{plain(ask.dataset)}**{worth}", width="content")
        if job and job.active:
            bar(job)
            cancel(ask.request(), key_of("cancel_line", ask.network, ask.dataset))
            return
        failed = job and job.state in ("failed", "died")
        words = (
            "Ready: open →"
            if ready
            else f"{job.state}: see why →"
            if job and failed
            else f"{_missing(ask)}: see the cost →"
        )
        with st.container(horizontal=True, gap="small", width="content"):
            links.link(words, network=ask.network, dataset=ask.dataset)
            now = _relevance(Wanted(ask.network, ask.dataset)) if ready else ""
            if now:
                links.link(now, links.RELEVANCE, network=ask.network, dataset=ask.dataset)


def _missing(ask: Ask) -> str:
    """What there is of a profile that is not whole, or under settings that no page shows."""
    there, missing = results.profiled(ask)
    if there:
        return f"{len(missing):,} of {len(there) + len(missing):,} layers not computed"
    return "computed under other settings only" if other_profiles(ask) else "not computed"


def _relevance(wanted: Wanted) -> str:
    """The state of the relevance, empty for a network and a data set that have no class in common."""
    job = work.job(wanted.request())
    if job and job.active:
        return f"Relevance: {brief(job)} →"
    found = relevances.computed(wanted)
    if found is None:
        return ""
    there, every = found
    if not there:
        return "Relevance: not computed →"
    return "Relevance: ready →" if there == every else f"Relevance: {there} of {every} classes →"
