"""Which images show one scene: copies of a picture, and frames between which hardly anything moves.

A mask on one of them is no evidence about a mask on the other, so they are held out, and drawn again, as one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

SIDE = 8  # of the thumbnails that are compared
ALIKE = 4.0  # mean difference of their colours, of 255
_ROWS = 256  # compared at once


def scenes(colours: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.int64]:
    """Number the scenes of some images, by the order of their first images.

    Args:
        colours: (N, H·W, 3) uint8, the images on the annotation's grid.
        size: (H, W).
    Returns:
        (N,) the scene of each image.
    """
    small = _thumbnails(colours, size)
    near = [
        csr_array(cdist(small[start : start + _ROWS], small, "cityblock") < ALIKE * small.shape[1])
        for start in range(0, len(small), _ROWS)
    ]
    alike = vstack(near)
    return np.asarray(connected_components(alike, directed=False)[1], np.int64)


def _thumbnails(colours: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float64]:
    """(N, SIDE·SIDE·3) mean colours of a coarse grid's cells."""
    images = len(colours)
    rows, columns = (np.linspace(0, extent, min(SIDE, extent) + 1).astype(int)[:-1] for extent in size)
    sums = np.add.reduceat(colours.reshape(images, *size, 3).astype(np.float64), rows, axis=1)
    sums = np.add.reduceat(sums, columns, axis=2)
    areas = np.outer(np.diff(rows, append=size[0]), np.diff(columns, append=size[1]))
    return np.asarray((sums / areas[..., None]).reshape(images, -1))
