"""Networks beside each other: detectors per layer, sensitivity, mean top-t IoU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from interpret_core.figures.concepts import HEIGHT, Panel, detector_bars
from interpret_core.figures.curves import assessed_shares, assessment_lines, quality_lines, sensitivity_curve
from interpret_core.figures.template import FITTING
from ui.components.chart.chart import Finished, chart, finished
from ui.components.control.control import buttons
from ui.components.slider.slider import Bounds, live_slider
from ui.concepts import linked, tables
from ui.concepts.tables import CUTOFFS
from ui.session.memory import kept
from ui.session.view import Identity, LayerView, Views, identity_of, whose
from ui.shell import links, lists, notices, state
from ui.shell.how import how
from ui.shell.names import key_of
from ui.shell.plain import plain, shortened
from ui.shell.sidebar import Ask
from ui.shell.theme import count_text

PARAMETERS = ("compare", "bars", "scope", "concept", "at")
SLANTED, FLAT = 120, 76  # pixels below the plot, for names of layers and a legend of two lines
BARS = {"units": "detectors", "share": "% of units", "unique": "distinct concepts"}


def live_cutoff(ask: Ask) -> float:
    """The cut-off under the thumb; on release it goes to the sidebar and from there to the URL."""

    def settle(value: float) -> None:
        state.change(cutoff="" if round(value, 4) == state.CUTOFF_DEFAULT else f"{value:.4g}")
        st.session_state["_settled"] = True

    value = live_slider(
        "IoU cut-off", Bounds(0.0, state.CUTOFF_MAX, 0.0025), ask.cutoff, "live_cutoff", settle
    )
    if st.session_state.pop("_settled", False):
        st.rerun()
    return round(value, 4)


def bars(networks: dict[str, Views]) -> str:
    """Stacked bars, one panel per network on a common axis; a bar offers the way to its units.

    Returns:
        The concept that is chosen, empty for none.
    """
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        kind = buttons("Bars show", "bars", BARS, "units")
        concept = linked.pick(networks)
        how("unique", "chance")
    panels = {name: tables.panel(views, concept) for name, views in networks.items()}
    share, unique = kind == "share", kind == "unique"
    top = tables.tallest(list(panels.values()), share=share, unique=unique)
    deep = len(panels) > 1 and any(len(panel.counts) > FITTING for panel in panels.values())
    for place, (name, panel) in zip(st.columns(len(panels)), panels.items(), strict=True):
        key = key_of("bars", name)
        made = _bars(identity_of(networks[name]), concept, kind, top, deep, panel)
        with place:
            chart(made, key, partial(_bar_chosen, key, name))
    _way_on(networks)
    return concept


@kept(64)
def _bars(identity: Identity, concept: str, kind: str, top: float, deep: bool, _panel: Panel) -> Finished:
    figure = detector_bars(_panel, share=kind == "share", unique=kind == "unique", top=top)
    if deep:
        # Plots of one height, so that equal heights are equal numbers; only slanted names take more below.
        foot = SLANTED if len(_panel.counts) > FITTING else FLAT
        figure.update_layout(margin={"b": foot}, height=HEIGHT - SLANTED + foot)
        figure.update_xaxes(automargin=False)
    return finished(figure, f"{BARS[kind].capitalize()} by layer")


def _bar_chosen(key: str, network: str) -> None:
    """One bar at a time, whichever network's: layer, and the category or the concept that stands out."""
    found = links.chosen(key)[:1]
    state.change(at=lists.joined((network, str(found[0][0]), str(found[0][1]))) if found else None)


def _way_on(networks: dict[str, Views]) -> None:
    """What the chosen bar is, and the link to its units."""
    place = _place(networks)
    if place is None:
        st.caption("Click a bar for the way to its units.")
        return
    network, layer, category = place
    view = networks[network][layer]
    detectors, distinct = view.summary.detectors_by_category()[category]
    with st.container(key="way_on", horizontal=True, vertical_alignment="center", border=True):
        st.markdown(
            f"**{plain(layer)} · {plain(category)}** in {plain(tables.titles(networks)[network])}: "
            f"{count_text(detectors, 'detector')} (of {count_text(view.layer.units, 'unit')}) of "
            f"{count_text(distinct, 'concept')}",
            width="content",
        )
        links.link("See these units →", network=network, layer=layer, category=category, detectors=1)
        st.button(
            "✕", key="close_way", help="Close", type="tertiary", on_click=state.change, kwargs={"at": ""}
        )


