"""Reports on networks (`networks check`), kept in the store by the network's digest.

examination/<version>/<digest>   as `networks.examination.report` makes it
"""

from __future__ import annotations

from typing import Any

from interpret_core.networks import Network, NetworkSpec
from interpret_core.networks.examination.report import VERSION, examination
from interpret_core.runtime.subjects import noted_as, remember
from interpret_core.store.store import Store


def examined(network: Network, store: Store) -> dict[str, Any]:
    """Examine a network; note what it is, and keep the report, where the store can be written.

    Raises:
        NetworkError: as `subjects.remember`.
    """
    found = examination(network)
    remember(network, store)
    store.put_json(_key(network.digest, network.spec), found, needed=False)
    return found


def kept(digest: str, spec: NetworkSpec, store: Store) -> dict[str, Any] | None:
    """The report on a network of this digest, if it has been made.

    Two names may mean one network: `network` and `findings` in it are those of whichever was examined.
    """
    found = store.get_json(_key(digest, spec))
    return found if isinstance(found, dict) else None


def _key(digest: str, spec: NetworkSpec) -> str:
    return f"examination/{VERSION}/{noted_as(digest, spec)}"
