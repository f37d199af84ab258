"""Concepts of a network: bars of the most frequent, and a table with the best unit anywhere."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from ui import concepts, goto, state
from ui.concepts import Row, Views
from ui.drawing import CONFIG
from ui.figures import concept_bars

ALL = "all layers"


def concept_section(network: str, views: Views) -> None:
    """Bars and table, for all layers or one; a click leads to the units."""
    names = list(views)
    scope = state.one_of("scope", [ALL, *names], ALL, "layer")
    key = state.follow("pick_scope", scope)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("Concepts", width="content")
        st.selectbox(
            "Layers",
            [ALL, *names],
            key=key,
            width=220,
            label_visibility="collapsed",
            on_change=state.writer("scope", key, lambda value: "" if value == ALL else value),
        )
    chosen = views if scope == ALL else {scope: views[scope]}
    found = concepts.rows(chosen)
    _bars(network, chosen, found)
    _table(network, found)
    goto.follow()


def _bars(network: str, views: Views, found: list[Row]) -> None:
    detected = [(row.concept, row.category, row.detectors, row.iou) for row in found if row.detectors]
    if not detected:
        st.info("No unit exceeds this cut-off. Lower it to see which concepts come closest.")
        return
    facts = next(iter(views.values())).facts
    figure = concept_bars(detected, badge=f"{facts.network_title} · {facts.evidence}")
    st.plotly_chart(
        figure,
        key="concept_bars",
        on_select=partial(_concept_chosen, network, found, views),
        selection_mode="points",
        config=CONFIG,
    )
    st.caption(f"{min(30, len(detected))} of {len(detected)} detected concepts. Click one to see its units.")


def _concept_chosen(network: str, found: list[Row], views: Views) -> None:
    for concept, *_ in goto.chosen("concept_bars")[:1]:
        row = next(row for row in found if row.concept == concept)
        names = list(views)
        richest = names[max(range(len(names)), key=lambda i: row.per_layer[i])]
        goto.note(network, layer=richest, concept=concept, detectors=1)


def _table(network: str, found: list[Row]) -> None:
    frame = pd.DataFrame(
        {
            "concept": [row.concept for row in found],
            "category": [row.category for row in found],
            "images": [row.images for row in found],
            "detectors": [row.detectors for row in found],
            "best unit": [f"{row.layer} #{row.unit}" if row.unit >= 0 else "—" for row in found],
            "best IoU": [row.iou for row in found],
            "ceiling": [row.ceiling for row in found],
            "significant": [row.significant for row in found],
        }
    )
    most = max(0.05, float(frame["best IoU"].max())) if len(frame) else 0.05
    st.dataframe(
        frame,
        key="concept_table",
        hide_index=True,
        height=520,
        on_select=partial(_row_chosen, network, found),
        selection_mode="single-row",
        column_config={
            "best IoU": st.column_config.ProgressColumn(format="%.4f", min_value=0.0, max_value=most),
            "ceiling": st.column_config.NumberColumn(format="%.3f", width="small"),
            "category": st.column_config.TextColumn(width="small"),
            "images": st.column_config.NumberColumn(
                help="images with at least one pixel of it", width="small"
            ),
            "detectors": st.column_config.NumberColumn(width="small"),
            "significant": st.column_config.CheckboxColumn(help="of the best unit: q ≤ 5 %", width="small"),
        },
    )
    st.caption("Select a row to open its best unit. The table saves as CSV from its own menu.")


def _row_chosen(network: str, found: list[Row]) -> None:
    selected = (st.session_state.get("concept_table") or {}).get("selection", {}).get("rows", [])
    for number in selected[:1]:
        row = found[number]
        if row.unit >= 0:
            goto.note(network, layer=row.layer, unit=row.unit, annotate=row.concept)
