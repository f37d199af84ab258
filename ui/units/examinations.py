"""The report on a network (`networks check`), made when asked for, kept by the network's digest."""

from __future__ import annotations

from typing import Any

from interpret_core.networks import NetworkSpec
from interpret_core.networks.examination.report import VERSION, examination
from interpret_core.runtime.subjects import noted_as
from ui.session import relevances, results, stored


def _key(digest: str, spec: NetworkSpec) -> str:
    return f"examination/{VERSION}/{noted_as(digest, spec)}"


def kept(name: str) -> dict[str, Any] | None:
    """The report on a registered network, if it has been made.

    Raises:
        UserError: a network that cannot be found; one clear line.
    """
    subject = results.subject(name)
    found = stored.store().get_json(_key(subject.digest, subject.spec))
    # Another name may mean the same network: what its file was found to hold is its own.
    return found | {"findings": list(results.card(name).findings)} if isinstance(found, dict) else None


def made(name: str) -> dict[str, Any]:
    """Load a registered network, examine it and keep the report; downloads nothing.

    Raises:
        UserError: it cannot be loaded; one clear line.
    """
    network = relevances.loaded(name, results.subject(name).digest)
    found = examination(network)
    stored.store().put_json(_key(network.digest, network.spec), found, needed=False)
    return found
