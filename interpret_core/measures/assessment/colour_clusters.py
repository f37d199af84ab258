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
    while len(groups) > 1:
        pair = _pair(mass, centre)
        if pair is None:
            break
        first, second = pair
        both = mass[first] + mass[second]
        centre[first] = (mass[first] * centre[first] + mass[second] * centre[second]) / both
        mass[first] = both
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


def _pair(mass: NDArray[np.float64], centre: NDArray[np.float64]) -> tuple[int, int] | None:
    """Which two clusters to join next, the lower first; None where they are few, large and apart."""
    distance = np.linalg.norm(centre[:, None] - centre[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    if len(mass) > MOST or distance.min() < APART:
        cost = mass[:, None] * mass[None] / (mass[:, None] + mass[None]) * distance**2
        first, second = divmod(int(np.argmin(cost)), len(mass))
    else:
        first = int(np.argmin(mass))
        if mass[first] >= LEAST * mass.sum():
            return None
        second = int(np.argmin(distance[first]))
    return min(first, second), max(first, second)
