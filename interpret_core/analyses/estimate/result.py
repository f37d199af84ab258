"""What an estimate says: seconds of each part with an interval, and bytes of each analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from interpret_core.analyses.estimate.extents import Extent
from interpret_core.analyses.estimate.paces import Pace
from interpret_core.analyses.estimate.request import EstimateRequest
from interpret_core.tables import Row

WHOLE = "all"  # in place of a part's name
MEASURED, THERE = "measured", "in the store"
COLUMNS = (
    "analysis",
    "part",
    "state",
    "seconds",
    "seconds_low",
    "seconds_high",
    "processor_seconds",
    "memory_bytes",
    "disk_bytes",
    "temporary_bytes",
    "traffic_bytes",
)
# Of n workers on cores of their own, n times this is what they gain: the last one to end is waited for, and
# memory is shared. Two of one thread each on two cores gained 1.7 times and more (docs/scale.md).
GAIN = Pace(0.88, 0.75, 1.0, 1.0)


@dataclass(frozen=True)
class PartCost:
    """Seconds of one part of an analysis."""

    analysis: str
    part: str
    pace: Pace


@dataclass(frozen=True)
class Bytes:
    """What an analysis takes beside time, in bytes.

    Attributes:
        memory: of a process that computes it, network and program included.
        disk: of the results that are kept.
        temporary: of shards while it runs, at most.
        traffic: between workers and the process that asks them; 0 where there are none.
    """

    memory: float = 0.0
    disk: float = 0.0
    temporary: float = 0.0
    traffic: float = 0.0


@dataclass(frozen=True)
class AnalysisCost:
    """What one analysis takes.

    Attributes:
        analysis: its name.
        state: `MEASURED`, `THERE`, or why nothing can be said.
        parts: its parts in time.
        bytes: beside it.
        amount: on how much, in words.
    """

    analysis: str
    state: str
    parts: Sequence[PartCost] = ()
    bytes: Bytes = field(default_factory=Bytes)
    amount: str = ""

    @classmethod
    def of(cls, parts: Sequence[PartCost], size: Bytes, amount: str) -> AnalysisCost:
        """One that was measured; where nothing is left to do, it is in the store."""
        there = [part for part in parts if part.pace.middle > 0]
        name = parts[0].analysis
        return cls(name, MEASURED, there, size, amount) if there else cls(name, THERE)

    def after(self, before: AnalysisCost) -> AnalysisCost:
        """The two one after the other, under this one's name."""
        mine, other = vars(self.bytes), vars(before.bytes)
        summed = {name: mine[name] + other[name] for name in ("disk", "traffic")}
        most = {name: max(mine[name], other[name]) for name in ("memory", "temporary")}
        parts = (*before.parts, *self.parts)
        return AnalysisCost(self.analysis, MEASURED, parts, Bytes(**summed, **most), self.amount)

    @property
    def pace(self) -> Pace:
        """Seconds of all parts together, with an interval that experience bears out."""
        return sum((part.pace for part in self.parts), Pace()).widened()

    def rows(self) -> Iterator[Row]:
        """The whole, then its parts."""
        known = self.state == MEASURED
        yield self._row(WHOLE, self.pace if known else None)
        for part in self.parts if len(self.parts) > 1 else ():
            yield self._row(part.part, part.pace.widened())

    def _row(self, part: str, pace: Pace | None) -> Row:
        row: Row = dict.fromkeys(COLUMNS)
        row |= {"analysis": self.analysis, "part": part, "state": self.state}
        if pace is not None:
            row |= {
                "seconds": pace.middle,
                "seconds_low": pace.low,
                "seconds_high": pace.high,
                "processor_seconds": pace.processor,
            }
        if part == WHOLE and pace is not None:
            row |= {f"{name}_bytes": round(value) for name, value in vars(self.bytes).items()}
        return row


@dataclass(frozen=True)
class Estimated:
    """An estimate.

    Attributes:
        request: as asked.
        costs: analysis by analysis.
        facts: what was measured, and where, for a description.
    """

    request: EstimateRequest
    costs: Sequence[AnalysisCost]
    facts: Mapping[str, Any]


def shared(pace: Pace, extent: Extent) -> Pace:
    """Of work that workers share."""
    workers = extent.workers
    if workers < 2:
        return pace
    return Pace(
        pace.middle / (workers * GAIN.middle),
        pace.low / (workers * GAIN.high),
        pace.high / (workers * GAIN.low),
        pace.processor,
    )
