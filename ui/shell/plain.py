"""Text from data made harmless: a concept is called what label.csv says, and that may be anything."""

from __future__ import annotations

import re

# A list, a quotation or a heading begins at the start of the text; underlining needs a line of its own.
_STARTS = re.compile(r"^(?=[-+=])|^(\d{1,9})(?=[.)])")
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~$!&:])")
# Addresses, mail, :shortcodes: and arrows made of signs are recognised after Markdown's escapes have gone:
# something must stand between their parts. The word joiner has no width and allows no line break. It also
# stands before a text that begins with a picture: Streamlit takes that of a button for its icon.
_JOINER = "\u2060"
_PARTS = re.compile(
    r"(?<=://)|(?<=:)(?=[\w+/-]+:)|(?<=@)(?=\S)|(?<=www)(?=\.)|(?<=[-<>~])(?=[->=])"
    r"|^(?=[\U0001F000-\U0001FAFF\u2300-\u2BFF])",
    re.IGNORECASE,
)
_JOINING = "\u200c\u200d"  # between the parts of letters and of pictures; not printable by themselves


def plain(text: object) -> str:
    """The text as Streamlit's Markdown shows it letter by letter: nothing formats, links or loads."""
    shown = str(text).encode("utf-8", "backslashreplace").decode()  # a file's name may be no text
    line = " ".join(shown.split())
    line = _MARKS.sub(r"\\\1", _PARTS.sub(_JOINER, line))
    return _STARTS.sub(lambda found: f"{found[1]}\\" if found[1] else "\\", line)


def shortened(text: str, most: int = 60) -> str:
    """The same of a text that may be long; what cannot be printed is a sign of its own."""
    seen = "".join(c if c.isprintable() or c in _JOINING else "\N{REPLACEMENT CHARACTER}" for c in text)
    return plain(seen if len(seen) <= most else f"{seen[: most - 1]}…")
