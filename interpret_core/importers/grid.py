"""Label maps of any size: one for each category, turned as their picture is, brought to a grid by nearest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets.pictures import turned
from interpret_core.errors import DamagedFileError
from interpret_core.importers.base import NewLabel, Planes
from interpret_core.importers.placement import PictureFacts


def by_category(numbers: NDArray[np.int64], labels: Sequence[NewLabel]) -> Planes:
    """Category -> the map with its own labels alone.

    Args:
        numbers: (h, w) label numbers, 0 = unlabelled.
        labels: all that there may be.
    """
    categories = list(dict.fromkeys(one.category for one in labels))
    if len(categories) == 1:
        return {categories[0]: [numbers]}
    of = {category: [one.number for one in labels if one.category == category] for category in categories}
    return {category: [np.where(np.isin(numbers, own), numbers, 0)] for category, own in of.items()}


def nearest(plane: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.int64]:
    """The label at the centre of each cell of a grid.

    Args:
        plane: (h, w) label numbers.
        size: (H, W) of the grid.

    Returns:
        (H, W): at (Y, X) what stands at (⌊(2Y+1)·h / 2H⌋, ⌊(2X+1)·w / 2W⌋), in integers.
    """
    rows, columns = (
        (2 * np.arange(cells) + 1) * extent // (2 * cells)
        for cells, extent in zip(size, plane.shape, strict=True)
    )
    return plane[rows[:, None], columns[None, :]]


def as_picture(plane: NDArray[np.int64], facts: PictureFacts, path: Path) -> NDArray[np.int64]:
    """A label map in the picture's upright position.

    A photograph that states an orientation is turned when it is read. Its map was drawn on the picture as it
    is stored, or as viewers show it: where these differ in their sides, the map's size tells which. Where
    they do not (half a turn, a mirror image, a square), the map counts as drawn on what viewers show.

    Raises:
        DamagedFileError: the map has the proportions of neither.
    """
    if _alike(plane.shape, facts.size):
        return plane
    if facts.stored != facts.size and _alike(plane.shape, facts.stored):
        return turned(plane, facts.orientation)
    (h, w), (height, width) = plane.shape, facts.size
    raise DamagedFileError(
        f"the annotation of {path} is {h}×{w} pixels and the picture {height}×{width}, expected the same "
        "proportions: one of the two was cut or belongs to another picture."
    )


def _alike(shape: tuple[int, ...], size: tuple[int, int]) -> bool:
    """Whether one size is the other, scaled evenly and rounded to whole pixels."""
    (h, w), (height, width) = shape, size
    return abs(h / height - w / width) <= 1 / height + 1 / width
