"""The switch on a unit's page that collects it for the ablation page."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from ui.components.unit_grid.unit_grid import Silence
from ui.session.view import LayerView
from ui.shell import links, silenced, state
from ui.shell.theme import count_text


def of_layer(view: LayerView, picked: silenced.Picked, layers: Mapping[str, int]) -> Silence:
    """What the grid shows of it: the layer's units that are silenced, and what a press calls."""
    name = view.layer.name
    units = [unit for layer, unit in picked if layer == name]
    return Silence(units, lambda pressed: silenced.press(name, pressed, layers))


def switch(view: LayerView, unit: int, picked: silenced.Picked, layers: Mapping[str, int]) -> None:
    """The switch, and the way to what silencing costs."""
    name = view.layer.name
    key = state.follow("pick_silence", (name, unit) in picked)
    with st.container(key="silence", horizontal=True, vertical_alignment="center", gap="small"):
        st.toggle(
            "Silence this unit",
            key=key,
            help="Collects units for the ablation page: there you see what the network can no longer do "
            "without them. In the grid: ⊘ on a tile, or the key S.",
            on_change=silenced.toggle,
            args=(name, unit, layers),
        )
        if picked:
            label = f"Effect of silencing {count_text(len(picked), 'unit')} →"
            links.link(label, links.ABLATION, by="hand", percent="", network=view.network)
            st.button(
                "Undo silencing",
                key="speak",
                type="tertiary",
                on_click=state.change,
                kwargs={silenced.PARAMETER: None},
            )
