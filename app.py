"""The Streamlit script: navigation and the selection that every page shares."""

from __future__ import annotations

from functools import partial

import streamlit as st

from interpret_core.errors import UserError
from ui.components.search.search import search_box
from ui.help.guide import guide
from ui.session import memory
from ui.session.inventory import disk
from ui.session.precedence import known
from ui.shell import links, notices, sidebar
from ui.shell.plain import plain
from ui.shell.site import HOME, PAGES
from ui.shell.theme import asset


def _full_disk(page: str) -> None:
    """What operators hear on every page before it is too late."""
    told = disk.warning()
    if told:
        with st.container(key="full_disk"):
            st.warning(plain(told))
            if page != "jobs":
                links.link("Make room →", links.JOBS, part="cache")


st.set_page_config(page_title="Unitscope", page_icon="🔬", layout="wide")

if "_pages" not in st.session_state:  # each looks its file up when it is made
    st.session_state["_pages"] = [
        st.Page(one.path, title=one.title, url_path=one.script, default=one is HOME) for one in PAGES
    ]
# Hidden: the menu is drawn with the view each page was left with.
page = st.navigation(st.session_state["_pages"], position="hidden")
st.html(f"<style>{asset('shell/page.css')}</style>")
notices.enter(page.url_path)
try:
    with memory.run():
        st.session_state["ask"] = sidebar.selection(known(), partial(links.menu, page.url_path))
        search_box()
        _full_disk(page.url_path)
        guide(page.url_path)
        page.run()
except UserError as error:  # the installation itself: an unwritable cache, a broken unitscope.toml …
    st.error(plain(error))
    st.caption("Nothing is lost. Mend it, then reload this page.")
