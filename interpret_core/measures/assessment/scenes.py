"""Which images show one scene: copies of a picture, and frames between which hardly anything moves.

A mask on one of them is no evidence about a mask on the other, so they are held out, and drawn again, as one.
Source: docs/method.md, "What a unit responds to".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

SIDE = 8  # of the thumbnails that are compared
ALIKE = 4.0  # mean difference of their colours, of 255
# Where all pictures are alike (small things on one ground), two differ by little and are yet of two scenes:
# what a picture has of its own is how far it is from the data set's mean.
OWN = 0.25  # part of that, for the middle one of the pictures, that two of one scene may differ by
NOISE = 2.0  # no cell differs by more: one picture, whatever the others are
_ROUNDED = 1e-6  # more than means differ by in their last bits


def scenes(colours: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.int64]:
    """Number the scenes of some images, by the order of their first images.

    Images belong to the scene whose first image they are like: a chain of images that change little from one
    to the next is not one scene.

    Args:
        colours: (N, H·W, 3) uint8, the images on the annotation's grid.
        size: (H, W).
    Returns:
        (N,) the scene of each image.
    """
    small = _thumbnails(colours, size)
    found = np.full(len(small), -1, np.int64)
    limit = _limit(small)
    bright = small.mean(1)
    order = np.argsort(bright, kind="stable")
    ascending = bright[order]
    # Two of one scene differ in the mean of all cells by no more than in the mean difference of cells.
    reach = max(limit / max(small.shape[1], 1), NOISE) + _ROUNDED
    number = 0
    for first in range(len(small)):
        if found[first] < 0:
            ends = np.searchsorted(ascending, [bright[first] - reach, bright[first] + reach])
            near = order[slice(*ends)]
            near = near[found[near] < 0]
            found[near[_alike(small[first], small[near], limit)]] = number
            number += 1
    return found


def _limit(small: NDArray[np.float64]) -> float:
    """By how much, in all cells together, two pictures of one scene may differ."""
    own = np.median(np.abs(small - small.mean(0)).mean(1)) if len(small) else 0.0
    return min(ALIKE, OWN * float(own)) * max(small.shape[1], 1)


def _alike(one: NDArray[np.float64], others: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
    """(n,) which thumbnails show the scene of one."""
    near = cdist(one[None], others, "cityblock")[0] <= limit
    return np.asarray(near | (cdist(one[None], others, "chebyshev")[0] <= NOISE))


def _thumbnails(colours: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float64]:
    """(N, SIDE·SIDE·3) mean colours of a coarse grid's cells."""
    rows, columns = (np.linspace(0, extent, min(SIDE, extent) + 1).astype(int)[:-1] for extent in size)
    areas = np.outer(np.diff(rows, append=size[0]), np.diff(columns, append=size[1]))
    small = np.empty((len(colours), len(rows), len(columns), 3))
    for image, pixels in enumerate(colours):
        sums = np.add.reduceat(pixels.reshape(*size, 3).astype(np.float64), rows, axis=0)
        small[image] = np.add.reduceat(sums, columns, axis=1) / areas[..., None]
    return small.reshape(len(colours), -1)
