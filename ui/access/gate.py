"""The gate before everything that the server answers: pages, own routes, media, uploads, metrics, websocket.

A path is closed unless `_needed` says otherwise; who is let in is written into the request's headers, for the
routes and pages behind (`visitors`), after whatever the client had written there has been taken out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import streamlit
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import auth_util
from streamlit.web.server.server_util import get_cookie_secret

from ui.access import headers, hosts, identity, settings, sign_in, visitors
from ui.access.roles import Role, Visitor
from ui.access.settings import Access
from ui.access.sign_in import ENTER, LOGOUT
from ui.shell.addresses import base

LIVENESS, READINESS = "/_stcore/health", "/api/ready"
METRICS = ("/_stcore/metrics", "/metrics")
METRICS_TOKEN = "INTERPRET_METRICS_TOKEN"
LOGIN = "/auth/login"
OIDC = (LOGIN, LOGOUT, "/oauth2callback")
SCOPE = "unitscope.visitor"  # where the name stands in a scope, for what writes lines about requests
FORWARDED = "x-unitscope-forwarded"  # by our own nginx: the request came to it through another proxy
NEXT = "unitscope_next"  # cookie with the address that somebody came for
_LONGEST = 2000  # characters of it
_WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Gate:
    """ASGI middleware around everything, behind the one that knows the hosts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._plain = headers.plain(headers.policy(inline_scripts()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as whoever asks, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        access = settings.current()
        asked = _Asked(scope, access)
        guarded = self._with_headers(send, asked.https)
        scope[SCOPE] = asked.visitor.name
        answer = asked.answer()
        if answer is not None:
            await answer(scope, receive, guarded)
            return
        scope["headers"] = visitors.written(scope["headers"], asked.visitor, access)
        if scope["type"] == "websocket":
            scope["headers"] = [_of_own_session(pair, asked.visitor.name) for pair in scope["headers"]]
        await self._app(scope, receive, guarded)

    def _with_headers(self, send: Send, https: bool) -> Send:
        async def sent(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message["headers"] = headers.completed(message.get("headers", ()), self._plain, https)
            await send(message)

        return sent


def _of_own_session(pair: tuple[bytes, bytes], name: str) -> tuple[bytes, bytes]:
    """A websocket's header without the session of somebody else, which it would take over by its id alone."""
    if pair[0].lower() != b"sec-websocket-protocol":
        return pair
    entries = pair[1].split(b",")
    session = entries[2].strip().decode("latin-1") if len(entries) > 2 else ""
    return pair if visitors.may_join(session, name) else (pair[0], b",".join(entries[:2]))


class _Asked:
    """One request or opening of a websocket."""

    def __init__(self, scope: Scope, access: Access) -> None:
        self._scope, self._access = scope, access
        self._connection = HTTPConnection(scope)
        self._path = _below(str(scope["path"]))
        self.visitor = identity.visitor(access, self._connection)
        if not access.login and not access.open and self._is_forwarded():
            self.visitor = Visitor("", Role.NOBODY)
        elif not self.visitor.shown and (access.login or access.open):
            self.visitor = self.visitor._replace(name=self._guest())

    def _values(self, name: str) -> Sequence[str]:
        return self._connection.headers.getlist(name)

    @property
    def https(self) -> bool:
        """Whether the browser speaks HTTPS. A client that lies about it makes its own cookies Secure."""
        return self._scope["scheme"] in ("https", "wss") or "https" in self._values("x-forwarded-proto")

    def answer(self) -> Response | None:
        """What is answered here; None where the request passes."""
        access = self._access
        if access.problem:
            return PlainTextResponse(access.problem, 503) if self._path != LIVENESS else None
        if not str(self._scope["path"]).isprintable():  # a route's pattern may match before a last line feed
            return PlainTextResponse("This is no address of this server.", 400)
        if not self._is_own_origin():
            return PlainTextResponse("This comes from a page of another site, and is refused.", 403)
        if self._path == ENTER and access.login == "oidc":
            return self._to_provider()
        needed = self._needed()
        if self.visitor.role >= needed or self._is_metrics_reader():
            return self._back_to_where_they_came_for() if self.visitor.shown else None
        return self._refused(needed)

    def _needed(self) -> Role:
        """The least role that may ask for this."""
        if self._path in (LIVENESS, READINESS):
            return Role.NOBODY
        if self._path in OIDC and self._access.login == "oidc":
            return Role.NOBODY
        if self._path in METRICS:
            return Role.OPERATOR
        if self._scope["type"] == "http" and self._scope["method"] in _WRITES:
            return Role.OPERATOR  # files are uploaded on the pages of networks and data sets alone
        return Role.ANONYMOUS

    def _is_metrics_reader(self) -> bool:
        token = os.environ.get(METRICS_TOKEN, "").strip()
        given = self._values("authorization")
        told = f"Bearer {token}".encode()
        return bool(
            token
            and self._path in METRICS
            and len(given) == 1
            and hmac.compare_digest(given[0].encode("utf-8", "replace"), told)
        )

    def _is_own_origin(self) -> bool:
        """Whether a websocket or a change comes from a page of this server."""
        if self._scope["type"] == "http" and self._scope["method"] not in _WRITES:
            return True
        origins, named = self._values("origin"), self._values("host")
        if not origins:  # no browser
            return True
        return len(origins) == 1 == len(named) and urlsplit(origins[0]).netloc.lower() == named[0].lower()

    def _guest(self) -> str:
        """Who is not logged in is known by address, so that what one does is not counted for all."""
        client = self._scope.get("client")
        address = str(client[0] if client else "").encode()
        return f"guest {hmac.new(str(get_cookie_secret()).encode(), address, 'sha256').hexdigest()[:8]}"

    def _is_forwarded(self) -> bool:
        """Whether it has come through a proxy from another machine; who listens here alone does not know."""
        client = self._scope.get("client")
        forwarded = [part.strip() for value in self._values("x-forwarded-for") for part in value.split(",")]
        peers = [*forwarded, *([client[0]] if client else [])]
        name = hosts.name_of((self._values("host") or [""])[0]) or ""
        return (
            any(not hosts.is_loopback(peer) for peer in peers if peer)
            or bool(self._values("forwarded"))
            or bool(self._values(FORWARDED))
            or not hosts.is_loopback(name)
        )

    def _to_provider(self) -> Response:
        """On to the provider's login; where to go afterwards waits in a cookie."""
        asked = self._connection.query_params
        names = settings.providers()
        name = asked.get("provider", "")
        token = auth_util.encode_provider_token(name if name in names else names[0])
        answer = RedirectResponse(f"{base()}{LOGIN}?provider={token}", 302)
        came_for = own_address(asked.get("next", ""))
        if came_for:
            answer.set_cookie(NEXT, came_for, 600, path=base() or "/", httponly=True, samesite="lax")
        return answer

    def _back_to_where_they_came_for(self) -> Response | None:
        """After a login Streamlit leads to the first page; the link that was followed is kept."""
        kept = self._connection.cookies.get(NEXT)
        if kept is None or not self._is_navigation() or self._path not in ("", "/"):
            return None
        came_for = own_address(kept)
        answer = RedirectResponse(came_for or f"{base()}/", 302)
        answer.delete_cookie(NEXT, path=base() or "/", httponly=True, samesite="lax")
        return answer

    def _is_navigation(self) -> bool:
        """Whether a person opens a page."""
        return (
            self._scope["type"] == "http"
            and self._scope["method"] == "GET"
            and any("text/html" in value for value in self._values("accept"))
        )

    def _refused(self, needed: Role) -> Response:
        access, known = self._access, self.visitor.shown
        if not access.login:
            line = (
                "This server has no login and answers to its own machine alone; this comes from another one. "
                f"Whoever runs it sets up a login (docs/login.md) or {settings.OPEN}=1."
            )
            return PlainTextResponse(line, 403)
        if not self._is_navigation():
            line = f"This needs the role {needed.word}." if known else "Log in first."
            if known and self.visitor.role is Role.NOBODY:
                line = " ".join(filter(None, (sign_in.unlisted(self.visitor), access.contact)))
            return PlainTextResponse(line, 403 if known else 401)
        came_for = own_address(f"{self._scope['path']}?{self._scope['query_string'].decode('latin-1')}")
        if known:
            return HTMLResponse(sign_in.stranger(access, self.visitor), 403, _UNKEPT)
        return HTMLResponse(sign_in.page(access, came_for), 401, _UNKEPT)


_UNKEPT = {"Cache-Control": "no-store"}


def own_address(text: str) -> str:
    """An address of this server's pages, as path and query; empty for every other text."""
    path = text.rstrip("?")
    if not path.startswith(f"{base()}/") or path.startswith("//") or len(path) > _LONGEST:
        return ""
    if "\\" in path or not path.isascii() or not path.isprintable() or " " in path:
        return ""
    return "" if _below(path.partition("?")[0]) in (ENTER, *OIDC) else path


def _below(path: str) -> str:
    """A path below the base path."""
    return path.removeprefix(base()) if path.startswith(f"{base()}/") or path == base() else path


@lru_cache(maxsize=1)
def inline_scripts() -> tuple[str, ...]:
    """Digests of the scripts in Streamlit's own index.html, as a content-security policy names them."""
    text = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
    found = re.findall(r"<script>(.*?)</script>", text, re.S)
    return tuple(
        f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in found
    )
