"""One cell of the heat map: a layer's units ranked for a class, and the class's images with their maps."""

from __future__ import annotations

import numpy as np
import streamlit as st

from interpret_core.analyses.relevance.result import ClassRelevance, LayerRelevance
from interpret_core.errors import UnitscopeError
from interpret_core.figures.template import SMALL
from ui.components.reveal.reveal import reveal
from ui.relevance import heat_maps
from ui.relevance.heat_maps import Picked
from ui.relevance.images import class_images
from ui.relevance.ranked import ranked_units
from ui.session import results
from ui.session.relevances import Found, Wanted
from ui.session.totals import residual_text, share_text
from ui.session.view import LayerView
from ui.shell import state
from ui.shell.how import how
from ui.shell.plain import plain
from ui.shell.sidebar import Ask
from ui.shell.theme import count_text


def cell(ask: Ask, wanted: Wanted, picked: Picked, found: Found) -> None:
    """Draw the section of the chosen cell."""
    wanted = wanted._replace(network=picked.network)
    record = found.records[picked.name]
    part = record.layer(picked.layer)
    token = f"{picked.network}/{picked.layer}/{picked.name}"
    reveal(key="reveal_cell", data={"token": token, "section": ".st-key-relevance_cell"})
    view = _profile(ask, picked)
    unit = state.whole("unit", 0, part.shape.units - 1, -1) if state.parameter("unit") else -1
    with st.container(key="relevance_cell"):
        _heading(picked, record, part)
        left, right = st.columns([5, 6], gap="medium")
        with left, st.container(key="relevance_units"):
            ranked_units(picked, part, record, view, unit)
        with right, st.container(key="relevance_maps"):
            class_images(wanted, picked, found, part, unit)


def _profile(ask: Ask, picked: Picked) -> LayerView | None:
    """The layer's profile, for labels and pictures; the relevance does not need it."""
    try:
        return results.layer(ask._replace(network=picked.network), picked.layer)
    except UnitscopeError:
        return None


def _heading(picked: Picked, record: ClassRelevance, part: LayerRelevance) -> None:
    whole = sum(record.mass(shape.name) for shape in record.layers)
    share = record.mass(picked.layer) / whole if whole > 0 else 0.0
    images, right, flags = len(record.images), int(record.right.sum()), int(part.flagged.sum())
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title = plain(record.metadata["network"]["title"] or picked.network)
        st.subheader(f"{plain(picked.layer)} for *{plain(picked.name)}* in {title}", width="content")
        clear: dict[str, None] = dict.fromkeys(("of", "layer", "class", *heat_maps.FORGET))
        st.button("✕ Clear", key="clear_cell", type="tertiary", on_click=state.change, kwargs=clear)
        how("relevance", "maps")
    few = ": few, read with care" if images < SMALL else ""
    st.caption(
        f"{count_text(part.shape.units, 'unit')} with {share_text(share)} of the class's relevance mass · "
        f"n = {count_text(images, 'image')}{few}, {right} recognised · "
        f"{flags} flagged in this layer (residual above {share_text(float(record.metadata['tolerance']))}) · "
        f"median residual {residual_text(float(np.median(part.residual)))} after at most "
        f"{int(part.points.max())} points"
    )
