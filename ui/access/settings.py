"""How visitors are known and what they may, from the environment and Streamlit's `[auth]` secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

from streamlit import auth_util, config
from streamlit.web.server.server_util import get_cookie_secret

from ui.access import hosts
from ui.access.roles import WORDS, Role

OPEN = "INTERPRET_OPEN"
ANONYMOUS = "INTERPRET_ANONYMOUS"
HEADER = "INTERPRET_USER_HEADER"
SECRET = "INTERPRET_PROXY_SECRET"
LOGOUT = "INTERPRET_LOGOUT"
ADDRESS = "INTERPRET_ADDRESS"
CONTACT = "INTERPRET_CONTACT"
PUBLISHED = "INTERPRET_READONLY"
CLAIM = "INTERPRET_CLAIM"
EMAIL, UNVERIFIED = "email", "unverified-email"
PATTERNS = {
    Role.OPERATOR: "INTERPRET_OPERATORS",
    Role.MEMBER: "INTERPRET_MEMBERS",
    Role.VIEWER: "INTERPRET_VIEWERS",
}
NO = ("", "0", "no", "off", "false")
YES = ("1", "yes", "on", "true")
_FIELD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_LEAST_SECRET = 32  # characters

Login = Literal["", "oidc", "header"]


@dataclass(frozen=True)
class Access:
    """The settings, read once.

    Attributes:
        login: how visitors are known: "oidc", "header", or "" for not at all.
        beyond: whether the server is reached from other machines.
        patterns: of names, for each role: `ada@example.org`, `*@example.org` or `*`.
        anonymous: what somebody may who is not logged in, where there is a login.
        open: what everybody may where there is none, beyond localhost.
        header: in which the proxy names the user, in small letters.
        secret: by which the proxy is known; empty where it is known by coming from this machine.
        logout: address at the proxy where one logs out.
        published: whether a finished collection is shown, in which nothing is computed.
        claim: of the token that is the name: EMAIL, which has to be verified, UNVERIFIED, or another one.
        contact: whom to ask: an address of mail or of a page.
        problem: why the server refuses to serve, in a line; empty where it serves.
    """

    login: Login = ""
    beyond: bool = False
    patterns: tuple[tuple[Role, tuple[str, ...]], ...] = ()
    anonymous: Role = Role.NOBODY
    open: Role = Role.NOBODY
    header: str = ""
    secret: str = ""
    logout: str = ""
    contact: str = ""
    published: bool = False
    claim: str = EMAIL
    problem: str = ""

    def role_of(self, name: str) -> Role:
        """The highest role whose patterns fit a name; the one of visitors without a login where none does."""
        for role, patterns in self.patterns:
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                return role
        return self.anonymous

    @property
    def unknown(self) -> Role:
        """What somebody may whom nobody has named."""
        if self.login:
            return self.anonymous
        return self.open if self.beyond or self.open else Role.OPERATOR


def current() -> Access:
    """The settings of this process."""
    names = (OPEN, ANONYMOUS, HEADER, SECRET, LOGOUT, ADDRESS, CONTACT, PUBLISHED, CLAIM, *PATTERNS.values())
    given = tuple((name, os.environ.get(name, "").strip()) for name in names)
    return _read(given, str(config.get_option("server.address") or ""), has_oidc())


def has_oidc() -> bool:
    """Whether Streamlit's secrets name a login provider."""
    return bool(auth_util.get_secrets_auth_section())


def providers() -> list[str]:
    """Names of the login providers; "default" for the only one."""
    section = auth_util.get_secrets_auth_section()
    named = [name for name, value in section.items() if isinstance(value, Mapping) and "client_id" in value]
    return (["default"] if "client_id" in section else []) + named


def folded(name: str) -> str:
    """A name in small letters, those of ASCII alone: folding others would make two people one."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)


def is_loopback(listens: str) -> bool:
    """Whether what is listened on, an address or a unix socket, is reached from its own machine alone."""
    return listens.startswith("unix:") or hosts.is_loopback(listens)


@lru_cache(maxsize=8)
def _read(given: tuple[tuple[str, str], ...], listens: str, oidc: bool) -> Access:
    values = dict(given)
    problems: list[str] = []

    def role(name: str, plain: Role) -> Role:
        value = values[name].lower()
        if value in NO:
            return Role.NOBODY
        if value in YES:
            return plain
        if value not in WORDS:
            problems.append(
                f"{name} is {values[name][:40]!r}, expected 0, 1 or a role ({', '.join(WORDS)}): correct it."
            )
        return WORDS.get(value, Role.NOBODY)

    header = values[HEADER].lower()
    if header and not _FIELD.fullmatch(header):
        problems.append(f"{HEADER} is {header[:40]!r}, expected the name of a header: correct it.")
    login: Login = "header" if header else "oidc" if oidc else ""
    access = Access(
        login=login,
        beyond=not is_loopback(values[ADDRESS] or listens) or not is_loopback(listens),
        patterns=tuple((role, _patterns(values[name])) for role, name in PATTERNS.items()),
        anonymous=role(ANONYMOUS, Role.ANONYMOUS),
        open=role(OPEN, Role.MEMBER),
        header=header,
        secret=values[SECRET],
        logout=values[LOGOUT],
        contact=values[CONTACT],
        published=values[PUBLISHED].lower() not in NO,
        claim=values[CLAIM] or EMAIL,
    )
    problems += _problems(access, listens, oidc)
    return replace(access, problem=problems[0] if problems else "")


def _patterns(text: str) -> tuple[str, ...]:
    """Patterns in small letters; only `*` stands for others, so that no name is a pattern by accident."""
    parts = (folded(part.strip()) for part in text.split(","))
    return tuple(part.replace("[", "[[]").replace("?", "[?]") for part in parts if part)


def _problems(access: Access, listens: str, oidc: bool) -> list[str]:
    """What keeps the server from serving."""
    found = []
    if access.anonymous > Role.VIEWER:
        found.append(f"{ANONYMOUS} is expected to be 0, anonymous or viewer: others have to log in.")
    if access.login and access.open:
        found.append(f"{OPEN} lets everybody in, and a login is set up as well: take one of them away.")
    if access.login == "header" and oidc:
        found.append(f"{HEADER} and [auth] in secrets.toml are both set: take one of the two logins away.")
    if access.login == "header" and access.secret and len(access.secret) < _LEAST_SECRET:
        found.append(f"{SECRET} has fewer than {_LEAST_SECRET} characters: take a longer, random one.")
    if access.login == "header" and not access.secret and not is_loopback(listens):
        found.append(
            f"The login is the header {access.header}, which whoever reaches this port can write themselves: "
            f"listen on 127.0.0.1 behind the proxy, or let the proxy send {SECRET} along (docs/login.md)."
        )
    if access.login and not any(patterns for _, patterns in access.patterns):
        names = ", ".join(PATTERNS.values())
        found.append(f"A login is set up and nobody may come in: name them in {names} (docs/login.md).")
    if access.login == "oidc" and not providers():
        found.append(
            "[auth] in secrets.toml names no provider with a client_id: complete it (docs/login.md)."
        )
    if access.login == "oidc" and len(str(get_cookie_secret())) < _LEAST_SECRET:
        found.append(f"cookie_secret has fewer than {_LEAST_SECRET} characters: take a longer, random one.")
    if access.beyond and not access.login and not access.open:
        found.append(
            "This server would answer to other machines, and has no login: whoever finds it could use it. "
            f"Set up a login (docs/login.md), listen on 127.0.0.1, or let everybody in with {OPEN}=1."
        )
    return found
