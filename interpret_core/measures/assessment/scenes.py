"""Which images show one scene: copies of a picture, and frames between which hardly anything moves.

A mask on one of them is no evidence about a mask on the other, so they are held out, and drawn again, as one.
Source: docs/method.md, "What a unit responds to".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

SIDE = 8  # of the thumbnails that are compared
ALIKE = 4.0  # mean difference of their colours, of 255
# Where all pictures are alike (small things on one ground), two differ by little and are yet of two scenes:
# what a picture has of its own is how far it is from the data set's mean.
OWN = 0.25  # part of that, for the middle one of the pictures, that two of one scene may differ by
NOISE = 2.0  # no cell differs by more: one picture, whatever the others are
_ROUNDED = 1e-6  # more than means differ by in their last bits
_TRAITS = 8  # numbers of a picture by which those that may be like it are found


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
    candidates = _Candidates(small, limit)
    number = 0
    for first in range(len(small)):
        if found[first] < 0:
            near = candidates.of(first, found)
            alike = near[_alike(small[first], small[near], limit)]
            found[alike] = number
            candidates.given(len(alike))
            number += 1
    return found


class _Candidates:
    """Which images may be like one, without looking at all of them: none that is like it is missing.

    Where two pictures' cells differ by d in all together, no sum of them, whatever its signs, differs by
    more; where none differs by more than d, no single one does. Both leave boxes, which trees search. Signs
    are those of the directions in which these pictures differ most, cells those that do. Many pictures that
    are nearly alike and yet of scenes of their own are still compared with each other.

    Args:
        small: (N, cells) thumbnails.
        limit: by how much, in all cells together, two of one scene may differ.
    """

    def __init__(self, small: NDArray[np.float64], limit: float) -> None:
        cells = small.shape[1]
        apart = small - small.mean(0)
        directions = np.linalg.eigh(apart.T @ apart)[1][:, ::-1][:, :_TRAITS]
        sums = apart @ np.where(directions < 0, -1.0, 1.0)
        self._boxes = [(sums, limit + _ROUNDED * cells)]
        if limit < NOISE * cells:  # else whoever differs by noise alone lies in the box of sums
            most = np.argsort(-apart.var(0), kind="stable")[:_TRAITS]
            self._boxes.append((apart[:, most], NOISE + _ROUNDED))
        self._plant(np.arange(len(small)))

    def of(self, image: int, found: NDArray[np.int64]) -> NDArray[np.int64]:
        """Images that have no scene yet, itself among them.

        Args:
            image: one without a scene.
            found: (N,) the scene of each image, -1 for none yet.
        """
        if 2 * self._given > len(self._left):
            self._plant(self._left[found[self._left] < 0])
        near = [
            self._left[tree.query_ball_point(traits[image], reach, p=np.inf, return_sorted=False)]
            for tree, (traits, reach) in zip(self._trees, self._boxes, strict=True)
        ]
        near = [one[found[one] < 0] for one in near]
        return near[0] if len(near) == 1 else np.union1d(*near)

    def given(self, count: int) -> None:
        """Note that so many images more have a scene."""
        self._given += count

    def _plant(self, left: NDArray[np.int64]) -> None:
        """Search among these alone from now on: the others have their scenes."""
        self._left, self._given = left, 0
        self._trees = [KDTree(traits[left]) for traits, _ in self._boxes]


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
