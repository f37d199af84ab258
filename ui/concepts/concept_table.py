"""Concepts of a network: bars of the most frequent, and a table with the best unit anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from ui.components.chart.chart import chart
from ui.components.control.control import choice
from ui.components.list.list import concept_list
from ui.concepts import tables
from ui.concepts.figures import concept_bars
from ui.concepts.tables import Row
from ui.session.memory import kept
from ui.session.view import Views
from ui.shell import links, state
from ui.shell.names import key_of, unlike
from ui.shell.theme import colour_of, count_text, iou_text

SIGNIFICANT = {True: "yes", False: "no", None: "—"}  # —: chance was not computed


def concept_section(views: Views, chosen: str) -> None:
    """Bars and table, for all layers or one; a click chooses the concept."""
    names = list(views)
    every = unlike("all layers", names)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("Concepts", width="content")
        scopes = {name: name for name in (every, *names)}
        scope = choice(
            "Layers", "scope", scopes, every, kind="layer", width=220, label_visibility="collapsed"
        )
    shown = views if scope == every else {scope: views[scope]}
    rows = _rows(tuple((name, view.identity) for name, view in shown.items()), shown)
    _bars(shown, rows, chosen)
    found = sorted(rows, key=lambda row: row.concept != chosen)  # what is chosen stands where it is seen
    with st.container(key="table_wide"):  # which of the two is seen is for the style sheet to say
        _table(found, chosen)
    with st.container(key="table_narrow"):
        _list(found, chosen)


@kept(64)
def _rows(identity: tuple[object, ...], _views: Views) -> tuple[Row, ...]:
    return tuple(tables.rows(_views))


def _bars(views: Views, found: Sequence[Row], chosen: str) -> None:
    detected = [(row.concept, row.category, row.detectors, row.iou) for row in found if row.detectors]
    if not detected:
        st.info("No unit exceeds this cut-off. Lower it to see which concepts come closest.")
        return
    facts = next(iter(views.values())).facts
    figure = concept_bars(detected, badge=facts.badge, chosen=chosen)
    # A key for each choice: the figure's own selection would outlive one that was cleared elsewhere.
    key = key_of("concept_chart", chosen)
    with st.container(key="concept_bars"):
        chart(figure, key, "Concepts by detectors", partial(_bar_chosen, key, chosen))
    st.caption(f"{min(30, len(detected))} of {len(detected)} detected concepts. Click one to compare it.")


def _bar_chosen(key: str, chosen: str) -> None:
    for concept, *_ in links.chosen(key)[:1]:
        state.change(concept="" if concept == chosen else concept)


def _table(found: list[Row], chosen: str) -> None:
    frame = pd.DataFrame(
        {
            "concept": [row.concept for row in found],
            "category": [row.category for row in found],
            "images": [row.images for row in found],
            "detectors": [row.detectors for row in found],
            "best unit": [f"{row.layer} #{row.unit}" if row.unit >= 0 else "—" for row in found],
            "best IoU": [row.iou for row in found],
            "ceiling": [row.ceiling for row in found],
            "significant": [SIGNIFICANT[row.significant] for row in found],
        }
    )
    most = max(0.05, float(frame["best IoU"].max())) if len(frame) else 0.05
    at = [number for number, row in enumerate(found) if row.concept == chosen]
    key = key_of("concept_table", chosen)  # as above
    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height=520,
        on_select=partial(_row_chosen, key, found),
        selection_mode="single-row",
        selection_default={"selection": {"rows": at}},
        column_config={
            "best IoU": st.column_config.ProgressColumn(format="%.4f", min_value=0.0, max_value=most),
            "ceiling": st.column_config.NumberColumn(format="%.3f", width="small"),
            "category": st.column_config.TextColumn(width="small"),
            "images": st.column_config.NumberColumn(
                help="images with at least one pixel of it", width="small"
            ),
            "detectors": st.column_config.NumberColumn(width="small"),
            "significant": st.column_config.TextColumn(help="of the best unit: q ≤ 5 %", width="small"),
        },
    )
    st.caption("Select a row to compare its concept. The table saves as CSV from its own menu.")


def _row_chosen(key: str, found: list[Row]) -> None:
    selected = (st.session_state.get(key) or {}).get("selection", {}).get("rows", [])
    state.change(concept=found[selected[0]].concept if selected else "")


def _list(found: list[Row], chosen: str) -> None:
    """The same rows for a narrow screen: two lines each, nothing to the side."""
    rows = [
        [
            row.concept,
            colour_of(row.category),
            row.category,
            count_text(row.detectors, "detector"),
            f"{row.layer} #{row.unit}" if row.unit >= 0 else "no overlap",
            iou_text(row.iou) if row.unit >= 0 else "",
        ]
        for row in found
    ]
    key = "concept_list"

    def picked() -> None:
        concept = st.session_state[key].get("picked")
        if isinstance(concept, str) and concept in {row.concept for row in found}:
            state.change(concept="" if concept == chosen else concept)

    concept_list(key=key, data={"rows": rows, "chosen": chosen}, on_picked_change=picked)
