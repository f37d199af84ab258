"""Lists of names as one text, as options take them. Names may hold commas, quotation marks and line breaks.

    cat,dog                 two names
    "cat, tabby",dog        two as well: what stands in double quotes is one name
    "the ""old"" bus"       a quotation mark within them is doubled, as in CSV files

Spaces around a name do not count, nor do empty names. A quotation mark that does not begin a name is part of
it (`5" pipe`).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from interpret_core.errors import ParameterError

_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?:,|$)')
_PLAIN = re.compile(r"\s*([^,]*?)\s*(?:,|$)")


def split_names(text: str) -> tuple[str, ...]:
    """The names of a list, each once, in their order; none for an empty text.

    Raises:
        ParameterError: a quotation mark that begins a name and is not closed, or closed before its end.
    """
    found, at = [], 0
    while at < len(text):
        quoted = text[at:].lstrip().startswith('"')
        match = (_QUOTED if quoted else _PLAIN).match(text, at)
        if match is None:
            raise ParameterError(
                f"Names are {text!r}, expected a closing quotation mark and a comma behind each name that "
                'begins with one: write names with commas as "cat, tabby",dog, and a quotation mark within '
                'as "".'
            )
        found.append(match[1].replace('""', '"') if quoted else match[1])
        at = match.end()
    return tuple(dict.fromkeys(name for name in found if name.strip()))


def one_name(text: str) -> str:
    """The one name of a list, where it is written in quotation marks; any other text as it is."""
    match = _QUOTED.fullmatch(text)
    return text if match is None or text.rstrip().endswith(",") else match[1].replace('""', '"')


def joined_names(names: Iterable[str]) -> str:
    """The inverse of `split_names`."""
    return ",".join(map(_written, names))


def typed(name: str) -> str:
    """A name as one types it behind an option of a command: itself, where nothing in it asks for more."""
    written = _written(name)
    if written == name and name.isprintable():
        return name
    if written.isprintable():
        return shlex.quote(written)
    escaped = written.encode("unicode_escape").decode("ascii")
    return "$'" + escaped.replace("'", "\\'") + "'"


def _written(name: str) -> str:
    plain = name.strip() == name and "," not in name and not name.startswith('"')
    return name if plain else '"' + name.replace('"', '""') + '"'
