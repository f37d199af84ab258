"""What requests have in common: checks, and the one spelling of a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from interpret_core.errors import ParameterError

BATCH_SIZE = 32


DIGITS = 7  # of a number in a key: as many as tell single-precision numbers apart


def entries(kind: type, value: Mapping[str, Any]) -> dict[str, Any]:
    """A request's fields out of JSON; what it does not know is left out."""
    known = {field.name for field in fields(kind)}
    return {
        name: tuple(entry) if isinstance(entry, list) else entry
        for name, entry in value.items()
        if name in known
    }


def names_of(names: Sequence[str] | str, every: str, kind: str) -> tuple[str, ...] | str:
    """Names, each once, or `every`; a text lists them separated by commas.

    Raises:
        ParameterError: none is named.
    """
    if names == every or tuple(names) == (every,):
        return every
    parts = tuple(part.strip() for part in names.split(",")) if isinstance(names, str) else tuple(names)
    parts = tuple(part for part in dict.fromkeys(parts) if part)
    if not parts:
        raise ParameterError(
            f"No {kind} is named, but expected {kind} names separated by commas, or {every}."
        )
    return parts


def one_spelling(value: float) -> float:
    """A number in a key: 0.005 and 1 − 0.995, 1 and 1.0, 0 and −0 are one; computed is what the key says."""
    return float(f"{value:.{DIGITS}g}") + 0.0


def at_least(name: str, value: object, least: int) -> None:
    """Raise ParameterError unless the value is a whole number of at least so much."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ParameterError(f"{name} is {value!r}, but expected a whole number of at least {least}.")
