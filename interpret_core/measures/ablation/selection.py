"""Which units to silence: how many of a layer, and in which order (method §8)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

FRACTIONS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.10, 0.20)
SEEDS = 5  # random controls
TOP, BOTTOM = "top", "bottom"
DIRECTIONS = (TOP, BOTTOM)

Selection = Mapping[str, tuple[int, ...]]  # layer -> units, ascending; no layer without units


def count(fraction: float, units: int) -> int:
    """Units of a layer that a fraction stands for: max(1, round(f·U)), and none for f = 0.

    Args:
        fraction: in [0, 1].
        units: U, at least 1.

    Raises:
        ValueError: a fraction outside [0, 1].
    Source: method §8. Halves are rounded up, so that more is never fewer.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"Expected a fraction from 0 to 1, but got {fraction}.")
    exact = round(fraction * units, 9)  # 0.145·100 is a half, whatever binary fractions make of it
    return min(units, max(1, math.floor(exact + 0.5))) if fraction > 0 else 0


def allot(total: int, units: Sequence[int]) -> list[int]:
    """A number of units over all layers, in proportion to their widths, as whole numbers.

    Args:
        total: from 0 to the sum of units.
        units: U of each layer.

    Returns:
        Per layer, floor(total·U/ΣU) and one more for those with the largest remainders, the first of equal
        ones. The sum is the total.

    Raises:
        ValueError: fewer units than the total.
    Source: the largest-remainder method (Hamilton).
    """
    whole = sum(units)
    if not 0 <= total <= whole:
        raise ValueError(f"Expected a total from 0 to {whole}, but got {total}.")
    if whole == 0:
        return [0 for _ in units]
    given = [total * width // whole for width in units]
    remainders = [total * width % whole for width in units]
    first = sorted(range(len(units)), key=lambda at: (-remainders[at], at))
    for at in first[: total - sum(given)]:
        given[at] += 1
    return given


def ranked(scores: NDArray[np.floating], direction: str) -> NDArray[np.int64]:
    """Units in the order in which they are silenced; of equal scores, the lower unit first.

    Args:
        scores: (U,) finite.
        direction: "top", highest first, or "bottom", lowest first.
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"Expected a direction of {DIRECTIONS}, but got {direction!r}.")
    return np.argsort(-scores if direction == TOP else scores, kind="stable")


def shuffled(units: int, seed: int, place: int) -> NDArray[np.int64]:
    """A random order of a layer's units: one seed's larger fractions hold its smaller ones.

    Args:
        units: U.
        seed: of the control.
        place: the layer's place among the listed ones, so that layers of one width differ.
    """
    return np.random.default_rng([seed, place]).permutation(units).astype(np.int64)


def united(*parts: Selection) -> dict[str, tuple[int, ...]]:
    """Units of several selections, by layer."""
    names = dict.fromkeys(name for part in parts for name in part)
    found = {name: tuple(sorted({unit for part in parts for unit in part.get(name, ())})) for name in names}
    return {name: units for name, units in found.items() if units}
