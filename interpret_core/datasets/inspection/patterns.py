"""Arrays in, words out: what the pixels of a mask look like, whatever its labels are."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

# A label map has regions: hardly a tenth of its neighbours differ. In a photograph most do, by many values.
PHOTOGRAPH_VALUES, PHOTOGRAPH_CHANGES = 32, 0.3
# Smoothing puts values between those on both sides of an edge, one or two pixels wide and found nowhere else.
SMOOTH_VALUES, SMOOTH_PIXELS, SMOOTH_SHARE, SMOOTH_OWN = 3, 8, 0.15, 0.6
# JPEG scatters values around each label: neighbours that hardly differ, where two labels would by any number.
JPEG_CHANGES, JPEG_NEAR, JPEG_STEP = 0.03, 0.5, 3


class Look(StrEnum):
    """What a mask may look like."""

    PHOTOGRAPH = "photograph"
    SMOOTHED = "smoothed"


def look_of(pixels: NDArray[np.int64]) -> Look | None:
    """Whether a mask looks like a photograph, or as if its edges had been smoothed; None for a label map.

    Args:
        pixels: (h, w, channels) values of 0 to 65535, such as label numbers (one channel) or colours.
    """
    codes = np.zeros(pixels.shape[:2], np.int64)
    for channel in range(pixels.shape[2]):
        codes = codes * 65_536 + pixels[..., channel]
    values, places, totals = np.unique(codes, return_inverse=True, return_counts=True)
    if len(values) < SMOOTH_VALUES:
        return None
    places = places.reshape(codes.shape)
    changes = int((codes[:, 1:] != codes[:, :-1]).sum() + (codes[1:] != codes[:-1]).sum())
    height, width = pixels.shape[:2]
    pairs = 2 * height * width - height - width
    if len(values) >= PHOTOGRAPH_VALUES:
        if changes > PHOTOGRAPH_CHANGES * pairs:
            return Look.PHOTOGRAPH
        if changes > JPEG_CHANGES * pairs and _near(pixels) > JPEG_NEAR * changes:
            return Look.SMOOTHED
    between = _between(pixels)
    between[:, 1:-1] |= _between(pixels.swapaxes(0, 1)).T[:, 1:-1]
    own = np.bincount(places[between], minlength=len(values))
    own[own < SMOOTH_OWN * totals] = 0  # a label that also has regions is one
    found = int(own.sum())
    smooth = (
        np.count_nonzero(own) >= SMOOTH_VALUES and found >= SMOOTH_PIXELS and found > SMOOTH_SHARE * changes
    )
    return Look.SMOOTHED if smooth else None


def _near(pixels: NDArray[np.int64]) -> int:
    """Pairs of neighbours that differ, and by no more than `JPEG_STEP` in any channel."""
    found = 0
    for one, other in ((pixels[:, 1:], pixels[:, :-1]), (pixels[1:], pixels[:-1])):
        steps = np.abs(one - other).max(axis=-1)
        found += int(((steps > 0) & (steps <= JPEG_STEP)).sum())
    return found


def _between(pixels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(h, w) whether a pixel lies between its left and right neighbour in each channel, equal to neither."""
    found = np.zeros(pixels.shape[:2], np.bool_)
    left, here, right = pixels[:, :-2], pixels[:, 1:-1], pixels[:, 2:]
    inside = (np.minimum(left, right) <= here) & (here <= np.maximum(left, right))
    other = (here != left).any(-1) & (here != right).any(-1)
    found[:, 1:-1] = inside.all(-1) & other
    return found
