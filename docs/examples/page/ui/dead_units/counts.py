"""How many units of each layer are dead: the numbers, and the table that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ui.components.table.table import Cell, Column, rows_of, table
from ui.session.view import DEAD, LayerView
from ui.shell import links
from ui.shell.plain import plain
from ui.shell.sidebar import Ask

COLUMNS = (
    Column("Layer", share=2),
    Column("Units", number=True),
    Column("Dead", "Their response is zero everywhere, on every picture.", number=True),
)


class Counted(NamedTuple):
    """A layer."""

    layer: str
    units: int
    dead: int


def counted(layers: Mapping[str, LayerView]) -> list[Counted]:
    """What the profiles of some layers say."""
    return [Counted(name, len(view.state), int((view.state == DEAD).sum())) for name, view in layers.items()]


def sentence(ask: Ask, found: list[Counted]) -> str:
    """What heads the page."""
    units, dead = sum(one.units for one in found), sum(one.dead for one in found)
    where = f"{ask.network} on {ask.dataset}"
    return f"{plain(where)}: {dead:,} of {units:,} units are dead, in {len(found)} layers."


def draw(found: list[Counted]) -> None:
    """A row for each layer; its name leads to its dead units."""
    rows = [
        (
            Cell(one.layer, one.layer, href=links.to("units", layer=one.layer, state="dead")),
            Cell(f"{one.units:,}", one.units),
            Cell(f"{one.dead:,}", one.dead, one.dead / max(1, one.units)),
        )
        for one in found
    ]
    table(rows_of(COLUMNS, rows), "dead_units", "Dead units by layer")
