"""Names of networks, layers and classes where not every character may stand: keys and file names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

# Streamlit parts a component's key from its events by two underscores; single ones, and a digest, do no harm.
_HARMLESS = re.compile(r"[A-Za-z0-9]+([_-][A-Za-z0-9]+)*")
_LONGEST = 60
_FILE_BYTES = 160  # file systems end at 255, and an ending and a number may follow


def key_of(kind: str, *names: object) -> str:
    """A key for a widget, a component or a container: other names, another key.

    Args:
        kind: what it is the key of; unlike all others on the page, also with an underscore behind it.
        names: whose it is; any texts.

    Returns:
        Letters, digits, dashes and single underscores, so that it also is a class name of the page's style.
    """
    texts = [str(name) for name in names]
    if len(texts) == 1 and len(texts[0]) <= _LONGEST and _HARMLESS.fullmatch(texts[0]):
        return f"{kind}_{texts[0]}"
    content = "".join(f"{len(text)}:{text}" for text in texts).encode("utf-8", "surrogatepass")
    return f"{kind}_{hashlib.sha256(content).hexdigest()[:16]}"


def unlike(word: str, names: Collection[str]) -> str:
    """A word that stands beside names in a choice and is none of them."""
    while word in names:
        word = f"({word})"
    return word


def file_stem(*parts: object) -> str:
    """The name of a file to save, without its ending: letters and digits of any script, `.`, `_` and `-`."""
    name = "_".join("".join(c if c.isalnum() or c in "._-" else "-" for c in str(part)) for part in parts)
    name = re.sub(r"-{2,}", "-", name).strip("-.")  # a name with a dot in front is hidden
    short = name.encode("utf-8", "replace")[:_FILE_BYTES].decode("utf-8", "ignore")
    return short.strip("-.") or "unitscope"
