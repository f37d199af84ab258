"""The Streamlit script: navigation and the selection that every page shares."""

from __future__ import annotations

import streamlit as st

from interpret_core.errors import UserError
from ui import widgets
from ui.plain import plain

st.set_page_config(page_title="Unitscope", page_icon="🔬", layout="wide")

page = st.navigation(
    [
        st.Page("pages/home.py", title="Home", default=True),
        st.Page("pages/units.py", title="Units"),
        st.Page("pages/concepts.py", title="Concepts"),
    ]
)
widgets.style()
try:
    st.session_state["ask"] = widgets.selection()
    page.run()
except (
    UserError
) as error:  # the installation itself: an unwritable cache, a broken unitscope.toml, a full disk
    st.error(plain(error))
    st.caption("Nothing is lost. Mend it, then reload this page.")
