"""A small OpenID Connect provider: it asks which of its users one is, and takes one's word for it."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.ui.browser import free_port

CLIENT, SECRET = "unitscope", "of-the-client"


class Provider:
    """Its routes.

    Args:
        address: under which it is reached.
        users: name -> claims.
    """

    def __init__(self, address: str, users: Mapping[str, Mapping[str, Any]]) -> None:
        self._address, self._users = address, users
        self._key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self._codes: dict[str, tuple[str, str]] = {}
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/authorize", self._authorize),
                Route("/approve", self._approve),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
                Route("/leave", self._leave),
            ]
        )

    def _metadata(self, request: Request) -> Response:
        ways = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return JSONResponse(
            {
                "issuer": self._address,
                **{name: f"{self._address}/{way}" for name, way in ways.items()},
                "end_session_endpoint": f"{self._address}/leave",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        ways = (
            f'<p><a href="/approve?{urlencode({**asked, "user": name})}">{name}</a></p>'
            for name in self._users
        )
        return HTMLResponse("<title>Who are you?</title><link rel=icon href=data:,>" + "".join(ways))

    def _approve(self, request: Request) -> Response:
        asked, code = request.query_params, secrets.token_urlsafe(16)
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        self._codes[code] = (asked["nonce"], asked["user"])
        return RedirectResponse(
            f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 302
        )

    async def _token(self, request: Request) -> Response:
        nonce, user = self._codes.pop(str((await request.form())["code"]))
        now = int(time.time())
        claims = {"iss": self._address, "sub": user, "aud": CLIENT, "iat": now, "exp": now + 600}
        signed = jwt.encode(
            {"alg": "RS256", "kid": "one"}, {**claims, "nonce": nonce, **self._users[user]}, self._key
        )
        return JSONResponse(
            {"access_token": "a", "token_type": "Bearer", "id_token": signed, "expires_in": 600}
        )

    def _keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    def _leave(self, request: Request) -> Response:
        return RedirectResponse(request.query_params["post_logout_redirect_uri"], 302)


@contextlib.contextmanager
def providing(users: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A provider on this machine until the block ends; its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    server = uvicorn.Server(
        uvicorn.Config(Provider(address, users).app, host="127.0.0.1", port=port, log_level="warning")
    )
    thread = threading.Thread(target=server.run, name="provider", daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield address
    server.should_exit = True
    thread.join(10)


def secrets_file(provider: str, address: str, cookie_secret: str) -> str:
    """What `secrets.toml` says of a provider, for a server at an address."""
    return (
        f'[auth]\nredirect_uri = "{address}/oauth2callback"\ncookie_secret = "{cookie_secret}"\n'
        f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
        f'server_metadata_url = "{provider}/.well-known/openid-configuration"\n'
    )


def log_in(page: Page, name: str) -> None:
    """From the page that asks to log in, as one of the users."""
    page.get_by_role("link", name="Log in").click()
    page.get_by_role("link", name=name).click()
