"""Dead units: which units answer nothing, layer by layer."""

from __future__ import annotations

import streamlit as st

from ui.dead_units import counts
from ui.jobs import profile
from ui.shell import notices


def main() -> None:
    """Draw the page."""
    st.title("Dead units")
    ask = st.session_state["ask"]
    layers = profile.ready(ask, chance=False)  # without a profile it offers one, and ends the page
    notices.show("page")
    found = counts.counted(dict(layers))
    st.markdown(counts.sentence(ask, found))
    counts.draw(found)


main()
