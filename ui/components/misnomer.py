"""The unit whose label misleads most: what the paper warns of, found by the numbers of whatever is stored."""

from __future__ import annotations

from typing import NamedTuple

from ui.components.palette import unnumbered
from ui.session.layers import Layers


class Misnomer(NamedTuple):
    """A unit that is labelled as one thing and responds to a colour.

    Attributes:
        layer: its name. unit: 0-based.
        label: its best concept, none of the colour names.
        shade: what it responds to, "blue" or "light blue".
        colour, annotation: how well either alone tells where it is active (average precision).
    """

    layer: str
    unit: int
    label: str
    shade: str
    colour: float
    annotation: float


def misnomer(layers: Layers) -> Misnomer | None:
    """The clearest one of a network on a data set; None without an assessment, and where none misleads."""
    if not layers.assessed:
        return None
    found = [
        (one.misleading, name, one) for name, one in layers.sketches.items() if one.misleading is not None
    ]
    if not found:
        return None
    misleading, name, sketch = max(found, key=lambda each: each[0].score)
    unit, shade = misleading.unit, sketch.shade(misleading.unit)
    return Misnomer(
        name,
        unit,
        sketch.label(unit),
        unnumbered(shade[0].name) if shade else "",
        misleading.colour,
        misleading.annotation,
    )
