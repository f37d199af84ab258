"""What a visitor may do: each role may what those below it may."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Role(IntEnum):
    """From nothing to everything.

    Attributes:
        NOBODY: not let in.
        ANONYMOUS: browses, follows links, downloads; computes nothing but what a page shows at once.
        VIEWER: ablates live and asks for maps as well.
        MEMBER: starts jobs within a quota, and cancels its own.
        OPERATOR: all jobs, networks, data sets, and clearing.
    """

    NOBODY = 0
    ANONYMOUS = 1
    VIEWER = 2
    MEMBER = 3
    OPERATOR = 4

    @property
    def word(self) -> str:
        """What it is called in settings and on pages."""
        return self.name.lower()


WORDS = {role.word: role for role in Role if role is not Role.NOBODY}


class Visitor(NamedTuple):
    """Who asks.

    Attributes:
        name: address or name from the login, in small letters; empty without a login.
        role: what they may.
        shown: the name as the login spells it.
    """

    name: str
    role: Role
    shown: str = ""


NOBODY = Visitor("", Role.NOBODY)
