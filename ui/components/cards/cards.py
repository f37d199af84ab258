"""Units as cards: picture, place and numbers, all of it a link. One component, however many cards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ui.shell.component import Component

_component = Component("components/cards/cards", "components/common/travel.js", "components/common/focus.js")


class Card(NamedTuple):
    """One link.

    Attributes:
        href: address that it leads to.
        image: address of its picture, empty for none.
        title, text: as they are; nothing in them formats.
    """

    href: str
    image: str
    title: str
    text: str


def cards(shown: Sequence[Card], key: str) -> None:
    """Draw them, as many beside each other as there is room for."""
    _component(key=key, data={"cards": [list(card) for card in shown]})
