"""Concepts of a network: bars of the most frequent, and a table with the best unit anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from interpret_core.figures.colours import colour_of
from interpret_core.figures.concepts import concept_bars
from ui.components.chart.chart import Finished, chart, finished
from ui.components.control.control import choice
from ui.components.saves.saves import saves
from ui.components.table.table import Cell, Column, rows_of, table
from ui.concepts import tables
from ui.concepts.tables import Row
from ui.session.memory import kept
from ui.session.view import Identity, Views, identity_of
from ui.shell import links, state
from ui.shell.component import Written
from ui.shell.names import key_of, unlike
from ui.shell.theme import iou_text

SIGNIFICANT = {True: "yes", False: "no", None: "—"}  # —: chance was not computed
COLUMNS = (
    Column("concept", share=2, named=False),
    Column("category", named=False),
    Column("images", help="with at least one pixel of it", number=True, narrow=False),
    Column("detectors", help="units whose best concept it is, with an IoU above the cut-off", number=True),
    Column("best unit", help="that overlaps most with it, detector or not", share=1.3),
    Column("best IoU", help="of that unit with it", share=1.8, number=True),
    Column("ceiling", help="the most that this unit could reach with it", number=True, narrow=False),
    Column("significant", help="of the best unit: q ≤ 5 %", narrow=False),
)
# Where there is little room the table has no heads: neither has what is said of it (page.css).
PRESS = "Press a row to compare its concept<span class='us-heads'>, a head to sort</span>."


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
    rows = _rows(identity_of(shown), shown)
    _bars(shown, rows, chosen)
    _table(rows, chosen, next(iter(views.values())).facts.badge)


@kept(64)
def _rows(identity: Identity, _views: Views) -> tuple[Row, ...]:
    return tuple(tables.rows(_views))


def _bars(views: Views, found: Sequence[Row], chosen: str) -> None:
    detected = [(row.concept, row.category, row.detectors, row.iou) for row in found if row.detectors]
    if not detected:
        st.info("No unit exceeds this cut-off. Lower it to see which concepts come closest.")
        return
    facts = next(iter(views.values())).facts
    made = _figure(tuple(detected), facts.badge, chosen)
    # A key for each choice: the figure's own selection would outlive one that was cleared elsewhere.
    key = key_of("concept_chart", chosen)
    with st.container(key="concept_bars"):
        chart(made, key, partial(_bar_chosen, key, chosen))
    st.caption(f"{min(30, len(detected))} of {len(detected)} detected concepts. Click one to compare it.")


@kept(64)
def _figure(detected: tuple[tuple[str, str, int, float], ...], badge: str, chosen: str) -> Finished:
    return finished(concept_bars(detected, badge=badge, chosen=chosen), "Concepts by detectors")


def _bar_chosen(key: str, chosen: str) -> None:
    for concept, *_ in links.chosen(key)[:1]:
        state.change(concept="" if concept == chosen else concept)


def _table(found: tuple[Row, ...], chosen: str, badge: str) -> None:
    names = [row.concept for row in found]

    def picked(number: int) -> None:
        if number < len(names):
            state.change(concept="" if names[number] == chosen else names[number])

    at = names.index(chosen) if chosen in names else -1
    with st.container(key="concept_rows"):
        table(_written(found), "concept_table", "Concepts and their best units", chosen=at, on_pick=picked)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(PRESS, unsafe_allow_html=True, width="content")
            saves(f"Concepts · {badge}", lambda: [row._asdict() for row in found], "save_concepts")


@kept(64)
def _written(found: tuple[Row, ...]) -> Written:
    most = max([0.05, *(row.iou for row in found)])
    return rows_of(
        COLUMNS,
        (
            (
                Cell(row.concept, row.concept, tone=colour_of(row.category)),
                row.category,
                Cell(f"{row.images:,}", row.images),
                Cell(f"{row.detectors:,}", row.detectors),
                f"{row.layer} #{row.unit}" if row.unit >= 0 else "—",
                Cell(iou_text(row.iou), row.iou, length=row.iou / most),
                Cell(iou_text(row.ceiling), row.ceiling),
                SIGNIFICANT[row.significant],
            )
            for row in found
        ),
    )
