"""Lists of names as one text: in addresses, and as people type them. A name may hold the comma itself."""

from __future__ import annotations

from collections.abc import Iterable

_COMMA, _ESCAPE = ",", "\\"


def joined(names: Iterable[str]) -> str:
    """Names with commas between them; a comma or a backslash within a name has a backslash before it."""
    return _COMMA.join(name.replace(_ESCAPE, 2 * _ESCAPE).replace(_COMMA, _ESCAPE + _COMMA) for name in names)


def split(text: str) -> list[str]:
    """The names out of such a text; empty ones are none. The inverse of `joined`."""
    names, name, escaped = [], "", False
    for character in text:
        if not escaped and character == _ESCAPE:
            escaped = True
        elif not escaped and character == _COMMA:
            names.append(name)
            name = ""
        else:
            # A backslash before anything else is meant as it stands.
            name += character if not escaped or character in (_COMMA, _ESCAPE) else _ESCAPE + character
            escaped = False
    names.append(name + _ESCAPE * escaped)
    return [name for name in names if name.strip()]
