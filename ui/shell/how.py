"""How numbers are computed: the texts of `how.md`, and the popover that shows them."""

from __future__ import annotations

import streamlit as st

from ui.shell.addresses import page
from ui.shell.theme import asset

METHOD = "](method#"  # as how.md links to a section of docs/method.md
AUTHORS = "Islam & Tushar 2021"
TITLE = "Interpreting and Comparing Convolutional Neural Networks: A Quantitative Approach"
PAPER = f"{AUTHORS}, *{TITLE}*"  # Markdown


def _sections(text: str) -> dict[str, str]:
    """`## key` headings to their text."""
    parts = text.split("\n## ")[1:]
    return {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in parts}


HOW = _sections(asset("shell/how.md"))


def how(*names: str) -> None:
    """A popover with the formula and its source."""
    with st.popover("How computed", type="tertiary"):
        st.markdown(explained(*names))


def explained(*names: str) -> str:
    """The texts, with addresses of the method's sections as this server has them, and the paper's title."""
    text = "\n\n".join(HOW[name] for name in names)
    linked = text.replace(METHOD, f"]({page('method')}#")
    return f"{linked}\n\nThe paper: {PAPER}." if AUTHORS in text or "the paper" in text else linked
