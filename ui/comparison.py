"""Networks beside each other: detectors per layer, sensitivity, mean top-t IoU."""

from __future__ import annotations

from functools import partial

import streamlit as st

from interpret_core.errors import UnitscopeError
from ui import concepts, goto, results, state, status, widgets
from ui.concepts import CUTOFFS, Views
from ui.curves import quality_lines, sensitivity_curve
from ui.drawing import CONFIG, FITTING
from ui.figures import detector_bars
from ui.live import live_slider
from ui.plain import plain
from ui.results import Ask

PARAMETERS = ("compare", "bars", "scope", "concept")
MOST = 2
BARS = {"units": "detectors", "share": "% of units", "unique": "distinct concepts"}


def pick_others(ask: Ask) -> dict[str, Views]:
    """Up to two more networks; one without a result offers to compute it."""
    names = [name for name in results.network_names() if name != ask.network]
    chosen = state.several_of("compare", names, "network")[:MOST]
    key = state.follow("pick_compare", chosen)
    st.sidebar.multiselect(
        "Compare with",
        names,
        key=key,
        max_selections=MOST,
        on_change=state.writer("compare", key, ",".join),
        placeholder="up to two networks",
    )
    found: dict[str, Views] = {}
    for name in chosen:
        other = ask._replace(network=name)
        try:
            views = results.layers(other)
        except UnitscopeError as error:
            st.error(plain(error))
            continue
        if views:
            found[name] = views
        else:
            with st.container(border=True):
                status.pending(other)
    return found


def live_cutoff(ask: Ask) -> float:
    """The cut-off under the thumb; on release it goes to the sidebar and from there to the URL."""

    def settle(value: float) -> None:
        st.session_state["cutoff"] = round(value, 4)
        st.session_state["_settled"] = True

    value = live_slider("IoU cut-off", (0.0, state.CUTOFF_MAX, 0.0025), ask.cutoff, "live_cutoff", settle)
    if st.session_state.pop("_settled", False):
        st.rerun()
    return round(value, 4)


def bars(networks: dict[str, Views]) -> None:
    """Stacked bars, one panel per network on a common axis; a bar leads to its units."""
    kind = state.one_of("bars", list(BARS), "units")
    key = state.follow("pick_bars", kind)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.segmented_control(
            "Bars show",
            list(BARS),
            key=key,
            required=True,
            format_func=BARS.__getitem__,
            label_visibility="collapsed",
            on_change=state.writer("bars", key, lambda value: "" if value == "units" else value),
        )
        widgets.how("unique", "chance")
    panels = {name: concepts.panel(views) for name, views in networks.items()}
    share, unique = kind == "share", kind == "unique"
    top = concepts.tallest(list(panels.values()), share=share, unique=unique)
    deep = len(panels) > 1 and any(len(panel.counts) > FITTING for panel in panels.values())
    for place, (name, panel) in zip(st.columns(len(panels)), panels.items(), strict=True):
        chart = f"bars_{name}"
        figure = detector_bars(panel, share=share, unique=unique, top=top)
        if deep:  # the same foot for all, so that equal heights are equal numbers
            figure.update_layout(margin={"b": 120}).update_xaxes(automargin=False)
        place.plotly_chart(
            figure,
            key=chart,
            on_select=partial(_bar_chosen, chart, name),
            selection_mode="points",
            config=CONFIG,
        )
    st.caption("Click a bar to see its units.")
    goto.follow()


def _bar_chosen(chart: str, network: str) -> None:
    for layer, category, *_ in goto.chosen(chart)[:1]:
        goto.note(network, layer=layer, category=category, detectors=1)


def sensitivity(views: Views, cutoff: float) -> None:
    """Detectors over the cut-off."""
    st.subheader("Sensitivity to the cut-off")
    facts = next(iter(views.values())).facts
    figure = sensitivity_curve(
        CUTOFFS, concepts.curves(views), cutoff, badge=f"{facts.network_title} · {facts.evidence}"
    )
    st.plotly_chart(figure, key="sensitivity", config=CONFIG)
    widgets.how("sensitivity")


def quality(networks: dict[str, Views]) -> None:
    """Mean top-t IoU per layer, and per network in words."""
    st.subheader("Mean top-t IoU")
    titles = {name: next(iter(views.values())).facts for name, views in networks.items()}
    data = {
        titles[name].network_title: {layer: view.summary.mean_top_iou() for layer, view in views.items()}
        for name, views in networks.items()
    }
    badge = " · ".join(dict.fromkeys(facts.evidence for facts in titles.values()))
    st.plotly_chart(quality_lines(data, badge=badge), key="quality", config=CONFIG)
    for name, views in networks.items():
        one, two, three = concepts.mean_quality(views)
        title = plain(titles[name].network_title)
        st.caption(f"{title}, all units: Q¹ {one:.4f} · Q² {two:.4f} · Q³ {three:.4f}")
    widgets.how("quality")
