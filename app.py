"""The Streamlit script: navigation and the selection that every page shares."""

from __future__ import annotations

from functools import partial

import streamlit as st

from interpret_core.errors import UserError
from ui import goto, widgets
from ui.plain import plain

st.set_page_config(page_title="Unitscope", page_icon="🔬", layout="wide")

pages = [
    st.Page("pages/home.py", title="Home", default=True),
    st.Page("pages/units.py", title="Units"),
    st.Page("pages/concepts.py", title="Concepts"),
    st.Page("pages/relevance.py", title="Relevance"),
    st.Page("pages/agreement.py", title="Agreement"),
    st.Page("pages/shared.py", title="Shared units"),
    st.Page("pages/ablation.py", title="Ablation"),
]
page = st.navigation(pages, position="hidden")  # the menu is drawn with the view each page was left with
widgets.style()
try:
    st.session_state["ask"] = widgets.selection(partial(goto.menu, pages, page))
    page.run()
except (
    UserError
) as error:  # the installation itself: an unwritable cache, a broken unitscope.toml, a full disk
    st.error(plain(error))
    st.caption("Nothing is lost. Mend it, then reload this page.")
