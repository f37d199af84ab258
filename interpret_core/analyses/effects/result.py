"""What single units do for each class, as it was estimated and measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.tables import Row

BOTH_WAYS = 0.01  # of a class's mean probability, below which a change is not called help or harm
COLUMNS = (
    "network",
    "evidence",
    "dataset",
    "layer",
    "unit",
    "class",
    "images",
    "first_order",
    "exact",
    "exact_accuracy",
)


class UnitName(NamedTuple):
    """A unit and where it is."""

    layer: str
    unit: int


@dataclass(frozen=True, eq=False)
class Effects:
    """Changes by silencing single units to zero: V units of all layers side by side, C classes, S silenced.

    Attributes:
        arrays: first_order (V, C) f32, the estimated change of the class's mean probability; strongest (S,)
            i64 into V, by their largest estimate for any class; exact (S, C) f64, the measured change of
            that mean, paired; exact_accuracy (S, C) f64, the measured change of accuracy.
        metadata: network (name, digest, evidence), dataset (name, digest), split, layers [[name, units]],
            classes [[name, images]].
    """

    arrays: Mapping[str, NDArray[Any]]
    metadata: Mapping[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the C classes."""
        return tuple(name for name, _ in self.metadata["classes"])

    @property
    def images(self) -> tuple[int, ...]:
        """n of each class."""
        return tuple(int(n) for _, n in self.metadata["classes"])

    @cached_property
    def units(self) -> tuple[UnitName, ...]:
        """The V units, layer by layer."""
        return tuple(
            UnitName(str(name), unit) for name, units in self.metadata["layers"] for unit in range(units)
        )

    @property
    def first_order(self) -> NDArray[np.float32]:
        """(V, C), the estimates."""
        return self.arrays["first_order"]

    @property
    def strongest(self) -> NDArray[np.int64]:
        """(S,) into V, the strongest estimate first."""
        return self.arrays["strongest"]

    @property
    def exact(self) -> NDArray[np.float64]:
        """(S, C), the measured changes of the mean probability."""
        return self.arrays["exact"]

    @property
    def exact_accuracy(self) -> NDArray[np.float64]:
        """(S, C), the measured changes of accuracy."""
        return self.arrays["exact_accuracy"]

    def two_faced(self) -> NDArray[np.int64]:
        """(T,) into S: units whose silence hurts one class and helps another, each by at least BOTH_WAYS.

        As measured; the first is the one with the largest smaller side: min(largest loss, largest gain).
        """
        sides = np.minimum(-np.nanmin(self.exact, 1), np.nanmax(self.exact, 1))
        order = np.argsort(-sides, kind="stable")
        return order[sides[order] >= BOTH_WAYS]

    def correlation(self) -> float:
        """Pearson's r of estimate and measurement, of all measured units and classes; NaN for too few."""
        estimate, exact = self.first_order[self.strongest].ravel(), self.exact.ravel()
        known = ~np.isnan(exact)
        if known.sum() < 3 or np.std(estimate[known]) == 0 or np.std(exact[known]) == 0:
            return math.nan
        return float(np.corrcoef(estimate[known], exact[known])[0, 1])


def rows(found: Effects) -> Iterator[Row]:
    """All units × classes; the measured change is None where only the estimate is known."""
    places = {int(unit): place for place, unit in enumerate(found.strongest)}
    about = {
        "network": found.metadata["network"]["name"],
        "evidence": found.metadata["network"]["evidence"],
        "dataset": found.metadata["dataset"]["name"],
    }
    for at, unit in enumerate(found.units):
        place = places.get(at)
        for number, name in enumerate(found.classes):
            yield {
                **about,
                "layer": unit.layer,
                "unit": unit.unit,
                "class": name,
                "images": found.images[number],
                "first_order": float(found.first_order[at, number]),
                "exact": None if place is None else float(found.exact[place, number]),
                "exact_accuracy": None if place is None else float(found.exact_accuracy[place, number]),
            }
