"""The sidebar of the unit browser: filters and order, each in the URL."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from interpret_core.analyses.image_labels.result import LabelledLayer
from ui.components.assessment import NAMES
from ui.components.control.control import choice
from ui.components.unit_grid.unit_grid import SEARCH_KEY
from ui.session.unit_rows import SIDES
from ui.session.view import LayerView
from ui.shell import lists, state
from ui.shell.plain import plain
from ui.units.selection import SORTS, STATES, Filters, concept_options

STATE_HELP = (
    "Live: the threshold separates the strongest responses. Tied: so many responses are equal at the "
    "threshold that it cannot separate the wanted share, as in a unit that saturates. Dead: every "
    "response is zero."
)
RESPONDS = {"": "anything"} | {word.name.lower(): name for word, name in NAMES.items()}
SIDES_HELP = (
    "Units are in the order of all that they contribute, whichever its sign. For the class: what speaks for "
    "it outweighs what speaks against it."
)
PARAMETERS = (
    "layer",
    "unit",
    "annotate",
    "show",
    "image",
    "photos",
    "band",
    "below",
    "concept",
    "category",
    "iou",
    "significant",
    "detectors",
    "state",
    "responds",
    "sort",
    "class",
    "influence",
    "label",
)
NARROWING = (
    *("concept", "category", "iou", "significant", "detectors", "state", "responds", "influence", "label"),
)


def filters(view: LayerView, classes: Sequence[str] = (), labelled: LabelledLayer | None = None) -> Filters:
    """Draw the filters and return what they ask for.

    Args:
        view: the layer.
        classes: whose relevance can order the units; without any this order is not offered.
        labelled: which labels of whole images the units tell, where that is known.
    """
    with st.sidebar:
        found = _of_concepts(view) if view.annotated else Filters()
        if labelled is not None:
            found = found._replace(label=_label(labelled))
        which = choice("State", "state", STATES, "", help=STATE_HELP)
        responds = choice("Responds to", "responds", RESPONDS, "") if view.summary.assessed else ""
        known = {
            "relevance": bool(classes),
            "label": labelled is not None,
            **dict.fromkeys(("lift", "colour"), bool(view.summary.assessed)),
            **dict.fromkeys(("relative", "z"), view.annotated),
        }
        sorts = {name: words for name, words in SORTS.items() if known.get(name, True)}
        if not view.annotated:
            sorts["iou"] = "IoU with a shade"
        sort = choice("Sort by", "sort", sorts, "iou" if view.annotated or labelled is None else "label")
        name = side = ""
        if sort == "relevance":
            name = choice("Class", "class", {each: each for each in classes}, classes[0])
            side = choice("Influence", "influence", SIDES, "", help=SIDES_HELP)
        st.button(
            "Clear filters",
            on_click=state.change,
            kwargs=dict.fromkeys(NARROWING),
            disabled=not any(map(state.parameter, NARROWING)),
        )
    return found._replace(state=which, responds=responds, sort=sort, class_name=name, influence=side)


def _of_concepts(view: LayerView) -> Filters:
    """Those that rest on annotated pixels."""
    concept = _concept(view)
    categories = _categories(view.categories)
    low, high = _iou(view)
    detectors = _flag("detectors", "Detectors only", "Units whose best IoU exceeds the cut-off.")
    significant = _flag("significant", "Better than chance only", "q ≤ 5 % against shuffled annotations.")
    return Filters(tuple(categories), concept, low, high, significant, detectors)


def _label(labelled: LabelledLayer) -> str:
    """The label of whole images that units shall tell best."""
    best = labelled["best"]
    beyond = best[labelled.beyond_chance]
    there, counted = set(best[best >= 0].tolist()), np.bincount(beyond, minlength=len(labelled.labels))
    names = {name: f"{name} · {counted[at]}" for at, name in enumerate(labelled.labels) if at in there}
    return choice(
        "Label of the image",
        "label",
        {"": "any", **names},
        "",
        help="Units that tell this label best, by z; beside each name, how many do so better than chance.",
    )


def _concept(view: LayerView) -> str:
    options = concept_options(view)
    chosen = state.one_of("concept", list(options), "", "concept", view.meant)
    key = state.follow(SEARCH_KEY, chosen or None)
    st.selectbox(
        "Concept",
        list(options),
        index=None,
        key=key,
        format_func=lambda name: f"{name} · {options.get(name, 0)}",
        placeholder=f"search {len(options)} concepts  ( / )",
        help="Units with this concept among their top three; beside each name, how many.",
        on_change=state.writer("concept", key, lambda value: value or ""),
    )
    return chosen


def _categories(known: Sequence[str]) -> list[str]:
    key = state.follow("pick_category", state.several_of("category", known, "category"))
    st.pills(
        "Category",
        known,
        selection_mode="multi",
        key=key,
        format_func=plain,
        on_change=state.writer("category", key, lists.joined),
    )
    return list(st.session_state[key])


def _iou(view: LayerView) -> tuple[float, float]:
    most = max(0.05, round(float(view.iou.max(initial=0.0)) + 0.005, 2))
    low, high = state.number_range("iou", 0.0, most)
    key = state.follow("pick_iou", (low, high))

    def text(value: tuple[float, float]) -> str:
        return "" if value == (0.0, most) else f"{value[0]:g}-{value[1]:g}"

    st.slider(
        "IoU range", 0.0, most, step=0.005, format="%.3f", key=key, on_change=state.writer("iou", key, text)
    )
    return (low, high) if high < most else (low, 1.0)


def _flag(name: str, label: str, help_text: str) -> bool:
    key = state.follow(f"pick_{name}", state.flag(name))
    st.checkbox(
        label, key=key, help=help_text, on_change=state.writer(name, key, lambda on: "1" if on else "")
    )
    return bool(st.session_state[key])
