"""The box that chooses networks to compare with; they stand in the URL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from ui.session import results
from ui.shell import lists, state

PARAMETER = "compare"
MOST = 2  # beside the page's own


def others(network: str, box: Callable[..., Any], key: str) -> list[str]:
    """The networks that are chosen, after the box that chooses them.

    Args:
        network: the page's own.
        box: `st.multiselect`, or that of another place.
        key: of the box.
    """
    names = [name for name in results.network_names() if name != network]
    own = {network: "which is the page’s own; leaving it out"}
    chosen = state.several_of(PARAMETER, names, "network", most=MOST, refused=own)
    box(
        "Compare with",
        names,
        key=state.follow(key, chosen),
        max_selections=MOST,
        on_change=state.writer(PARAMETER, key, lists.joined),
        placeholder="up to two networks",
    )
    return chosen


def chosen(network: str) -> list[str]:
    """The same in the sidebar."""
    return others(network, st.sidebar.multiselect, "pick_compare")
