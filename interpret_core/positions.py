"""Where the positions of a layer's grid lie in the picture (method §12).

A grid's line of positions lies along one side of the picture, evenly spaced. A point at the share s of that
side, from 0 to 1, lies at the position `steps`·s − `offset`, a fraction between two positions. Nothing here
depends on how large the picture is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Placing(StrEnum):
    """How a layer's grid is laid over the picture.

    Anchored: every position at the centre of its receptive field (Bau et al. 2017, section 2.2). Stretched:
    the grid is spread evenly over the picture, whatever kernels and paddings are.
    """

    ANCHORED = "anchored"
    STRETCHED = "stretched"


# Raise when anchored positions become others, or other responses are turned or lie nowhere: part of the keys
# of results, and of what a page knows of a network without building it.
ANCHORS = 1


def placing_content(placing: str) -> dict[str, object]:
    """What a key holds of it; stretched positions were there before there was a choice."""
    return {} if placing == Placing.STRETCHED else {"positions": [str(placing), ANCHORS]}


class GridLine(NamedTuple):
    """The positions along one side of the picture: `steps` steps fill the side, the first begins `offset` of
    a step before its own centre.
    """

    steps: float
    offset: float

    def share(self, position: float) -> float:
        """Where a position's centre lies, as a share of the picture's side; may lie outside it."""
        return (position + self.offset) / self.steps


class GridLines(NamedTuple):
    """Of a layer's grid: down the picture, and across."""

    rows: GridLine
    columns: GridLine

    @classmethod
    def evenly(cls, grid: tuple[int, int]) -> GridLines:
        """A grid of (h, w) positions stretched over the picture."""
        return cls(GridLine(grid[0], 0.5), GridLine(grid[1], 0.5))

    @classmethod
    def from_note(cls, note: Sequence[Sequence[float]]) -> GridLines:
        """From what `note` gave."""
        return cls(GridLine(*note[0]), GridLine(*note[1]))

    def note(self) -> list[list[float]]:
        """As JSON."""
        return [list(self.rows), list(self.columns)]


def coordinates(line: GridLine, source: int, target: int) -> NDArray[np.float64]:
    """(target,) the position of every pixel's centre, constant beyond the outermost positions.

    Args:
        line: of the positions.
        source: how many there are.
        target: pixels of the side.
    """
    positions = (np.arange(target) + 0.5) * line.steps / target - line.offset
    return np.clip(positions, 0.0, source - 1.0)
