"""Text from data made harmless for Plotly: a concept is called what label.csv says, which may be anything."""

from __future__ import annotations

import html

BREAK = " <br>"  # between lines of a text that Plotly shows


def figure_text(text: object) -> str:
    """The text as Plotly shows it letter by letter: its labels take HTML, its templates `%{…}`."""
    return html.escape(str(text), quote=False).replace("%{", "%\u2060{")


def unfigured(text: str) -> str:
    """What such a text was, for where nothing formats; what makes it bold, or breaks its line, goes."""
    bare = text.removeprefix("<b>").removesuffix("</b>") if text.startswith("<b>") else text
    return html.unescape(bare.replace(BREAK, " ")).replace("%\u2060{", "%{")
