"""The search box of every page: it asks the server as somebody types, and no page runs for it."""

from __future__ import annotations

from ui.shell.addresses import prefix
from ui.shell.component import Component
from ui.shell.names import key_of
from ui.shell.state import ENTRY

_component = Component("components/search/search", "components/common/travel.js")
KEPT = (*ENTRY, "pin")  # parameters of the address that what is found carries on
OWN = ("silence", "pin")  # of them, what belongs to the present network and stays with it


def search_box() -> None:
    """Draw its button; the rest opens in the browser."""
    _component(
        key=key_of("search", "everything"),
        data={"address": f"{prefix()}/search", "kept": KEPT},
        width="content",
    )
