"""How much memory the sums of a pass take, and which layers are therefore counted in one pass.

A pass over the images holds a histogram of each unit, or a row of counts over all concepts, for every layer
that it looks at. EfficientNet-v2-L has 375,840 units: on Broden's 1,197 concepts that is 2 GB. So the layers
are taken in groups, in forward order, each in a pass of its own; most networks are one group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from interpret_core.measures.dissection.brackets import listed_room
from interpret_core.measures.dissection.counts import bins_for
from interpret_core.measures.dissection.histogram import DISPLAY_BINS
from interpret_core.measures.dissection.widths import COUNT

MOST = 640 * 2**20  # bytes that a pass holds of its layers; a single layer is never divided
_COUNT = COUNT(0).nbytes
_WIDE = 8
_LISTED = 40  # bytes of a listed pixel: unit, value, colour, categories, and a label of every map


def counted_bytes(units: int) -> int:
    """Of a layer's histograms, in the first pass."""
    return units * bins_for(units) * _COUNT


def table_bytes(units: int, columns: int) -> int:
    """Of a layer's counts in the second pass, over so many columns, and of its histogram for display."""
    return units * (columns * _COUNT + DISPLAY_BINS * _WIDE)


def listed_bytes(units: int) -> int:
    """Of what the second pass lists of a layer, in all shards together, at most."""
    return units * listed_room(units) * _LISTED


def tallied_bytes(units: int, columns: int, shards: int) -> int:
    """What the second pass holds of a layer, in one of so many shards."""
    return table_bytes(units, columns) + listed_bytes(units) // max(shards, 1)


def grouped(sizes: Mapping[str, int], most: int = MOST) -> list[tuple[str, ...]]:
    """Layers in their order, as many in a group as fit.

    Args:
        sizes: bytes of each layer.
        most: bytes of a group.
    """
    groups: list[list[str]] = []
    held = 0
    for name, size in sizes.items():
        if not groups or held + size > most:
            groups.append([])
            held = 0
        groups[-1].append(name)
        held += size
    return [tuple(group) for group in groups]


def temporary_bytes(units: Iterable[int], columns: int, shards: int) -> int:
    """What the shards of the first two passes take on disk at most, until the results are kept.

    They are written in the narrowest integers that hold them, which is not reckoned with here.

    Args:
        units: of every layer.
        columns: of a tally.
        shards: in a pass.
    """
    layers = list(units)
    tables = sum(counted_bytes(one) + table_bytes(one, columns) for one in layers)
    return shards * tables + sum(map(listed_bytes, layers))