def _place(networks: dict[str, Views]) -> tuple[str, str, str] | None:
    """The bar that the URL names: network, layer, category; a line says so where there is none."""
    raw = state.parameter("at")
    if not raw:
        return None
    network, layer, category = (["", "", "", *lists.split(raw)])[-3:]
    known = layer in networks.get(network, {}) and category in networks[network][layer].categories
    if not known:
        notices.complain(f"The bar “{shortened(raw)}” that the link points to is not here.")
        state.repair(at=None)
    return (network, layer, category) if known else None


def sensitivity(views: Views, cutoff: float) -> None:
    """Detectors over the cut-off."""
    st.subheader("Sensitivity to the cut-off")
    chart(_sensitivity(identity_of(views), cutoff, views), "sensitivity")
    how("sensitivity")


@kept(64)
def _sensitivity(identity: Identity, cutoff: float, _views: Views) -> Finished:
    facts = next(iter(_views.values())).facts
    figure = sensitivity_curve(CUTOFFS, tables.curves(_views), cutoff, badge=facts.badge)
    return finished(figure, "Detectors over the cut-off")


def quality(networks: Mapping[str, Views]) -> None:
    """Mean top-t IoU per layer, and per network in words."""
    st.subheader("Mean top-t IoU")
    titles, every = tables.titles(networks), tuple(networks.values())
    chart(_quality(tuple(map(identity_of, every)), tuple(titles.values()), every), "quality")
    for name, views in networks.items():
        one, two, three = tables.mean_quality(views)
        st.caption(f"{plain(titles[name])}, all units: Q¹ {one:.4f} · Q² {two:.4f} · Q³ {three:.4f}")
    how("quality")


@kept(64)
def _quality(identity: tuple[Identity, ...], titles: tuple[str, ...], _networks: Sequence[Views]) -> Finished:
    facts = [next(iter(views.values())).facts for views in _networks]
    data = {
        title: {layer: view.summary.mean_top_iou() for layer, view in views.items()}
        for title, views in zip(titles, _networks, strict=True)
    }
    return finished(quality_lines(data, badge=whose(facts)), "Mean top-t IoU")


def uncertain(networks: Mapping[str, Views]) -> None:
    """How far the counts would move on other photographs, and whether networks differ by more than that.

    Args:
        networks: by name, the selected one first: it alone is meant where none is named.
    """
    counts = {}
    for name, views in networks.items():
        found = _counted(identity_of(views), views)
        if found is not None:
            counts[name] = found
    if not counts:
        return
    titles = tables.titles(networks)
    (first, own), *others = counts.items()
    st.caption(own.words("" if first == next(iter(networks)) else titles[first]))
    for name, other in others:
        st.caption(tables.difference_words(own, other, (titles[first], titles[name])))


@kept(64)
def _counted(identity: Identity, _views: Views) -> tables.Counts | None:
    return tables.counted(_views)


def responds(networks: Mapping[str, Views], controls: Mapping[str, Views]) -> None:
    """From colours to objects over depth, and the first and the last layer in words.

    Args:
        networks: by name, those that are compared.
        controls: by the name of the network, first and last layer of the same one before its training.
    """
    known = {name: views for name, views in networks.items() if all(map(_assessed, views.values()))}
    if not known:
        return
    st.subheader("From colours to objects")
    titles = tables.titles(networks)
    called = tuple(titles[name] for name in known)
    chart(_responds(tuple(map(identity_of, known.values())), called, tuple(known.values())), "responds")
    for name, views in known.items():
        st.markdown(_ends(titles[name], views))
        before = controls.get(name)
        if before is not None and all(map(_assessed, before.values())):
            title = next(iter(before.values())).facts.network_title
            st.caption(f"Before its training (the untrained control): {_ends(title, before)}")
    how("assessment")


def _ends(title: str, views: Views) -> str:
    """What the detectors of the first and of the last layer respond to; Markdown."""
    every = list(views.values())
    ends = [every[0], every[-1]] if len(every) > 1 else every
    return f"{plain(title)}: {'; '.join(map(tables.detectors_words, ends))}."


def _assessed(view: LayerView) -> bool:
    return view.summary.assessed is not None


@kept(64)
def _responds(
    identity: tuple[Identity, ...], titles: tuple[str, ...], _networks: Sequence[Views]
) -> Finished:
    facts = [next(iter(views.values())).facts for views in _networks]
    data = {
        title: {layer: assessed_shares(view.summary) for layer, view in views.items()}
        for title, views in zip(titles, _networks, strict=True)
    }
    return finished(assessment_lines(data, badge=whose(facts)), "Colours and objects over depth")
