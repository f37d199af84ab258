"""The few colours a mask consists of, where one mean would be a colour that nothing has."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST = 3
APART = 22.0  # CIELAB units between two clusters: nearer ones are shades of one colour to the eye
LEAST = 0.08  # share of the mask; smaller clusters join the nearest


class ColourCluster(NamedTuple):
    """Pixels of a mask with colours alike.

    Attributes:
        shade: index of its most frequent shade, which stands for it.
        share: of the mask, 0 to 1.
    """

    shade: int
    share: float


def colour_clusters(pixels: NDArray[np.int64], lab: NDArray[np.float64]) -> tuple[ColourCluster, ...]:
    """Join the shades of a mask until what is left differs: Ward's rule, weighted by pixels (Ward 1963).

    Args:
        pixels: (S,) of the mask in each shade.
        lab: (S, 3) the shades' centres in CIELAB.
    Returns:
        At most `MOST`, the largest first; none for an empty mask.
    """
    groups = [[int(shade)] for shade in np.flatnonzero(pixels)]
    mass, centre = pixels[pixels > 0].astype(np.float64), lab[pixels > 0]
    groups, mass, centre = _few(groups, mass, centre)
    while (pair := _pair(mass, centre)) is not None:
        first, second = pair
        mass[first], centre[first] = _joined(mass, centre, first, second)
        groups[first] += groups.pop(second)
        mass, centre = np.delete(mass, second), np.delete(centre, second, axis=0)
    total = int(pixels.sum())
    found = [
        ColourCluster(
            max(group, key=lambda shade: (pixels[shade], -shade)), float(pixels[group].sum()) / total
        )
        for group in groups
    ]
    return tuple(sorted(found, key=lambda one: (-one.share, one.shade)))


def _joined(
    mass: NDArray[np.float64], centre: NDArray[np.float64], first: int, second: int
) -> tuple[float, NDArray[np.float64]]:
    both = mass[first] + mass[second]
    return both, (mass[first] * centre[first] + mass[second] * centre[second]) / both


def _cost(
    mass: NDArray[np.float64], centre: NDArray[np.float64], one: int | None = None
) -> NDArray[np.float64]:
    """What joining each pair adds to the squares within clusters; of `one` with each, where it is given."""
    own = slice(None) if one is None else slice(one, one + 1)
    squared = ((centre[own, None] - centre[None]) ** 2).sum(axis=-1)
    cost = mass[own, None] * mass[None] / (mass[own, None] + mass[None]) * squared
    return cost if one is None else cost[0]


def _few(
    groups: list[list[int]], mass: NDArray[np.float64], centre: NDArray[np.float64]
) -> tuple[list[list[int]], NDArray[np.float64], NDArray[np.float64]]:
    """Join until `MOST` are left; each step changes one row of costs, so a mask of many shades is cheap."""
    left = len(groups)
    if left <= MOST:
        return groups, mass, centre
    cost = _cost(mass, centre)
    np.fill_diagonal(cost, np.inf)
    gone = np.zeros(left, bool)
    while left > MOST:
        first, second = sorted(divmod(int(np.argmin(cost)), len(cost)))
        mass[first], centre[first] = _joined(mass, centre, first, second)
        groups[first] += groups[second]
        gone[second] = True
        row = np.where(gone, np.inf, _cost(mass, centre, first))
        row[first] = np.inf
        cost[first] = cost[:, first] = row
        cost[second] = cost[:, second] = np.inf
        left -= 1
    return (
        [group for group, without in zip(groups, gone, strict=True) if not without],
        mass[~gone],
        centre[~gone],
    )


def _pair(mass: NDArray[np.float64], centre: NDArray[np.float64]) -> tuple[int, int] | None:
    """Which two of a few clusters to join next, the lower first; None where they are large and apart."""
    if len(mass) < 2:
        return None
    distance = np.linalg.norm(centre[:, None] - centre[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    if distance.min() < APART:
        cost = np.where(np.isfinite(distance), _cost(mass, centre), np.inf)
        first, second = divmod(int(np.argmin(cost)), len(mass))
    else:
        first = int(np.argmin(mass))
        if mass[first] >= LEAST * mass.sum():
            return None
        second = int(np.argmin(distance[first]))
    return min(first, second), max(first, second)
