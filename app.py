"""The Streamlit script: navigation and the selection that every page shares."""

from __future__ import annotations

from functools import partial

import streamlit as st

from interpret_core.errors import UserError
from ui import goto, notices, widgets
from ui.plain import plain
from ui.site import HOME, PAGES

st.set_page_config(page_title="Unitscope", page_icon="🔬", layout="wide")

pages = [st.Page(one.path, title=one.title, url_path=one.script, default=one is HOME) for one in PAGES]
page = st.navigation(pages, position="hidden")  # the menu is drawn with the view each page was left with
widgets.style()
notices.enter(page.url_path)
try:
    st.session_state["ask"] = widgets.selection(partial(goto.menu, pages, page))
    page.run()
except (
    UserError
) as error:  # the installation itself: an unwritable cache, a broken unitscope.toml, a full disk
    st.error(plain(error))
    st.caption("Nothing is lost. Mend it, then reload this page.")
