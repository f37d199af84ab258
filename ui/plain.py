"""Text from data made harmless: a concept is called what label.csv says, and that may be anything."""

from __future__ import annotations

import html
import re

# A list, a quotation or a heading begins at the start of the text; underlining needs a line of its own.
_STARTS = re.compile(r"^(?=[-+=])|^(\d{1,9})(?=[.)])")
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~$!&:])")
# Addresses, mail and :shortcodes: are recognised after Markdown's escapes have gone: something must stand
# between their parts. The word joiner has no width and allows no line break.
_JOINER = "\u2060"
_LINKS = re.compile(r"(?<=://)|(?<=:)(?=[\w+/-]+:)|(?<=@)(?=\S)|(?<=www)(?=\.)", re.IGNORECASE)


def plain(text: object) -> str:
    """The text as Streamlit's Markdown shows it letter by letter: nothing formats, links or loads."""
    line = " ".join(str(text).split())
    line = _MARKS.sub(r"\\\1", _LINKS.sub(_JOINER, line))
    return _STARTS.sub(lambda found: f"{found[1]}\\" if found[1] else "\\", line)


def figure_text(text: object) -> str:
    """The text as Plotly shows it letter by letter: its labels take HTML, its templates `%{…}`."""
    return html.escape(str(text), quote=False).replace("%{", "%\u2060{")
