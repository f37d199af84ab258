"""Addresses: of the pages and of the own routes beside them, and the parameters of the present one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import urlencode

import streamlit as st
from streamlit import config

API = "/api"
Parameters = dict[str, list[str]]

_seen: ContextVar[Parameters | None] = ContextVar("parameters", default=None)


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


def parameters() -> Mapping[str, list[str]]:
    """The present address's parameters: name -> its values, in the order of the address."""
    seen = _seen.get()
    return _read() if seen is None else seen


def write(after: Parameters) -> None:
    """Put these parameters in place of the present ones, as one entry of the browser's history."""
    st.query_params.from_dict(after)
    seen = _seen.get()
    if seen is not None:
        seen.clear()
        seen.update(_read())


@contextmanager
def read_once() -> Iterator[None]:
    """Ask Streamlit for the parameters once for all that is read until the end of the block."""
    token = _seen.set(_read())
    try:
        yield
    finally:
        _seen.reset(token)


def _read() -> Parameters:
    return {name: st.query_params.get_all(name) for name in st.query_params}
