"""Shades: the data set's own palette, finer than the eleven colour names (method.md, section 10).

A pixel's shade is defined on the annotation grid, through a table: its box-filtered colour falls into one
of 32³ RGB cells (R//8, G//8, B//8), and the cell's centre belongs to the nearest shade centre in CIELAB. A
survey therefore only has to count pixels per cell: the centres are the weighted k-means of the occupied
cells over all pixels of all readable images, exact where a subsample would be arbitrary, and the totals
follow from the same counts. Everything is seeded and independent of the order in which images were read.

Colours are whole numbers of STEPS per unit of CIELAB, rounded once, far above what two processors' arithmetic
differs by; from there on everything is counted in integers. Another processor gives the same bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from operator import mul

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets.colours import describe, nearest, to_lab, to_rgb

COUNT = 64
SEED = 0
CELLS = 32
STEPS = 1 << 16  # steps of 1.5e-5 units, where cells lie 0.5 units apart and more
# Part of a data set's digest: another recipe gives other shades.
RECIPE = {"count": COUNT, "seed": SEED, "cells": CELLS, "version": 2}
_ITERATIONS = 100
_BITS = 53  # of a random number in [0, 1)
_WEIGHT_BITS = 38
_THOUSANDTHS = 1000  # of lightness, by which shades are put in order


@dataclass(frozen=True, eq=False)
class Shades:
    """S centres and the table that assigns a colour to one of them.

    Attributes:
        lab: (S, 3) float64 CIELAB centres, multiples of 1 / STEPS, by lightness, then hue; S = 64 or, with
            few colours, less.
        rgb: (S, 3) uint8, the same centres in sRGB.
        names: S distinct names.
        table: (32, 32, 32) uint8, indexed by R//8, G//8, B//8.
    """

    lab: NDArray[np.float64]
    rgb: NDArray[np.uint8]
    names: tuple[str, ...]
    table: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.lab)

    def of(self, colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Shade of each colour: (..., 3) uint8 sRGB -> (...) uint8 index."""
        return self.table.reshape(-1)[cell_of(colours)]

    def totals(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pixels per shade, (S,) int64, from pixels per cell, (32768,) int64."""
        return _sums(self.table.reshape(-1), cells, len(self))


def cell_of(colours: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Index of the RGB cell of each colour: (..., 3) uint8 -> (...) int32 below 32768."""
    fifth = (colours >> 3).astype(np.int32)
    return (fifth[..., 0] * CELLS + fifth[..., 1]) * CELLS + fifth[..., 2]


def cell_centres() -> NDArray[np.int64]:
    """Centre of every RGB cell in CIELAB, (32768, 3) int64 in steps, in `cell_of`'s order."""
    sides = np.arange(CELLS) * 8 + 4
    lab = to_lab(np.stack(np.meshgrid(sides, sides, sides, indexing="ij"), axis=-1).reshape(-1, 3))
    # No value lies so near to half a step that arithmetic could decide (a test looks at each).
    return np.rint(lab * STEPS).astype(np.int64)


def make_shades(cells: NDArray[np.int64], count: int = COUNT, seed: int = SEED) -> Shades:
    """Weighted k-means in CIELAB over the occupied cells.

    Args:
        cells: (32768,) int64, pixels per RGB cell; at least one is positive.
        count: S; fewer where fewer cells are occupied.
        seed: of the k-means++ start.

    Returns:
        The Shades; every shade has at least one pixel.
    """
    centres = cell_centres()
    occupied = np.flatnonzero(cells)
    # Weighted by pixels; beyond 2**38 of them by so many pixels that sums of coordinates fit into 64 bits.
    weights = np.maximum(cells[occupied] >> max(0, int(cells.sum()).bit_length() - _WEIGHT_BITS), 1)
    found = _k_means(centres[occupied], weights, min(count, len(occupied)), seed)
    # Keep what the table can reach: a centre that is nearest to no occupied cell would be an empty shade.
    found = found[np.unique(nearest(centres[occupied], found))]
    found = np.array(sorted(found.tolist(), key=_place), dtype=np.int64)
    table = nearest(centres, found).astype(np.uint8).reshape(CELLS, CELLS, CELLS)
    lab = found / STEPS
    return Shades(lab, to_rgb(lab), describe(lab), table)


def _k_means(
    points: NDArray[np.int64], weights: NDArray[np.int64], count: int, seed: int
) -> NDArray[np.int64]:
    """Lloyd's algorithm with a k-means++ start; a centre is its points' mean, rounded to a step, half up."""
    centres = points[_spread(points, weights, count, np.random.Generator(np.random.PCG64(seed)))]
    assigned = nearest(points, centres)
    for _ in range(_ITERATIONS):
        mass, *sums = (_sums(assigned, column, count) for column in (weights, *(weights * points.T)))
        there = mass > 0  # an emptied cluster keeps its centre
        centres[there] = ((2 * np.stack(sums, axis=1) + mass[:, None])[there]) // (2 * mass[there, None])
        moved = nearest(points, centres)
        if np.array_equal(moved, assigned):
            break
        assigned = moved
    return centres


def _sums(places: NDArray[np.integer], values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Sum of the values at each place, (count,); `np.bincount` would add them as floats."""
    sums = np.zeros(count, dtype=np.int64)
    np.add.at(sums, places, values)
    return sums


def _spread(
    points: NDArray[np.int64], weights: NDArray[np.int64], count: int, random: np.random.Generator
) -> list[int]:
    """k-means++: each further centre is drawn with the probability of its weighted squared distance."""
    chosen = [int(np.argmax(weights))]
    distance = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < count:
        # Python's integers: the sums pass 2**64. A random number is a whole number of 2**-53.
        reach = list(accumulate(map(mul, weights.tolist(), distance.tolist())))
        drawn = int(random.random() * (1 << _BITS)) * reach[-1] >> _BITS
        # Distances of distinct points are positive, so a draw never repeats a chosen one.
        chosen.append(bisect_right(reach, drawn))
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return chosen


def _place(centre: list[int]) -> tuple[int, Fraction]:
    """Order of shades: by lightness to a thousandth, then by hue from -180 to 180 degrees, exactly."""
    lightness, a, b = centre
    along = Fraction(a, abs(a) + abs(b) or 1)  # along a diamond instead of a circle: the same order
    hue = along - 1 if b < 0 else 1 - along if a or b else Fraction(0)
    return (2 * lightness * _THOUSANDTHS + STEPS) // (2 * STEPS), hue
