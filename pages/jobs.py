"""Jobs & data: what is computed and for whom, what has been, and what it takes."""

from __future__ import annotations

import streamlit as st

from ui.components.control.control import buttons
from ui.inventory import cache, listed_jobs, subjects
from ui.shell import notices, state

PARTS = {"jobs": "Computations", "data": "Networks & data", "cache": "Cache"}


def main() -> None:
    """Draw the part that the address asks for."""
    st.title("Jobs & data")
    st.markdown("What is computed and for whom, which networks and data sets there are, what results take.")
    notices.show("page")
    part = buttons("Part", "part", PARTS, "jobs", kind="part")
    if part == "jobs":
        listed_jobs.section()
    elif part == "data":
        subjects.section(st.session_state["ask"])
    else:
        cache.section()
    state.keep("jobs", ("part", "ended"))


main()
