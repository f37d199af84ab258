"""What the command line shows of an estimate."""

from __future__ import annotations

from collections.abc import Iterator

from interpret_core import __version__
from interpret_core.analyses.estimate.paces import Pace
from interpret_core.analyses.estimate.result import MEASURED, WHOLE, AnalysisCost, Estimated
from interpret_core.sizes import written
from interpret_core.tables import Row, Table

HOUR = 3600.0
COLUMNS = ("analysis", "time", "from", "to", "processor", "memory", "disk", "meanwhile", "traffic", "on")


def report(found: Estimated, verbose: bool) -> Iterator[str | Table]:
    """What it is about, a table of analyses, what is assumed; every part of them where `verbose`."""
    facts = found.facts
    where = f"{facts['device']}, {facts['threads']} threads"
    workers = f", {facts['workers']} workers" if facts["workers"] else ""
    yield (
        f"{facts['network']['name']} on {facts['dataset']['name']}: {facts['images']:,} images, "
        f"{facts['concepts']:,} concepts; {where}{workers}"
    )
    cells = []
    for cost in found.costs:
        cells.append(_cells(cost, WHOLE, cost.pace))
        if verbose and len(cost.parts) > 1:
            cells += [_cells(cost, part.part, part.pace.widened()) for part in cost.parts]
    yield Table("Takes about", COLUMNS, tuple(cells), COLUMNS[1:9])
    yield from (f"{cost.analysis}: {cost.state}" for cost in found.costs if cost.state != MEASURED)


def _cells(cost: AnalysisCost, part: str, pace: Pace) -> tuple[str | None, ...]:
    whole = part == WHOLE
    name = cost.analysis if whole else f"  {part}"
    if cost.state != MEASURED:
        return (name, *[None] * (len(COLUMNS) - 1))
    times = tuple(duration(value) for value in (pace.middle, pace.low, pace.high, pace.processor))
    sizes = vars(cost.bytes).values()
    rest = (*(written(size) if size else None for size in sizes), cost.amount) if whole else [None] * 5
    return (name, *times, *rest)


def duration(seconds: float) -> str:
    """`8 s`, `4 min`, `2.5 h`."""
    if seconds < 90:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 1.5 * HOUR else f"{seconds / HOUR:.1f} h"


def description(found: Estimated) -> Row:
    """What the figures are of."""
    return {"version": __version__, "request": found.request.to_json(), **found.facts}
