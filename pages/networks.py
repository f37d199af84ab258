"""Networks: a known architecture with weights of one's own is examined and registered; those there are."""

from __future__ import annotations

import streamlit as st

from ui.networks.rows import rows
from ui.networks.steps import steps
from ui.session.networks import added
from ui.shell import notices
from ui.shell.how import how
from ui.shell.plain import plain


def main() -> None:
    """Draw the page."""
    st.title("Networks")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            "Add a network: a known architecture with weights that you trained. It is run on three test "
            "images first, and you see what of it can be shown.",
            width="content",
        )
        how("added")
    notices.show("page")
    refusal = added.refusal()
    if refusal:
        st.info(plain(refusal))
        return
    steps()
    rows(st.session_state["ask"])


main()
