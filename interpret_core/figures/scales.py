"""Colour scales for numbers, safe for colour-blind eyes: one for sizes, one centred on zero for signs.

Each comes twice, since its low (or middle) end is the page's own ground: light and dark.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def _stops(codes: str) -> tuple[str, ...]:
    return tuple(f"#{code}" for code in codes.split())


# The theme's sequential colours, and the same way from a dark ground; the lighter colour is always the
# rarer one on a dark page and the darker one on a light page: near the ground means near nothing.
SEQUENTIAL = {
    "light": _stops("f3f7fb dcecf5 bfe0e2 93cfc7 5fb5c6 3895c0 1f72ad 0b4f8f 06305f"),
    "dark": _stops("171d28 16304a 154a6b 1a688c 2b88a6 4fa8b3 86c7bd bfe3cf eef9ea"),
}
# Blue for below zero, orange for above: told apart by every common kind of colour blindness.
DIVERGING = {
    "light": _stops("1d5aa0 4a8cc4 93bfe0 d2e4f1 f5f5f5 fbdfb5 f0b062 d27f1d 984c05"),
    "dark": _stops("8ccaff 5a9fd8 36719f 1f4360 1b202b 553712 9a5f1c da8f35 ffc877"),
}
KINDS = {"sequential": SEQUENTIAL, "diverging": DIVERGING}
# Of maps laid over photographs: brightness rises with size, so it also reads in grey; for and against differ
# as blue and orange do.
SIZES = ("#2a0b4f", "#7b1d6d", "#c73e4c", "#f1731d", "#fcb519", "#fcffa4")
AGAINST, FOR = ("#3f8fd6", "#7fd0ff"), ("#f28c28", "#ffd27a")
POSITIVE, NEGATIVE = "#e08214", "#4a8cc4"  # speaks for a class, against it; direction tells as well


def lookup(stops: tuple[str, ...], steps: int = 256) -> NDArray[np.uint8]:
    """(steps, 3) RGB, straight lines between the stops.

    Args:
        stops: `#rrggbb`, evenly spaced from the low end to the high one.
        steps: entries of the table.
    """
    known = np.array([[int(stop[at : at + 2], 16) for at in (1, 3, 5)] for stop in stops], np.float64)
    places, at = np.linspace(0, 1, len(stops)), np.linspace(0, 1, steps)
    table = np.stack([np.interp(at, places, known[:, channel]) for channel in range(3)], 1)
    return np.round(table).astype(np.uint8)
