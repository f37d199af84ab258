"""The names that this server answers to; a request by any other is refused.

A browser asks whatever address a name leads to. Whoever owns a name can let it lead to this machine and then
read, with a script of their own page, what only this machine or its network may see (DNS rebinding). Such a
request bears the foreign name, and nothing but the `Host` header says so: what a proxy forwards beside it is
the client's word.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import socket
from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config

VARIABLE = "INTERPRET_HOSTS"
ANY = "*"
LOOPBACK = ("localhost", "*.localhost", "ip6-localhost", "ip6-loopback")
_HOST = re.compile(
    r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9_.-]+?)\.?)(?::(?P<port>[0-9]{0,5}))?", re.ASCII
)
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII)
logger = logging.getLogger(__name__)


class KnownHosts:
    """ASGI middleware around everything: pages, own routes, media, uploads, health, websocket."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with status 400 and one line."""
        if scope["type"] in ("http", "websocket"):
            given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
            if not await _known(given):
                answer = PlainTextResponse(refusal(given), 400, {"X-Content-Type-Options": "nosniff"})
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _known(given: list[str]) -> bool:
    name = name_of(given[0]) if len(given) == 1 else None
    if name is None:
        return False
    # The machine's own names may have to be looked up, which takes a while where nobody answers.
    return known(name) or name in await run_in_threadpool(_own_names)


def known(name: str) -> bool:
    """Whether a name is loopback, an address, where the server listens, or among those VARIABLE lists."""
    listening = str(config.get_option("server.address") or "").lower()
    patterns = (*LOOPBACK, listening, *listed(os.environ.get(VARIABLE, ""))[0])
    return _address(name) or any(_fits(name, pattern) for pattern in patterns)


def name_of(host: str) -> str | None:
    """The name or address in a Host header, in small letters, without port and final dot; None for none."""
    found = _HOST.fullmatch(host.lower())
    if found is None or int(found["port"] or 0) > 65535:
        return None
    if found["six"] is not None:
        return found["six"] if _address(found["six"]) else None
    return str(found["name"])


def refusal(given: list[str]) -> str:
    """The line that whoever asked by another name gets."""
    asked = (
        f"{given[0][:100]!a} is no name of this server"
        if len(given) == 1
        else "A request has to name one host"
    )
    return (
        f"{asked}: ask by its address, or add the name to {VARIABLE} (separated by commas; *.example.org for "
        f"all below one, {ANY} for any) and start the server again."
    )


@lru_cache(maxsize=8)
def listed(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The patterns that a value of VARIABLE lists, and its entries that are none.

    Args:
        text: names, `*.name` for all below one, `*` for any; a port does not matter.
    """
    patterns: list[str] = []
    wrong: list[str] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        pattern = _pattern(entry)
        (patterns if pattern else wrong).append(pattern or entry)
    return tuple(patterns), tuple(wrong)


def _pattern(entry: str) -> str:
    """An entry as it is compared; empty where it is neither a name nor an address."""
    if entry == ANY:
        return ANY
    start = "*." if entry.startswith("*.") else ""
    plainly = entry.removeprefix(start)
    if not plainly.isascii():
        try:
            plainly = plainly.encode("idna").decode()  # as browsers write it
        except UnicodeError:
            return ""
    name = name_of(plainly) or ("" if not _address(plainly) else plainly.lower())
    return f"{start}{name}" if name and (_NAME.fullmatch(name) or _address(name)) else ""


def warn() -> None:
    """Say at the start which entries of VARIABLE are left out."""
    for entry in listed(os.environ.get(VARIABLE, ""))[1]:
        logger.warning(
            "%s: %r is left out, expected a host's name, *.name or *: correct it.", VARIABLE, entry
        )


def _fits(name: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return name.endswith(pattern[1:]) and name != pattern[1:]
    return bool(pattern) and pattern in (ANY, name)


def _address(name: str) -> bool:
    """Whether it is written as an address: no name leads there, so nobody can have bent one."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1)
def _own_names() -> frozenset[str]:
    """What this machine calls itself, alone, in its domain and in the local network."""
    short = socket.gethostname()
    names = {short, socket.getfqdn(), f"{short.partition('.')[0]}.local"}
    return frozenset(name.lower().rstrip(".") for name in names if name)


def is_loopback(name: str) -> bool:
    """Whether a name or address means the machine itself, whichever machine that is."""
    try:
        found = ipaddress.ip_address(name)
    except ValueError:
        return any(_fits(name, pattern) for pattern in LOOPBACK)
    return bool((getattr(found, "ipv4_mapped", None) or found).is_loopback)
