"""The exact threshold of each unit, from its bracket and the responses listed inside it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.dissection.brackets import Brackets


class State(IntEnum):
    """What kind of threshold a unit has."""

    LIVE = 0
    DEAD = 1  # every response is zero
    TIED = 2  # the k-th and the (k+1)-th largest response are equal


@dataclass(frozen=True)
class Thresholds:
    """Per unit (U,).

    Attributes:
        value: float32; a mask is strictly above it.
        state: uint8, a `State`.
    """

    value: NDArray[np.float32]
    state: NDArray[np.uint8]


def wanted_positions(quantile: float, positions: int) -> int:
    """k, the number of positions that shall exceed the threshold: round(quantile · positions)."""
    return round(quantile * positions)


def settle(
    brackets: Brackets,
    extremes: tuple[NDArray[np.float32], NDArray[np.float32]],
    listed: tuple[NDArray[np.int32], NDArray[np.float32]],
    exceeding: NDArray[np.int64],
    wanted: int,
) -> Thresholds:
    """Midpoint between the k-th and the (k+1)-th largest response of each unit.

    Args:
        brackets: of the layer.
        extremes: minimum and maximum (U,) float32 over the data set.
        listed: unit (M,) and value (M,) of every response inside its bracket.
        exceeding: (U,) int64, responses at or above the bracket's high end.
        wanted: k.
    Returns:
        thresholds such that exactly k positions exceed each untied one.
    Source: Bau et al. 2017, section 2.2; exact, where NetDissect-Lite samples. A tie across the cut takes the
        next lower distinct value where the unit's largest values tie (ReLU6), since nothing lies above.
    """
    minimum, maximum = extremes
    units = len(maximum)
    value, state = brackets.low.copy(), np.full(units, State.LIVE, np.uint8)
    order = np.lexsort((-listed[1], listed[0]))
    unit, values = listed[0][order], listed[1][order]
    start = np.searchsorted(unit, np.arange(units + 1))
    for u in range(units):
        if brackets.known[u]:
            state[u] = State.DEAD if minimum[u] == maximum[u] == 0 else State.TIED
            if minimum[u] < maximum[u] and not minimum[u] <= value[u] < maximum[u]:
                state[u] = (
                    State.LIVE
                )  # none or all positions are wanted: the threshold lies outside the values
            continue
        inside = values[start[u] : start[u + 1]]
        value[u], tied = _cut(inside, int(exceeding[u]), wanted, maximum[u], brackets.floor[u])
        state[u] = State.TIED if tied else State.LIVE
    return Thresholds(value, state)


def _cut(
    inside: NDArray[np.float32], above: int, wanted: int, maximum: np.float32, floor: np.float32
) -> tuple[np.float32, bool]:
    """Threshold of one unit; `inside` is sorted from the largest, `above` values lie at or over it."""

    def ranked(rank: int) -> np.float32:
        if rank <= above:
            return maximum
        return inside[rank - above - 1] if rank - above <= len(inside) else floor

    upper, lower = ranked(wanted), ranked(wanted + 1)
    if upper > lower:
        middle = np.float32((float(lower) + float(upper)) / 2)
        return (middle if lower <= middle < upper else lower), False
    if upper == maximum:
        distinct = inside[inside < maximum]
        return (distinct[0] if len(distinct) else floor), True
    return upper, True
