"""Names of colours: the eleven basic colour terms of English, with a lightness word where it helps.

A colour is named by its lightness L, chroma C and hue h (degrees) in CIELAB. Weak chroma makes black, grey
or white; how weak depends on the hue, since a brown or a dark blue stays nameless longer than a green.
Otherwise the hue decides, and within the warm hues lightness and chroma tell pink, red, brown, orange and
yellow apart. The borders are set by hand and were compared with how people name colours (van de Weijer's
table, not included).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from skimage.color import lab2rgb, rgb2lab

COLOUR_NAMES = (
    "black", "blue", "brown", "grey", "green", "orange", "pink", "purple", "red", "white", "yellow",
)  # fmt: skip

# Chroma below which a colour has no hue word, at hues in degrees: for middle and light, and for dark colours.
_GATE_HUE = (0, 20, 45, 60, 90, 110, 130, 165, 190, 215, 240, 265, 290, 310, 330, 360)
_GATE_MIDDLE = (8, 8, 12, 13, 15, 12, 8, 8, 9, 6, 6, 9, 13, 12, 9, 8)
_GATE_DARK = (10, 9, 8, 8, 9, 9, 8, 12, 16, 15, 12, 12, 14, 10, 11, 10)
_DARK, _MIDDLE = 28.0, 38.0  # lightness between which the two gates blend
_BLACK, _WHITE = 33.0, 78.0
# Hue where purple turns into pink, at lightness: the darker, the later (beyond 360 it is red).
_PINK_LIGHTNESS = (0, 30, 40, 50, 60, 70, 80, 100)
_PINK_HUE = (362, 358, 350, 344, 337, 327, 320, 316)

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


def nearest(points: NDArray[np.int64], centres: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index of the nearest centre of each point; the lowest index where two are equally near.

    Args:
        points: (P, 3) int64, below 2**24 in size.
        centres: (S, 3) int64, the same.

    Returns:
        (P,) int64.
    """
    # Squared distances less each point's own square: whole numbers below 2**53, so that float64 is exact in
    # whatever order a BLAS adds.
    there = centres.astype(np.float64)
    return ((there**2).sum(axis=1) - points.astype(np.float64) @ (2 * there.T)).argmin(axis=1)


def name_indices(rgb: ArrayLike) -> NDArray[np.uint8]:
    """Index into COLOUR_NAMES of each colour.

    Args:
        rgb: (..., 3) sRGB bytes.

    Returns:
        (...) uint8.
    """
    lab = to_lab(rgb)
    lightness, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360.0
    grey = chroma < _gate(lightness, hue)
    pink_from = np.interp(lightness, _PINK_LIGHTNESS, _PINK_HUE)
    # The monitor's own blue lies far towards purple.
    vivid = np.where(chroma > 60, 4, 0) + np.where((chroma > 90) & (lightness < 38), 4, 0)
    purple_from = np.interp(lightness, (30, 60, 80), (303, 293, 289)) + vivid
    yellow_to = np.interp(lightness, (40, 60, 90), (97, 104, 113)) + np.where(chroma > 60, 3, 0)
    rules = (
        ("black", grey & (lightness < _BLACK)),
        ("white", grey & (lightness >= _WHITE)),
        ("grey", grey),
        ("pink", hue >= pink_from),
        ("purple", hue >= purple_from),
        ("blue", hue >= 190),
        ("green", hue >= yellow_to),
        *_warm(lightness, chroma, hue),
    )
    found = np.select([rule for _, rule in rules], [COLOUR_NAMES.index(name) for name, _ in rules])
    return found.astype(np.uint8)


def _gate(lightness: NDArray[np.float64], hue: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = np.interp(hue, _GATE_HUE, _GATE_MIDDLE)
    dark = np.interp(hue, _GATE_HUE, _GATE_DARK)
    share = np.clip((lightness - _DARK) / (_MIDDLE - _DARK), 0.0, 1.0)
    return np.asarray(dark + share * (middle - dark))


def _warm(
    lightness: NDArray[np.float64], chroma: NDArray[np.float64], hue: NDArray[np.float64]
) -> tuple[tuple[str, NDArray[np.bool_]], ...]:
    """The rules for hues from 0 (crimson) to about 110 (lemon)."""
    # Pink is a light red that is not vivid; towards orange it must be lighter still.
    too_vivid = np.maximum(chroma - 45, 0) * np.interp(hue, (8, 25), (0.1, 1))
    pink_above = np.interp(hue, (0, 15, 30, 45, 60, 75), (36, 47, 57, 68, 78, 92)) + too_vivid
    red_to = np.interp(lightness, (30, 60), (45, 34)) + np.interp(chroma, (80, 100), (0, 5))
    vivid = np.interp(lightness, (34, 45, 60, 75), (52, 46, 40, 26))
    golden = np.interp(lightness, (30, 60, 75, 90), (42, 34, 22, 15))
    return (
        ("pink", (lightness >= pink_above) & (hue < 70)),
        ("red", (hue < red_to) & (chroma >= np.interp(hue, (0, 20, 45), (14, 22, 32)))),
        ("yellow", (hue >= 77) & (chroma >= golden)),
        ("orange", (hue < 77) & (hue >= 35) & (chroma >= vivid)),
        ("brown", np.ones(lightness.shape, dtype=bool)),
    )


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
