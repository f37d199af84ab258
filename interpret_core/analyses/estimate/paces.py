"""Seconds per step with their spread, and what a sample of an analysis has measured."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from interpret_core.analyses.estimate.timeline import TimedStep

# An interval is never narrower: what was measured may be spread by less than what it stands for. Four of
# five processor times of three networks lay within it, on a busy machine (docs/scale.md).
LEAST, MOST = 0.77, 1.3


@dataclass(frozen=True)
class Pace:
    """Seconds per step.

    Attributes:
        middle: by the clock, the median of what was measured.
        low, high: the smallest and the largest.
        processor: of all threads.
    """

    middle: float = 0.0
    low: float = 0.0
    high: float = 0.0
    processor: float = 0.0

    @classmethod
    def of(cls, steps: Sequence[TimedStep]) -> Pace:
        """Of some steps of one kind; none take no time."""
        paces = [step.wall / step.done for step in steps if step.done]
        if not paces:
            return cls()
        done = sum(step.done for step in steps)
        used = sum(step.processor for step in steps) / done
        return cls(statistics.median(paces), min(paces), max(paces), used)

    def times(self, steps: float) -> Pace:
        """So many of them, or each of so much."""
        return Pace(self.middle * steps, self.low * steps, self.high * steps, self.processor * steps)

    def __add__(self, other: Pace) -> Pace:
        return Pace(
            self.middle + other.middle,
            self.low + other.low,
            self.high + other.high,
            self.processor + other.processor,
        )

    def __sub__(self, other: Pace) -> Pace:
        """What is left of it, at least nothing; as sure as the two together."""
        return Pace(
            max(0.0, self.middle - other.middle),
            max(0.0, self.low - other.high),
            max(0.0, self.high - other.low),
            max(0.0, self.processor - other.processor),
        )

    def widened(self) -> Pace:
        """With an interval that is at least as wide as experience says."""
        return replace(self, low=min(self.low, LEAST * self.middle), high=max(self.high, MOST * self.middle))


@dataclass(frozen=True)
class Measured:
    """What a sample told of an analysis of one network on one data set.

    Attributes:
        images: of the sample.
        concepts: of the data set.
        paces: seconds per step by what a step is (`profiles`, `attributions`, `silences` say which).
        sizes: bytes and other quantities, by name.
    """

    images: int
    concepts: int
    paces: Mapping[str, Pace]
    sizes: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        paces = {name: asdict(pace) for name, pace in self.paces.items()}
        return {
            "images": self.images,
            "concepts": self.concepts,
            "paces": paces,
            "sizes": dict(self.sizes),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Measured:
        """The inverse of `to_json`."""
        paces = {name: Pace(**pace) for name, pace in value["paces"].items()}
        return cls(value["images"], value["concepts"], paces, value["sizes"])


def line(first: tuple[float, Pace], second: tuple[float, Pace], least: float = 0.0) -> tuple[Pace, Pace]:
    """What is always there and what each step adds, from two measurements (steps, seconds) of one thing.

    Processor time tells the two apart, and the clock's seconds of the second are shared out alike: a
    difference of two short times by the clock tells of others who use the machine.

    Args:
        first: with fewer steps.
        second: with more.
        least: that the steps take of the second at least, as a share: where the first one took as long, they
            would be taken to cost nothing.
    """
    (few, less), (many, more) = first, second
    if many <= few:
        return Pace(), more.times(1 / many)
    known = more.processor > 0
    begun, whole = (less.processor, more.processor) if known else (less.middle, more.middle)
    added = (whole - begun) * many / (many - few) / whole if whole > 0 else 1.0
    share = min(max(added, least), 1.0)
    return more.times(1 - share), more.times(share / many)
