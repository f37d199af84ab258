"""The data sets that were added here, and those that were removed, with a way back."""

from __future__ import annotations

from interpret_core import config
from interpret_core.datasets.classes import lists_classes
from interpret_core.errors import UnitscopeError
from interpret_core.uploads.datasets import AddedDataset
from ui.access.told import told
from ui.components.added_rows import KEPT, added_rows
from ui.session import results
from ui.session.datasets import added
from ui.shell import links
from ui.shell.plain import plain
from ui.shell.sidebar import Ask
from ui.shell.theme import count_text


def rows(ask: Ask | None) -> None:
    """Draw both lists."""
    words = {name: _words(name, table) for name, table in added.folder().tables().items()}
    kept = f"{KEPT} A folder on the server stays as it is."
    added_rows(added.ACTS, words, ask.dataset if ask else "", kept)
    links.link("All data sets and their results →", links.JOBS)


def _words(name: str, table: AddedDataset) -> str:
    if config.current().datasets.get(name) != table.folder:
        return (
            "unitscope.toml or INTERPRET_DATASETS gives this name to another data set, which counts: rename "
            "that one, or remove this"
        )
    try:
        opened = results.dataset(name)
        concepts = len(opened.concepts().concepts) if opened.annotated else 0
    except UnitscopeError as error:
        return plain(told(error))
    classes = "classes, " if lists_classes(opened) else ""
    what = count_text(concepts, "concept") if concepts else f"{classes}no annotated pixels"
    return f"{count_text(len(opened), 'picture')} · {what} · from {plain(table.origin)}"
