"""Data sets: an archive or a folder of pictures is looked at and registered; those there are."""

from __future__ import annotations

import streamlit as st

from ui.datasets.rows import rows
from ui.datasets.steps import steps
from ui.session.datasets import added
from ui.shell import notices
from ui.shell.plain import plain


def main() -> None:
    """Draw the page."""
    st.title("Data sets")
    st.markdown(
        "Add photographs of your own: a zip archive, or a folder on the server, with or without labels. You "
        "see ten of them and what looks like a mistake before anything is computed."
    )
    notices.show("page")
    refusal = added.refusal()
    if refusal:
        st.info(plain(refusal))
        return
    ask = st.session_state["ask"]
    steps(ask)
    rows(ask)


main()
