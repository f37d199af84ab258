"""The sidebar of the pages about relevance: by which method, and which networks beside each other."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.options import field_of
from ui.components.control.control import choice
from ui.session.relevances import Wanted
from ui.shell import state
from ui.shell.sidebar import Ask

METHOD = {"layer-ig": "layer integrated gradients", "conductance": "conductance"}
BASELINE = {"black": "black image", "mean": "mean colour", "blur": "blurred image"}
OUTPUT = {"probability": "probability", "logit": "logit"}
SPLIT = {"train": "ranking images (train)", "val": "test images (val)", "all": "all images"}
CONTROLS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "method": ("Method", METHOD),
    "baseline": ("Baseline", BASELINE),
    "output": ("Relevance for the class's", OUTPUT),
    "split": ("Images", SPLIT),
}
PARAMETERS = ("method", "baseline", "output", "split", "compare")
HELP = {
    "method": "Layer integrated gradients walk from baseline to image in each layer's own space; conductance "
    "walks in the input's space, so that all layers belong to one path.",
    "baseline": "What the image is compared with: where the path begins.",
    "output": "The class's probability says what speaks for it against the others; its logit does not depend "
    "on them.",
    "split": "Rankings that are tested elsewhere must come from other images than the test: train.",
}


def wanted(ask: Ask) -> Wanted:
    """Say what is set, draw its controls where somebody opens them, and return what they ask for."""
    chosen = {name: state.choice_of(field_of(RelevanceRequest, name)) for name in CONTROLS}
    found = Wanted(ask.network, ask.dataset, **chosen)
    st.sidebar.caption(f"Relevance: {found.words}.")
    with st.sidebar.expander("Relevance settings", key="relevance_settings", on_change="rerun") as box:
        if box.open:
            for name, (label, words) in CONTROLS.items():
                field = field_of(RelevanceRequest, name)
                choice(label, field.query, words, field.default, help=HELP[name])
    return found
