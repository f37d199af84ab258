"""The Ablation page's lower half: one part at a time, since each asks for numbers of its own."""

from __future__ import annotations

import streamlit as st

from ui.ablation import (
    effects as ablation_effects,
)
from ui.ablation import fractions, offers
from ui.ablation import (
    matrix as ablation_matrix,
)
from ui.ablation import (
    networks as ablation_networks,
)
from ui.ablation import (
    specialised as ablation_special,
)
from ui.ablation.sliders import Choice
from ui.components.control.control import buttons
from ui.session.ablations import Bench

PARTS = {
    "curves": "Curves (Figs. 5, 6)",
    "matrix": "Class × class",
    "networks": "Networks",
    "units": "Single units",
    "special": "Specialise",
}


def parts(bench: Bench, choice: Choice) -> bool:
    """Draw the part that the URL asks for.

    Returns:
        Whether it has more to compute.
    """
    st.divider()
    part = buttons("Part", "part", PARTS, "curves", kind="part")
    more = False
    if part == "curves":
        fractions.section(bench, choice)
    elif part == "matrix":
        ablation_matrix.section(bench, choice)
    elif part == "networks":
        more = ablation_networks.section(bench, choice)
    elif part == "units":
        ablation_effects.section(bench, choice)
    else:
        more = ablation_special.section(bench, choice)
    if part in ("curves", "matrix", "networks"):
        offers.grid(bench, choice.value)
    return more
