"""The report on a network (`networks check`), made when asked for, kept by the network's digest."""

from __future__ import annotations

from typing import Any

from interpret_core.networks.examination.report import examination
from ui.session import relevances, results, stored


def _key(digest: str) -> str:
    return f"examination/{digest}"


def kept(name: str) -> dict[str, Any] | None:
    """The report on a registered network, if it has been made.

    Raises:
        UserError: a network that cannot be found; one clear line.
    """
    found = stored.store().get_json(_key(results.subject(name).digest))
    return found if isinstance(found, dict) else None


def made(name: str) -> dict[str, Any]:
    """Load a registered network, examine it and keep the report; downloads nothing.

    Raises:
        UserError: it cannot be loaded; one clear line.
    """
    network = relevances.loaded(name, results.subject(name).digest)
    found = examination(network)
    stored.store().put_json(_key(network.digest), found, needed=False)
    return found
