"""Who a request or a websocket comes from: by the cookie that Streamlit signed, or by the proxy's header."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from streamlit import auth_util
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from ui.access import settings
from ui.access.roles import Visitor
from ui.access.settings import EMAIL, UNVERIFIED, Access, folded

PROXY_HEADER = "x-unitscope-proxy"
_JOINED = re.compile(r"[,;\s]|@.*@")
_LONGEST = 320  # characters of a name: what an address of mail may have


def visitor(access: Access, asked: HTTPConnection) -> Visitor:
    """Who asks.

    Args:
        access: the settings.
        asked: the request, or the opening of a websocket.
    """
    shown = _named(access, asked)
    if not shown:
        return Visitor("", access.unknown)
    name = folded(shown)
    return Visitor(name, access.role_of(name), shown)


def _named(access: Access, asked: HTTPConnection) -> str:
    """The name that the login gives; empty where nobody is logged in."""
    if access.login == "header":
        return _by_header(access, asked.headers)
    if access.login == "oidc":
        return _by_cookie(access, asked.cookies)
    return ""


def _by_header(access: Access, headers: Headers) -> str:
    given = headers.getlist(access.header)
    if len(given) != 1:  # two are a proxy that adds where it should replace: one is the client's word
        return ""
    told = headers.getlist(PROXY_HEADER)
    # Without a secret the server listens to its own machine alone (`settings`): only the proxy reaches it.
    if access.secret and not (
        len(told) == 1 and hmac.compare_digest(told[0].encode(), access.secret.encode())
    ):
        return ""
    try:
        name = _plain(given[0].encode("latin-1").decode())
    except ValueError:
        return ""
    # Two that were joined on the way: "mallory@elsewhere.org, ada@example.org" would end as ada does.
    return "" if _JOINED.search(name) else name


def _by_cookie(access: Access, given: Mapping[str, str]) -> str:
    secret = get_cookie_secret()

    def signed(name: str) -> bytes | None:
        value = given.get(name)
        return (
            None if value is None else decode_signed_value(secret, name, value.encode("latin-1", "replace"))
        )

    try:
        told: Any = json.loads(auth_util.get_cookie_with_chunks(signed, USER_COOKIE_NAME) or b"null")
    except ValueError:
        return ""
    # The same that Streamlit itself asks for: a cookie of another instance counts for nothing here.
    if not isinstance(told, dict) or told.get("is_logged_in") is not True:
        return ""
    if told.get("origin") != auth_util.get_origin_from_redirect_uri():
        return ""
    # Where a provider lets everybody write any address, only a verified one says who they are.
    if access.claim == EMAIL and told.get("email_verified") not in (True, "true"):
        return ""
    name = _plain(told.get("email" if access.claim == UNVERIFIED else access.claim))
    # The same name at another provider is somebody else.
    return f"{told.get('provider')}:{name}" if name and len(settings.providers()) > 1 else name


def _plain(name: object) -> str:
    """A name as it can be compared and shown; empty where it is none."""
    if not isinstance(name, str) or not name.isprintable() or len(name) > _LONGEST:
        return ""
    return name.strip()
