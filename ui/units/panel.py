"""One unit: what it is, where it fires, how sure we may be."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from interpret_core.analyses.profile.summary import alike
from ui.components import assessment
from ui.components.chart.chart import Finished, chart, finished
from ui.components.control.control import buttons
from ui.components.copy.copy import copy_link
from ui.components.facts import chance_words, evidence_words
from ui.components.markup import download_links
from ui.components.unnamed import names_leave
from ui.session import resources
from ui.session.memory import kept
from ui.session.view import LayerView
from ui.shell import state
from ui.shell.how import how
from ui.shell.plain import plain
from ui.units import image_labels, markup, photographs
from ui.units import relevance as unit_relevance
from ui.units.figures import Responses, histogram
from ui.units.photographs import Shown
from ui.units.selection import neighbours

ALIKE = 6  # units alike that are offered
CONCEPTS = "concepts"
WORDS = {CONCEPTS: "Concepts", "relevance": "Relevance over classes", "responses": "Responses"}


def shown(view: LayerView, order: NDArray[np.int64]) -> Shown:
    """Read and check the panel's parameters; the first unit of the grid where the URL names none."""
    first = int(order[0]) if order.size else 0
    return photographs.shown(view, state.whole("unit", 0, view.layer.units - 1, first))


def panel(view: LayerView, order: NDArray[np.int64], now: Shown, switch: Callable[[], None]) -> None:
    """Draw the unit.

    Args:
        view: the layer, and its units as the grid shows them.
        order: the layer, and its units as the grid shows them.
        now: what the URL says.
        switch: draws what silences the unit.
    """
    unit, alive = now.unit, view.word(now.unit) != "dead"
    head = st.container()
    # First: they take the browser longest.
    readable = alive and photographs.strongest(view, now)
    with head:
        st.html(markup.heading(view, unit, _told_label(view, unit)))
        _responds(view, unit)
        _tools(view, order, unit)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            switch()
            how("assessment", "iou", "ceiling", "chance")
    if not alive:
        st.info(
            "A dead unit answers zero at every position of every image: it fires in none, so it has no "
            "photographs to show."
        )
        return
    st.html(markup.stats(view, unit, now.concept))
    st.caption(f"{chance_words(view, unit)} {evidence_words(view, now.concept)}")
    if readable:
        photographs.silent(view, now)
    st.html(markup.details(view, unit))
    SECTIONS[buttons("Below the photographs", "below", WORDS, CONCEPTS)](view, unit)


def _responds(view: LayerView, unit: int) -> None:
    """What it responds to, in a line or two."""
    said = assessment.line(view, unit)
    if said:
        st.html(said)


def _evidence(view: LayerView, unit: int) -> None:
    """Why that is said, one click away."""
    if view.assessment(unit) is None or view.word(unit) == "dead":
        return
    with st.popover("Evidence", width="content"):
        st.html(assessment.evidence(view, unit))


def _told_label(view: LayerView, unit: int) -> str:
    """The label of whole images that the unit tells better than chance, where nothing is annotated."""
    found = image_labels.of(view) if not view.annotated else None
    return image_labels.better_than_chance(found, unit) if found is not None else ""


def _concepts(view: LayerView, unit: int) -> None:
    """What it overlaps with, beside the labels of whole images that it tells; units that overlap the same."""
    told = image_labels.of(view)
    if not view.annotated:
        st.caption(markup.UNANNOTATED)
    concepts = markup.concept_table(view, unit) if view.annotated else ""
    if told is not None:
        image_labels.beside(view, unit, told, concepts)
    elif concepts:
        st.html(concepts)
    if view.annotated:  # else the head of the page says so
        image_labels.offered(view)
    _alike(view, unit)


def _alike(view: LayerView, unit: int) -> None:
    """Ways to the units that overlap with the same concepts."""
    found = alike(view.summary, unit, ALIKE)
    if not found:
        return
    words = {other: plain(f"#{other} {view.label(other)} · {cosine:.2f}") for other, cosine in found}
    key = state.follow("pick_alike", None)
    st.pills(
        "Units alike",
        list(words),
        key=key,
        format_func=words.__getitem__,
        on_change=lambda: pick(st.session_state[key]),
    )
    how("alike")


def _tools(view: LayerView, order: NDArray[np.int64], unit: int) -> None:
    before, after = neighbours(order, unit)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "← Previous",
            key="previous",
            on_click=pick,
            args=(before,),
            disabled=before is None,
            width="content",
        )
        st.button("Next →", key="next", on_click=pick, args=(after,), disabled=after is None, width="content")
        _evidence(view, unit)
        pinned = {
            "network": view.network,
            "dataset": view.dataset,
            "layer": view.layer.name,
            "unit": str(unit),
        }
        copy_link(key="copy_link", width="content", data=pinned)
        with st.popover("Download", width="content"):
            files = partial(resources.download, view, named=names_leave("unit"))
            st.html(
                download_links(
                    [
                        ("This unit as JSON", files("unit.json", unit)),
                        (f"All units of {view.layer.name} as CSV", files("layer.csv")),
                        (f"All units of {view.layer.name} as JSON", files("layer.json")),
                    ]
                )
            )


def pick(unit: int | None) -> None:
    """Go to another unit; what was chosen for the last one does not carry over."""
    if unit is not None:
        state.change(unit=unit, annotate=None, image=None)


def _responses(view: LayerView, unit: int) -> None:
    chart(_histogram(view.identity, unit, view), "responses")
    how("histogram", "colour")


@kept(256)
def _histogram(identity: tuple[object, ...], unit: int, _view: LayerView) -> Finished:
    record = _view.record
    responses = Responses(
        record["histogram"][unit],
        record["histogram_edges"][unit],
        float(record["threshold"][unit]),
        float(_view.firing[unit]),
    )
    figure = histogram(responses, f"unit {unit}", badge=_view.facts.badge)
    return finished(figure, f"Responses of {_view.layer.name} unit {unit}")


# One of them at a time: figures take the browser as long as the photographs do.
SECTIONS: dict[str, Callable[[LayerView, int], None]] = {
    CONCEPTS: _concepts,
    "relevance": unit_relevance.section,
    "responses": _responses,
}
