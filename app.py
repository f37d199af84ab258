"""The Streamlit script: navigation and the selection that every page shares."""

from __future__ import annotations

import streamlit as st

from ui import widgets

st.set_page_config(page_title="Unitscope", page_icon="🔬", layout="wide")

page = st.navigation(
    [
        st.Page("pages/home.py", title="Home", default=True),
        st.Page("pages/units.py", title="Units"),
        st.Page("pages/concepts.py", title="Concepts"),
    ]
)
widgets.style()
st.session_state["ask"] = widgets.selection()
page.run()
