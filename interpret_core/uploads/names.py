"""Names of what is added, which stand in addresses, in folders and in requests."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 64  # characters of a name
_LONGEST_BYTES = 200  # of it in a file's name, before which a time may stand
_NAME = re.compile(r"[^\W_][\w.-]*")


def normal(name: str) -> str:
    """One spelling of a name whose letters Unicode can spell in several ways."""
    return unicodedata.normalize("NFC", name)


def name_problem(name: str, taken: Iterable[str], what: str = "network") -> str:
    """Why something cannot be called so, in one sentence; empty where it can.

    Args:
        name: as typed.
        taken: names that mean something already; case does not tell two apart.
        what: is to be called so, "network" or "data set".
    """
    name = normal(name)
    if not name:
        return f"The {what} has no name yet: write one."
    if (
        len(name) > LONGEST
        or len(name.encode("utf-8", "replace")) > _LONGEST_BYTES
        or not _NAME.fullmatch(name)
    ):
        return (
            f"The name {name[:LONGEST]!r} cannot stand in every address and folder, expected up to {LONGEST} "
            "letters, digits, dots, dashes and underscores, a letter or digit first: write another."
        )
    if name.casefold() in {normal(one).casefold() for one in taken}:
        return f"The name {name!r} is taken: write another, or remove the {what} that has it."
    return ""
