"""One unit: what it is, where it fires, how sure we may be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from interpret_core.profile.summary import alike
from ui import addresses, markup, results, state, widgets
from ui.curves import Responses, histogram
from ui.drawing import CONFIG
from ui.gallery import COUNTS, MODES, Choice, gallery, photos_of
from ui.plain import plain
from ui.selection import neighbours
from ui.texts import chance_words, evidence_words
from ui.theme import asset, iou_text
from ui.view import LayerView

NOTHING = "nothing"
ALIKE = 6  # units alike that are offered
_copy = st.components.v2.component(
    "unitscope_copy", html=asset("copy.html"), css=asset("copy.css"), js=asset("copy.js")
)


class Shown(NamedTuple):
    """What the URL says about the panel."""

    unit: int
    concept: int
    mode: str
    image: int | None
    photos: int


def shown(view: LayerView, order: NDArray[np.int64]) -> Shown:
    """Read and check the panel's parameters; the first unit of the grid where the URL names none."""
    first = int(order[0]) if order.size else 0
    unit = state.whole("unit", 0, view.layer.units - 1, first)
    keys = _concepts(view, unit)
    best = view.label(unit) or NOTHING
    concept = state.one_of("annotate", [c.key for c in view.concepts] + [NOTHING], best, "concept")
    mode = state.one_of("show", list(MODES), "both", "overlay")
    raw = state.whole("photos", COUNTS[0], COUNTS[-1], COUNTS[0], "number of photographs")
    photos = min(COUNTS, key=lambda count: abs(count - raw))
    number = view.find(concept) if concept in keys or concept != NOTHING else -1
    image = _image(view, unit)
    if image is not None:  # an enlarged photograph must be among those shown
        slot = view.record["top_image"][unit].tolist().index(image)
        photos = max(photos, next((count for count in COUNTS if count > slot), COUNTS[-1]))
    return Shown(unit, number, mode, image, photos)


def _image(view: LayerView, unit: int) -> int | None:
    """The enlarged photograph, if the link names one of the unit's strongest images."""
    raw = state.parameter("image")
    if not raw:
        return None
    known = {str(image): image for image in view.record["top_image"][unit].tolist() if image >= 0}
    if raw not in known:
        state.complain(f"The photograph that the link asks for is not among unit {unit}’s strongest images.")
        state.change(image=None)
    return known.get(raw)


def panel(view: LayerView, order: NDArray[np.int64], now: Shown) -> None:
    """Draw the unit."""
    unit = now.unit
    st.html(markup.heading(view, unit))
    _tools(view, order, unit)
    st.html(markup.stats(view, unit, now.concept))
    st.caption(f"{chance_words(view, unit)} {evidence_words(view, now.concept)}")
    if view.word(unit) == "dead":
        st.info(
            "A dead unit answers zero at every position of every image, so it has no photographs to show."
        )
        return
    _gallery(view, now)
    st.html(markup.concept_table(view, unit))
    _responses(view, unit)
    _alike(view, unit)


def _alike(view: LayerView, unit: int) -> None:
    """Ways to the units that overlap with the same concepts."""
    found = alike(view.summary, unit, ALIKE)
    if not found:
        return
    st.markdown("**Units alike**")
    with st.container(horizontal=True, gap="small"):
        for rank, (other, cosine) in enumerate(found):
            label = plain(f"#{other} {view.label(other)} · {cosine:.2f}")
            st.button(label, key=f"alike{rank}", on_click=pick, args=(other,), width="content")
    widgets.how("alike")


def _concepts(view: LayerView, unit: int) -> list[str]:
    """The unit's best concepts, overall and per category, then nothing."""
    summary = view.summary
    numbers = [*summary.top_concept[unit], *summary.category_concept[unit]]
    return [*dict.fromkeys(view.concepts[int(c)].key for c in numbers if c >= 0), NOTHING]


def _tools(view: LayerView, order: NDArray[np.int64], unit: int) -> None:
    before, after = neighbours(order, unit)

    def go(to: int | None) -> None:
        pick(to)

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "← Previous",
            key="previous",
            on_click=go,
            args=(before,),
            disabled=before is None,
            width="content",
        )
        st.button("Next →", key="next", on_click=go, args=(after,), disabled=after is None, width="content")
        pinned = {
            "network": view.network,
            "dataset": view.dataset,
            "layer": view.layer.name,
            "unit": str(unit),
        }
        _copy(key="copy_link", width="content", data=pinned)
        with st.popover("Download", width="content"):
            st.html(
                markup.links(
                    [
                        ("This unit as JSON", addresses.download(view, "unit.json", unit)),
                        (f"All units of {view.layer.name} as CSV", addresses.download(view, "layer.csv")),
                        (f"All units of {view.layer.name} as JSON", addresses.download(view, "layer.json")),
                    ]
                )
            )
        widgets.how("iou", "ceiling", "chance")


def pick(unit: int | None) -> None:
    """Go to another unit; what was chosen for the last one does not carry over."""
    if unit is not None:
        state.change(unit=unit, annotate=None, image=None)


def _gallery(view: LayerView, now: Shown) -> None:
    _annotation_pills(view, now)
    photos = photos_of(
        view,
        now.unit,
        now.concept,
        now.photos,
        lambda images, concept: results.annotation_runs(view, images, concept),
        lambda image: results.image_name(view, image),
    )
    gallery(
        view,
        photos,
        Choice(now.unit, now.concept, now.mode, now.image),
        lambda mode: state.change(show="" if mode == "both" else mode),
        lambda image: state.change(image=image if image >= 0 else None),
    )
    _more(view, now)


def _annotation_pills(view: LayerView, now: Shown) -> None:
    """Which concept's annotation is drawn over the photographs."""
    options = _concepts(view, now.unit)
    current = view.concepts[now.concept].key if now.concept >= 0 else NOTHING
    if current not in options:
        options.insert(-1, current)
    key = state.follow("pick_annotate", current)

    def words(name: str) -> str:
        number = view.find(name)
        if number < 0:
            return name
        return f"{plain(name)} {iou_text(float(view.summary.profile.iou[now.unit, number]))}"

    st.pills(
        "Annotation shown",
        options,
        key=key,
        required=True,
        format_func=words,
        on_change=state.writer(
            "annotate", key, lambda value: "" if value == (view.label(now.unit) or NOTHING) else value or ""
        ),
    )


def _more(view: LayerView, now: Shown) -> None:
    """More photographs, or fewer again."""
    available = int((view.record["top_image"][now.unit] >= 0).sum())
    more = next((count for count in COUNTS if count > now.photos), None)
    with st.container(horizontal=True, vertical_alignment="center"):
        if more and available > now.photos:
            st.button(
                f"Show {min(more, available)} photographs",
                key="more",
                on_click=state.change,
                kwargs={"photos": more},
            )
        elif now.photos > COUNTS[0]:
            st.button(
                "Show fewer", key="fewer", on_click=state.change, kwargs={"photos": None, "image": None}
            )
        widgets.how("masks")


def _responses(view: LayerView, unit: int) -> None:
    record = view.record
    responses = Responses(
        record["histogram"][unit],
        record["histogram_edges"][unit],
        float(record["threshold"][unit]),
        float(view.firing[unit]),
    )
    figure = histogram(responses, f"unit {unit}", badge=f"{view.facts.network_title} · {view.facts.evidence}")
    st.plotly_chart(figure, key="responses", config=CONFIG)
    st.html(markup.details(view, unit))
    widgets.how("histogram", "colour")
