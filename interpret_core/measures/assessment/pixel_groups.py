"""Pixels of an image with one label set and one shade: units are counted over such groups."""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.dissection.masks import Runs


@dataclass(frozen=True, eq=False)
class PixelGroups:
    """E groups of pixels of N images.

    Attributes:
        of_pixel: (N, H·W) int32, the group of each pixel.
        image, label_set, shade: (E,) int32, what a group's pixels have in common; sorted by image.
        pixels: (E,) int32.
    """

    of_pixel: NDArray[np.int32]
    image: NDArray[np.int32]
    label_set: NDArray[np.int32]
    shade: NDArray[np.int32]
    pixels: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.image)


def pixel_groups(label_set: NDArray[np.int32], shade: NDArray[np.uint8]) -> PixelGroups:
    """Group the pixels of each image.

    Args:
        label_set: (N, H·W) the label set of each pixel.
        shade: (N, H·W) its shade.
    """
    of_pixel = np.empty(label_set.shape, np.int32)
    parts = []
    start = 0
    for image, (sets, shades) in enumerate(zip(label_set, shade, strict=True)):
        pairs = sets.astype(np.int64) * 256 + shades
        found, code, pixels = np.unique(pairs, return_inverse=True, return_counts=True)
        of_pixel[image] = start + code
        parts.append(np.stack([np.full(len(found), image), found >> 8, found & 255, pixels]).astype(np.int32))
        start += len(found)
    return PixelGroups(of_pixel, *np.concatenate(parts, 1))


@dataclass(frozen=True, eq=False)
class ActivePixels:
    """Active pixels of each unit by group, only where there are some.

    Attributes:
        offsets: (U + 1,) int64; unit u has the entries offsets[u] to offsets[u + 1].
        group: (M,) int32, ascending within a unit.
        pixels: (M,) int32.
    """

    offsets: NDArray[np.int64]
    group: NDArray[np.int32]
    pixels: NDArray[np.int32]

    def of(self, unit: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Groups and active pixels of a unit."""
        there = slice(*self.offsets[unit : unit + 2])
        return self.group[there], self.pixels[there]

    def part(self, start: int, end: int) -> ActivePixels:
        """Those of the units from `start` to before `end`."""
        return ActivePixels(self.offsets[start : end + 1], self.group, self.pixels)


def active_pixels(masks: Runs, groups: PixelGroups) -> ActivePixels:
    """Count each unit's mask by group.

    Args:
        masks: of N·U maps, image by image, of the same images.
        groups: of those images.
    """
    images = len(groups.of_pixel)
    units = (len(masks.offsets) - 1) // images
    number = np.zeros(units, np.int64)
    empty = np.zeros(0, np.int32)
    _count((masks.offsets, masks.runs), groups.of_pixel, np.zeros(units + 1, np.int64), number, empty, empty)
    offsets = np.concatenate([[0], np.cumsum(number)])
    group, pixels = (np.empty(offsets[-1], np.int32) for _ in range(2))
    _count((masks.offsets, masks.runs), groups.of_pixel, offsets, number, group, pixels)
    return ActivePixels(offsets, group, pixels)


@nb.njit(parallel=True, cache=True)
def _count(masks, of_pixel, offsets, number, group, pixels):  # type: ignore[no-untyped-def]
    for u in nb.prange(number.shape[0]):
        number[u] = _count_unit(
            masks, (u, number.shape[0]), of_pixel, (group[offsets[u] :], pixels[offsets[u] :])
        )


@nb.njit
def _count_unit(masks, unit, of_pixel, out):  # type: ignore[no-untyped-def]
    """Write one unit's groups, image by image, or count them only where `out` is empty."""
    bounds, runs = masks
    u, units = unit
    group, pixels = out
    images, area = of_pixel.shape
    here, touched = np.zeros(area, np.int32), np.empty(area, np.int32)
    count = 0
    for n in range(images):
        first, seen = of_pixel[n].min(), 0
        for r in range(bounds[n * units + u], bounds[n * units + u + 1]):
            for pixel in range(runs[r, 0], runs[r, 0] + runs[r, 1]):
                place = of_pixel[n, pixel] - first
                if here[place] == 0:
                    touched[seen] = place
                    seen += 1
                here[place] += 1
        there = np.sort(touched[:seen])
        for i in range(seen):
            if count + i < group.shape[0]:
                group[count + i], pixels[count + i] = first + there[i], here[there[i]]
            here[there[i]] = 0
        count += seen
    return count
