"""What `effects` reports: how estimate and measurement agree, and what the strongest units do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from interpret_core import __version__
from interpret_core.analyses.effects.result import BOTH_WAYS, Effects
from interpret_core.numbers import known
from interpret_core.tables import Row, Table, cell

SHOWN = 12
POINTS = 100  # percentage points


def report(found: Effects, verbose: bool) -> Iterator[str | Table]:
    """Lines and a table of the measured units."""
    network, dataset = found.metadata["network"], found.metadata["dataset"]
    yield f"{network['name']} on {dataset['name']}, split {found.metadata['split']}"
    yield f"evidence: {network['evidence']}."
    yield (
        f"of the {len(found.strongest):,} strongest of {len(found.units):,} units, "
        f"{len(found.two_faced()):,} help one class and hurt another, each by at least "
        f"{POINTS * BOTH_WAYS:g} point"
    )
    yield f"estimate and measurement correlate with r = {cell(known(found.correlation()))}"
    yield strongest_table(found, verbose)


def strongest_table(found: Effects, every: bool) -> Table:
    """Measured units: the class that loses most and the one that gains most, in percentage points."""
    numbers = ("unit", "its change", "the other change")
    cells = []
    for place, unit in enumerate(found.strongest.tolist()[: None if every else SHOWN]):
        change = POINTS * found.exact[place]
        worst, best = int(np.nanargmin(change)), int(np.nanargmax(change))
        name = found.units[unit]
        cells.append(
            (
                name.layer,
                name.unit,
                found.classes[worst] if change[worst] < 0 else None,
                f"{change[worst]:+.2f}" if change[worst] < 0 else None,
                found.classes[best] if change[best] > 0 else None,
                f"{change[best]:+.2f}" if change[best] > 0 else None,
            )
        )
    title = "Mean probability by one unit's silence, in points"
    columns = ("layer", "unit", "falls most", "its change", "rises most", "the other change")
    return Table(title, columns, cells, numbers)


def description(found: Effects) -> Row:
    """Everything beside the rows."""
    return {
        "version": __version__,
        **found.metadata,
        "strongest": [list(found.units[int(at)]) for at in found.strongest],
        "two_faced": [list(found.units[int(found.strongest[at])]) for at in found.two_faced()],
        "correlation": known(found.correlation()),
    }
