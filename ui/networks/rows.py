"""The networks that were added here, and those that were removed, with a way back."""

from __future__ import annotations

from interpret_core import config
from interpret_core.errors import UnitscopeError
from interpret_core.network_tables import NetworkTable
from ui.access.told import told
from ui.components.added_rows import added_rows
from ui.session import results
from ui.session.networks import added
from ui.shell.plain import plain
from ui.shell.sidebar import Ask


def rows(ask: Ask | None) -> None:
    """Draw both lists."""
    words = {name: _words(name, table) for name, table in added.folder().tables().items()}
    added_rows(added.ACTS, words, ask.network if ask else "")


def _words(name: str, table: NetworkTable) -> str:
    if config.current().networks.get(name) != table:
        return (
            "unitscope.toml gives this name to another network, which counts: rename that one, or remove this"
        )
    try:
        card = results.card(name)
    except UnitscopeError as error:
        return plain(told(error))
    architecture = table.network.partition("@")[0]
    classes = f"{len(table.classes):,} classes" if table.classes else "no names of classes"
    return f"{plain(architecture)} · {classes} · {plain(card.note)}"
