"""Home: what this is, what is known here, and the state of each result."""

from __future__ import annotations

import streamlit as st

from ui.home import overview, welcome
from ui.jobs.own import own
from ui.shell import notices


def main() -> None:
    """Draw the page."""
    st.title("Unitscope")
    st.markdown(
        "See what every unit of a convolutional network detects: its strongest photographs, the concept it "
        "overlaps best with, and how sure one may be. Every view has an address: copy the link, and a "
        "colleague sees exactly what you see."
    )
    notices.show("page")
    ask = st.session_state["ask"]
    if ask is not None and welcome.shown(ask):
        welcome.welcome(ask)
    else:
        overview.entries(ask)
    overview.matrix(ask)
    if ask is not None:
        own()


main()
