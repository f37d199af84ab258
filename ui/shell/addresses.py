"""Addresses of the pages and of the own routes beside them, below the path that the server is told."""

from __future__ import annotations

from urllib.parse import urlencode

from streamlit import config

API = "/api"


def base() -> str:
    """`server.baseUrlPath` with one leading slash, empty for none."""
    path = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


def prefix() -> str:
    """Where the custom routes begin; Streamlit does not put the base path before them."""
    return base() + API


def page(name: str, **parameters: str | int) -> str:
    """Address of a page with this view, for links inside components; empty parameters are left out."""
    query = urlencode({key: value for key, value in parameters.items() if value != ""})
    return f"{base()}/{name}" + (f"?{query}" if query else "")
