"""Names of colours: the eleven basic colour terms of English, with a lightness word where it helps.

A colour takes the name of the nearest prototype in CIELAB. The prototypes are hand-set sRGB examples of each
term (Berlin and Kay 1969), several where a term spans a long way, such as the greens.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from skimage.color import lab2rgb, rgb2lab

COLOUR_NAMES = (
    "black", "blue", "brown", "grey", "green", "orange", "pink", "purple", "red", "white", "yellow",
)  # fmt: skip

_PROTOTYPES: dict[str, tuple[str, ...]] = {
    "black": ("000000", "101010", "1c1c1c"),
    "grey": ("404040", "808080", "a8a8a8", "c0c0c0"),
    "white": ("ffffff", "e8e8e8"),
    "red": ("ff0000", "c00000", "900000", "e03030"),
    "orange": ("ff8000", "ffa030", "e07020"),
    "yellow": ("ffff00", "e0d020", "ffff90", "c8b830"),
    "brown": ("804000", "603010", "a07040", "402010", "b09060"),
    "green": ("00ff00", "008000", "004000", "80c040", "60a080", "a0ffa0", "608040", "304020"),
    "blue": ("0000ff", "000080", "3070c0", "80c0ff", "00c0ff", "406080", "00ffff", "a0c0e0"),
    "purple": ("800080", "a000ff", "6030a0", "a060c0", "400050", "c000ff"),
    "pink": ("ff80c0", "ffc0d0", "ff00c0", "ff60a0", "e0a0b0", "ffa0a0"),
}  # fmt: skip
# CIELAB lightness below which a term is "dark" and above which it is "light".
_LIGHTNESS = {
    "black": (0.0, 100.0),
    "white": (0.0, 100.0),
    "yellow": (70.0, 95.0),
    "pink": (60.0, 80.0),
    "brown": (28.0, 52.0),
    "orange": (55.0, 78.0),
}
_USUAL_LIGHTNESS = (35.0, 68.0)


def to_lab(rgb: ArrayLike) -> NDArray[np.float64]:
    """sRGB bytes (..., 3) in [0, 255] to CIELAB (D65, 2°): L in [0, 100], a and b about ±128."""
    return np.asarray(rgb2lab(np.asarray(rgb, dtype=np.float64) / 255.0), dtype=np.float64)


def to_rgb(lab: ArrayLike) -> NDArray[np.uint8]:
    """CIELAB (..., 3) to sRGB bytes, rounded; colours outside sRGB are clipped."""
    rgb = np.clip(np.asarray(lab2rgb(np.asarray(lab, dtype=np.float64))), 0.0, 1.0)
    return np.rint(rgb * 255.0).astype(np.uint8)


def nearest(points: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of the nearest centre of each point; the lowest index where two are equally near.

    Args:
        points: (P, 3) float64.
        centres: (S, 3) float64.

    Returns:
        (P,) int64.
    """
    # Written out channel by channel: a BLAS product would let the number of threads decide near ties.
    distance = np.zeros((len(points), len(centres)))
    for channel in range(points.shape[1]):
        distance += (points[:, channel, None] - centres[None, :, channel]) ** 2
    return distance.argmin(axis=1)


def name_indices(rgb: ArrayLike) -> NDArray[np.uint8]:
    """Index into COLOUR_NAMES of each colour.

    Args:
        rgb: (..., 3) sRGB bytes.

    Returns:
        (...) uint8.
    """
    lab = to_lab(rgb)
    owners = [COLOUR_NAMES.index(name) for name, examples in _PROTOTYPES.items() for _ in examples]
    prototypes = to_lab([list(bytes.fromhex(code)) for codes in _PROTOTYPES.values() for code in codes])
    found = np.array(owners, dtype=np.uint8)[nearest(lab.reshape(-1, 3), prototypes)]
    return found.reshape(lab.shape[:-1])


def describe(lab: NDArray[np.float64]) -> tuple[str, ...]:
    """A distinct name for each colour: "light blue", "dark green", "dark green 2".

    Args:
        lab: (S, 3) CIELAB.

    Returns:
        S names, no two alike; numbering follows the given order.
    """
    return distinct(
        [
            _shade(COLOUR_NAMES[index], float(L))
            for index, L in zip(name_indices(to_rgb(lab)), lab[:, 0], strict=True)
        ]
    )


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Number the repetitions of a name from 2 on."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return tuple(result)


def _shade(name: str, lightness: float) -> str:
    dark, light = _LIGHTNESS.get(name, _USUAL_LIGHTNESS)
    return f"dark {name}" if lightness < dark else f"light {name}" if lightness > light else name
