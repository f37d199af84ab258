"""Numbers that variables state: sizes in bytes as people write them (`2G`, `1.5 GB`), and whole numbers."""

from __future__ import annotations

import re

from interpret_core.errors import UserError

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_WRITTEN = re.compile(r"\s*(\d{1,18}(?:\.\d{1,6})?)\s*([KMGT]?)(?:I?B)?\s*", re.IGNORECASE)


def parsed(name: str, text: str, least: int) -> int:
    """Bytes that a variable asks for.

    Args:
        name: of the variable, for the message.
        text: what it says; K, M, G and T are powers of 1024.
        least: bytes below which it makes no sense.

    Raises:
        UserError: it is no size, or below the least.
    """
    found = _WRITTEN.fullmatch(text)
    size = int(float(found[1]) * UNITS[found[2].upper()]) if found else 0
    if size < least:
        raise UserError(
            f"{name} is {text[:60]!r}, expected bytes or a size such as 2G or 500M, at least "
            f"{written(least)}: correct it, or unset it."
        )
    return size


def written(size: float) -> str:
    """A size for people: "2.0 GB", "500 MB"."""
    for unit in ("T", "G", "M", "K"):
        if size >= UNITS[unit]:
            number = size / UNITS[unit]
            return f"{number:.{0 if number >= 10 or unit in 'MK' else 1}f} {unit.replace('K', 'k')}B"
    return f"{size:.0f} bytes"


def whole(name: str, text: str, default: int, least: int, most: int = 10**9) -> int:
    """A whole number that a variable states.

    Args:
        name: of the variable, for the message.
        text: what it says; nothing means the default.
        default: where it says nothing.
        least: what it may be.
        most: what it may be.

    Raises:
        UserError: it is none of these.
    """
    text = text.strip()
    if not text:
        return default
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else least - 1
    if not least <= number <= most:
        bounds = f"of at least {least}" if most == 10**9 else f"from {least} to {most}"
        raise UserError(
            f"{name} is {text[:60]!r}, expected a whole number {bounds}: correct it, or unset it."
        )
    return number
