"""Unit browser: a grid of every unit of a layer, and one unit in full."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from interpret_core import demo
from interpret_core.analyses.image_labels.result import LabelledLayer
from ui.components import least
from ui.components.facts import facts_sentence, fine_print
from ui.components.markup import category_key
from ui.components.unit_grid.unit_grid import unit_grid
from ui.jobs import profile
from ui.session import relevances, results
from ui.session.layers import Layers
from ui.session.memory import part
from ui.session.view import LayerView
from ui.shell import notices, silenced, state
from ui.shell.how import how
from ui.shell.theme import count_text
from ui.units import examined, filters, image_labels, panel, pinned, silence_switch
from ui.units.layers import layer_picker
from ui.units.selection import choose


def main() -> None:
    """Draw the page."""
    st.title("Units")
    ask = st.session_state["ask"]
    views = profile.ready(ask)
    view = layer_picker(ask, views, from_first=ask.dataset == demo.NAME)
    examined.button(ask.network)
    labelled = image_labels.of(view)
    chosen = filters.filters(view, list(relevances.classes_of(view)), labelled)
    part_of_class = relevances.part_of(view, chosen.class_name) if chosen.class_name else None
    order = choose(view, chosen, part_of_class, labelled)
    heading(view, labelled)
    notices.show("page")
    browser(view, order, views)


def heading(view: LayerView, labelled: LabelledLayer | None) -> None:
    """The sentence of facts, its small print, and where the numbers come from."""
    st.markdown(facts_sentence(view))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(fine_print(view), width="content")
        how("iou", "chance")
    if view.annotated:
        least.offer(view)
    else:
        image_labels.heading(view, labelled)


@part
def browser(view: LayerView, order: NDArray[np.int64], views: Layers) -> None:
    """Grid and unit rerun together and alone: a click costs neither the sidebar nor the heading."""
    pinned.after_swap()
    now = panel.shown(view, order)
    layers = {name: count.units for name, count in views.counts.items()}
    layers |= {one.name: one.units for one in results.further(view.network)}
    picked = silenced.units(layers)
    kept = pinned.pinned(view, views, layers)
    state.keep("units", (*filters.PARAMETERS, *pinned.PARAMETERS))
    notices.show("body")
    pair = kept is not None and not kept.is_shown(view, now.unit)
    left, right = st.columns([3, 8] if pair else [5, 6], gap="medium")

    def tools() -> None:
        with st.container(key="unit_tools", horizontal=True, vertical_alignment="center", gap="medium"):
            pinned.button(view, now.unit, kept)
            silence_switch.switch(view, now.unit, picked, layers)

    draw = partial(panel.panel, view, order, now, tools)
    # The keys are class names in page.css: the grid stays in view while the panel scrolls. The panel is drawn
    # first, since that is what a click waits for: the browser has marked the grid's tile by itself.
    with right:
        if kept is not None and pair:
            pinned.side_by_side(kept, view, now, draw)
        else:
            with st.container(key="unit_panel"):
                draw()
    with left, st.container(key="units_grid"):
        grey = "grey: below the cut-off · " if view.annotated else ""
        if not view.annotated and image_labels.of(view) is not None:
            grey = "grey: no better than chance · "
        st.caption(f"{order.size:,} of {count_text(view.layer.units, 'unit')} · {grey}arrow keys")
        silence = silence_switch.of_layer(view, picked, layers)
        unit_grid(view, order.tolist(), now.unit, panel.pick, silence, image_labels.of(view))
        st.html(category_key(view.categories))


main()
