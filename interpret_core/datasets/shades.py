"""Shades: the data set's own palette, finer than the eleven colour names (method.md, section 10).

A pixel's shade is defined on the annotation grid, through a table: its box-filtered colour falls into one
of 32³ RGB cells (R//8, G//8, B//8), and the cell's centre belongs to the nearest shade centre in CIELAB. A
survey therefore only has to count pixels per cell: the centres are the weighted k-means of the occupied
cells over all pixels of all readable images, exact where a subsample would be arbitrary, and the totals
follow from the same counts. Everything is seeded and independent of the order in which images were read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets.colours import describe, nearest, to_lab, to_rgb

COUNT = 64
SEED = 0
CELLS = 32
# Part of a data set's digest: another recipe gives other shades.
RECIPE = {"count": COUNT, "seed": SEED, "cells": CELLS, "version": 1}
_ITERATIONS = 100


@dataclass(frozen=True, eq=False)
class Shades:
    """S centres and the table that assigns a colour to one of them.

    Attributes:
        lab: (S, 3) float64 CIELAB centres, by lightness, then hue; S = 64 or, with few colours, less.
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
        totals = np.zeros(len(self), dtype=np.int64)
        np.add.at(totals, self.table.reshape(-1), cells)
        return totals


def cell_of(colours: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Index of the RGB cell of each colour: (..., 3) uint8 -> (...) int32 below 32768."""
    fifth = (colours >> 3).astype(np.int32)
    return (fifth[..., 0] * CELLS + fifth[..., 1]) * CELLS + fifth[..., 2]


def cell_centres() -> NDArray[np.float64]:
    """Centre of every RGB cell in CIELAB, (32768, 3) float64, in `cell_of`'s order."""
    steps = np.arange(CELLS) * 8 + 4
    return to_lab(np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3))


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
    lab = _k_means(centres[occupied], cells[occupied].astype(np.float64), min(count, len(occupied)), seed)
    # Keep what the table can reach: a centre that is nearest to no occupied cell would be an empty shade.
    lab = lab[np.unique(nearest(centres[occupied], lab))]
    hue = np.arctan2(lab[:, 2], lab[:, 1])
    lab = lab[np.lexsort((hue, np.round(lab[:, 0], 3)))]
    table = nearest(centres, lab).astype(np.uint8).reshape(CELLS, CELLS, CELLS)
    return Shades(lab, to_rgb(lab), describe(lab), table)


def _k_means(
    points: NDArray[np.float64], weights: NDArray[np.float64], count: int, seed: int
) -> NDArray[np.float64]:
    """Lloyd's algorithm with a k-means++ start, in float64 and a fixed order of summation."""
    centres = _spread(points, weights, count, np.random.Generator(np.random.PCG64(seed)))
    assigned = nearest(points, centres)
    for _ in range(_ITERATIONS):
        mass = np.bincount(assigned, weights, count)
        sums = np.stack([np.bincount(assigned, weights * axis, count) for axis in points.T], axis=1)
        # An emptied cluster keeps its centre.
        centres = np.where(mass[:, None] > 0, sums / np.maximum(mass, 1.0)[:, None], centres)
        moved = nearest(points, centres)
        if np.array_equal(moved, assigned):
            break
        assigned = moved
    return centres


def _spread(
    points: NDArray[np.float64], weights: NDArray[np.float64], count: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """k-means++: each further centre is drawn with the probability of its weighted squared distance."""
    chosen = [int(np.argmax(weights))]
    distance = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < count:
        reach = np.cumsum(weights * distance)
        # Distances of distinct points are positive, so a draw never repeats a chosen one.
        chosen.append(int(np.searchsorted(reach, random.random() * reach[-1], side="right")))
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return points[chosen]
