"""The report on a network (`networks check`), made when asked for, kept by the network's digest."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interpret_core import networks
from interpret_core.network_tables import network_table
from interpret_core.networks import NetworkSpec
from interpret_core.networks.examination.report import VERSION, examination
from interpret_core.runtime import subjects as identities
from interpret_core.runtime.subjects import noted_as
from ui.session import relevances, results, stored

_one = threading.Lock()  # a network that is being examined fills memory and both cores


def _key(digest: str, spec: NetworkSpec) -> str:
    return f"examination/{VERSION}/{noted_as(digest, spec)}"


def kept(name: str) -> dict[str, Any] | None:
    """The report on a registered network, if it has been made.

    Raises:
        UserError: a network that cannot be found; one clear line.
    """
    subject = results.subject(name)
    found = stored.store().get_json(_key(subject.digest, subject.spec))
    if not isinstance(found, dict):
        return None
    # Another name may mean the same network: what its file was found to hold is its own.
    return found | {"network": name, "findings": list(results.card(name).findings)}


def made(name: str) -> dict[str, Any]:
    """Load a registered network, examine it and keep the report; downloads nothing.

    Raises:
        UserError: it cannot be loaded; one clear line.
    """
    with _one:
        network = relevances.loaded(name, results.subject(name).digest)
        found = examination(network)
        stored.store().put_json(_key(network.digest, network.spec), found, needed=False)
    return found


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
    with _one:
        network = networks.load(name, identities.AUTO, fetch=False, table=table)
        found = examination(network)
        store = stored.store()
        identities.remember(network, store)
        store.put_json(_key(network.digest, network.spec), found, needed=False)
    return found
