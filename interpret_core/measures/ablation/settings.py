"""What to silence: one state of the sliders, as pages, command line and stored results write it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from operator import index
from typing import Any

from interpret_core.errors import ParameterError, unknown
from interpret_core.measures.ablation.selection import DIRECTIONS, TOP
from interpret_core.options import Value

RELEVANCE, IOU, RANDOM, HAND = "relevance", "iou", "random", "hand"
WAYS = (RELEVANCE, IOU, RANDOM, HAND)
INNER, ALL_LAYERS = "inner", "all"
GRAIN, NOISE = 6, 1e-9  # decimals of a fraction; what is left of nothing after sums and differences


@dataclass(frozen=True)
class Setting:
    """Units to silence, and what their responses become.

    Attributes:
        by: what ranks the units of each layer: "relevance" for a class, "iou" with a concept, "random", or
            "hand", nothing but `units`.
        of: the class, or the concept; empty for the others.
        direction: "top" silences the highest ranked, "bottom" the lowest. Of no meaning at random.
        fraction: f of each layer's units, max(1, round(f·U)); none for 0. Kept to a millionth.
        total: in place of the fraction, so many units over all layers, in proportion to their widths.
        seed: of the random order.
        units: (layer, unit) picked by hand; silenced in addition, whatever their layer.
        layers: names where the ranking silences; "inner" spares the first and the last, "all" none.
        value: "zero", or "mean", each unit's mean response over the ranking images and all positions.
    """

    by: str = HAND
    of: str = ""
    direction: str = TOP
    fraction: float = 0.0
    total: int | None = None
    seed: int = 0
    units: tuple[tuple[str, int], ...] = ()
    layers: tuple[str, ...] | str = INNER
    value: str = Value.ZERO.value

    def __post_init__(self) -> None:
        for name, known in (("by", WAYS), ("direction", DIRECTIONS), ("value", list(Value))):
            if getattr(self, name) not in known:
                raise ParameterError(unknown(name, getattr(self, name), known))
        object.__setattr__(self, "fraction", _share(self.fraction))
        if self.total is not None:
            object.__setattr__(self, "total", _whole("total", self.total))
        object.__setattr__(self, "seed", _whole("seed", self.seed))
        if not isinstance(self.of, str):
            raise ParameterError(f"of is {self.of!r}, but expected the name of a class or a concept.")
        if self.by in (RELEVANCE, IOU) and not self.of:
            what = "class" if self.by == RELEVANCE else "concept"
            raise ParameterError(f"Units are to be ranked by {self.by}, but no {what} is named: name one.")
        object.__setattr__(self, "layers", _layers(self.layers))
        object.__setattr__(self, "units", _picked(self.units))

    @property
    def ranking(self) -> bool:
        """Whether it silences anything beside the units picked by hand."""
        return self.by != HAND and (self.fraction > 0 if self.total is None else self.total > 0)

    @property
    def intact(self) -> bool:
        """Whether it silences nothing."""
        return not self.units and not self.ranking

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, texts and lists."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Setting:
        """The inverse of `to_json`; lists become tuples, and what it does not know is left out.

        Raises:
            ParameterError: a value that cannot be meant.
        """
        names = [field.name for field in fields(cls) if field.name in value]
        return cls(**{name: value[name] for name in names})


def _share(value: object) -> float:
    """A fraction in its one spelling: to a millionth, since 3 % and 0.030000000000000002 are the same units.

    More than nothing stays more than nothing: it silences one unit of each layer.
    """
    exact = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    if not 0 <= exact <= 1:
        raise ParameterError(f"fraction is {value!r}, but expected a number from 0 to 1.")
    return max(round(exact, GRAIN), 10.0**-GRAIN) if exact > NOISE else 0.0


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
        raise ParameterError(f"{name} is {value!r}, but expected a whole number of at least 0.")
    return index(value)


def _layers(value: object) -> tuple[str, ...] | str:
    if isinstance(value, str):
        return value if value in (INNER, ALL_LAYERS) else (value,)
    if not isinstance(value, Sequence) or not all(isinstance(name, str) for name in value):
        raise ParameterError(
            f"layers is {value!r}, but expected {INNER!r}, {ALL_LAYERS!r} or names of layers."
        )
    return tuple(value)


def _picked(value: object) -> tuple[tuple[str, int], ...]:
    """Pairs in one order, each once."""
    try:
        pairs = [(layer, index(unit)) for layer, unit in value]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        pairs = [(None, 0)]
    if not all(isinstance(layer, str) for layer, _ in pairs):
        raise ParameterError(f"units is {value!r}, but expected pairs of a layer's name and a whole number.")
    return tuple(sorted(set(pairs)))
