"""COCO's masks as pixels: run-length codes and polygons, to the pixel as COCO's own tools draw them.

A mask's pixels are numbered down its columns. Source: cocodataset/cocoapi, common/maskApi.c (rleDecode,
rleFrString, rleFrPoly); exact, tested against pycocotools.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SCALE = 5.0  # points of a polygon's outline per pixel
_BEYOND = 2  # a polygon's coordinates reach at most so many sizes beyond its picture


class NoMaskError(ValueError):
    """A segmentation that is none; the message goes on after whose it is."""


def drawn(segmentation: Any, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(h, w) whether a pixel belongs to an annotation.

    Args:
        segmentation: polygons (a list of lists of x, y, x, y …), or a run-length code {"size", "counts"}.
        size: (h, w) of the picture as the JSON states it.

    Raises:
        NoMaskError: neither, or one that does not fit the size.
    """
    if isinstance(segmentation, dict):
        return _of_code(segmentation, size)
    if not isinstance(segmentation, list) or not segmentation:
        raise NoMaskError("has no segmentation, expected polygons or a run-length code")
    found = np.zeros(size, np.bool_)
    for polygon in segmentation:
        found |= filled(_points(polygon, size), size)
    return found


def _of_code(code: dict[str, Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    if code.get("size") != list(size):
        raise NoMaskError(f"has a run-length code of size {code.get('size')!r}, expected {list(size)}")
    counts = code.get("counts")
    if isinstance(counts, str):
        counts = counts_of(counts)
    if not isinstance(counts, list) or not all(type(one) is int and one >= 0 for one in counts):
        raise NoMaskError("has a run-length code whose counts are no whole numbers of 0 or more")
    pixels = size[0] * size[1]
    if sum(counts) != pixels:
        raise NoMaskError(f"has a run-length code of {sum(counts):,} pixels, expected {pixels:,}")
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape(size[::-1]).T


def counts_of(text: str) -> list[int]:
    """The runs of a compressed code: numbers of 5-bit groups from character 48 on, the lowest first; from the
    third on, each is a difference to the one two before it.

    Raises:
        NoMaskError: it ends within a number, or holds other characters.
    """
    found: list[int] = []
    value = shift = 0
    for character in text:
        group = ord(character) - 48
        if not 0 <= group < 64 or shift > 60:
            raise NoMaskError(f"has a run-length code with {character!r}, which no such code has there")
        value |= (group & 31) << shift
        shift += 5
        if group & 32:
            continue
        if group & 16:
            value -= 1 << shift
        found.append(value + (found[-2] if len(found) > 2 else 0))
        value = shift = 0
    if shift:
        raise NoMaskError("has a run-length code that ends within a number")
    return found


def _points(polygon: Any, size: tuple[int, int]) -> NDArray[np.float64]:
    """(k, 2) x and y."""
    numeric = isinstance(polygon, list) and all(type(one) in (int, float) for one in polygon)
    if not numeric or len(polygon) < 6 or len(polygon) % 2:
        raise NoMaskError("has a polygon that is no list of at least three pairs of numbers")
    points = np.array(polygon, np.float64).reshape(-1, 2)
    limit = np.array(size[::-1], np.float64)
    if (
        not np.isfinite(points).all()
        or (points < -_BEYOND * limit).any()
        or (points > (1 + _BEYOND) * limit).any()
    ):
        raise NoMaskError(f"has a polygon far outside its picture of {size[0]}×{size[1]}")
    return points


def filled(points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(h, w) the inside of a closed polygon.

    The outline is walked at five points a pixel; where it passes from one column of pixels to the next, it
    crosses the column's centre line at some height, and from there on downwards inside and outside change.

    Args:
        points: (k, 2) x and y in pixels, of the corners.
        size: (h, w).
    """
    height, width = size
    across, down = _outline(np.trunc(_SCALE * points + 0.5).astype(np.int64))
    steps = np.flatnonzero(across[1:] != across[:-1]) + 1
    here, before = across[steps], across[steps - 1]
    x = (np.where(here < before, here, here - 1) + 0.5) / _SCALE - 0.5
    y = np.ceil(np.clip((np.minimum(down[steps], down[steps - 1]) + 0.5) / _SCALE - 0.5, 0, height))
    kept = (np.floor(x) == x) & (x >= 0) & (x <= width - 1)
    places = x[kept].astype(np.int64) * height + y[kept].astype(np.int64)
    changes = np.bincount(places, minlength=height * width + 1)[: height * width]
    return (np.cumsum(changes) % 2 == 1).reshape(width, height).T


def _outline(corners: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(m,) x and (m,) y of the points along a closed polygon's edges, one apart along the longer side."""
    ends = np.roll(corners, -1, axis=0)
    delta = np.abs(ends - corners)
    flat = delta[:, 0] >= delta[:, 1]
    longer = np.where(flat, delta[:, 0], delta[:, 1])
    main_start = np.where(flat, corners[:, 0], corners[:, 1])
    main_end = np.where(flat, ends[:, 0], ends[:, 1])
    flip = main_start > main_end
    first = np.where(flip[:, None], ends, corners)
    last = np.where(flip[:, None], corners, ends)
    rise = np.where(flat, last[:, 1] - first[:, 1], last[:, 0] - first[:, 0])
    slope = np.divide(rise, longer, out=np.zeros(len(longer)), where=longer > 0)
    counts = longer + 1
    edge = np.repeat(np.arange(len(counts)), counts)
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    step = np.where(flip[edge], longer[edge] - step, step)
    along = step + np.where(flat, first[:, 0], first[:, 1])[edge]
    start = np.where(flat, first[:, 1], first[:, 0])[edge]
    aside = np.trunc(start + slope[edge] * step + 0.5).astype(np.int64)
    return np.where(flat[edge], along, aside), np.where(flat[edge], aside, along)
