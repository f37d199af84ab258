"""The report on a network, made when it is asked for, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interpret_core import networks
from interpret_core.network_tables import network_table
from interpret_core.runtime import examinations as reports
from interpret_core.runtime.subjects import AUTO
from ui.session import relevances, results, stored
from ui.session.live.queue import turn

PATIENCE = 120.0  # seconds that it waits for its turn, while the page says what it waits for


def kept(name: str) -> dict[str, Any] | None:
    """The report on a registered network, if it has been made.

    Raises:
        UserError: a network that cannot be found; one clear line.
    """
    subject = results.subject(name)
    found = reports.kept(subject.digest, subject.spec, stored.store())
    if found is None:
        return None
    # Another name may mean the same network: where its weights come from, and what its file was found to
    # hold, is its own.
    card = results.card(name)
    return found | {
        "network": name,
        "title": card.title,
        "evidence": card.evidence,
        "note": " ".join(filter(None, [card.note, *card.findings])),
        "findings": list(card.findings),
    }


def made(name: str) -> dict[str, Any]:
    """Load a registered network, examine it and keep the report; downloads nothing.

    Raises:
        UserError: it cannot be loaded; one clear line.
        Busy: it waited in vain for its turn.
    """
    with turn("examination", PATIENCE):
        network = relevances.loaded(name, results.subject(name).digest)
        return reports.examined(network, stored.store())


def of_file(name: str, weights: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Examine a network that is not registered, and keep the report and its digest for when it will be.

    Args:
        name: what it is to be called.
        weights: its file.
        entry: what `unitscope.toml` would say of it, weights apart.

    Raises:
        UserError: it cannot be loaded, or a value in the entry is none; one clear line.
    """
    table = network_table(weights, name, {**entry, "weights": weights.name})
    with turn("examination", PATIENCE):
        network = networks.load(name, AUTO, fetch=False, table=table)
        return reports.examined(network, stored.store())
