"""The box beside what is saved with names of pictures: whether these may leave."""

from __future__ import annotations

import streamlit as st

from interpret_core.privacy import pictures_leave
from ui.shell.names import key_of

BOX = "Without pictures’ names"
_WHY = (
    "Numbers stand for the files of pictures in what is saved. What leaves with which file: docs/privacy.md."
)


def names_leave(place: str) -> bool:
    """Whether files of pictures may be named in what is saved here.

    Args:
        place: of the box on the page. Where INTERPRET_PICTURES=0 says that no name leaves, there is none.
    """
    if not pictures_leave():
        return False
    return not st.checkbox(BOX, key=key_of("without_pictures", place), help=_WHY, width="content")
