"""Parts of a page that scripts of their own draw in the browser: the one way to register and draw one."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import streamlit as st

from ui.shell.addresses import prefix
from ui.shell.theme import ROOT, asset

# What is drawn travels as bytes: Streamlit walks through other data in search of tables, and writes it twice.
# Its script does not travel with it: Streamlit would send that with every message, which was half of what a
# rerun sends. The browser fetches each once, and keeps it.
_LOAD = """
const {{ drawComponent }} = await import(new URL("{address}", document.baseURI));
export default drawComponent;
"""
# Streamlit imports the loader for each drawing, and a browser answers imports that wait for the same module
# in any order: an earlier drawing could come after a later one, and stay. So drawings say when they were made
# while the loader may still be on its way. Later ones do not: equal data travel once.
EARLY = 60.0  # seconds from the first drawing of a component in a session
_DRAW = "function drawNow("
_IN_ORDER = f"""
const drawnAt = new WeakMap();
export function drawComponent(told) {{
  const data = JSON.parse(new TextDecoder().decode(told.data));
  const root = told.parentElement, before = drawnAt.get(root);
  if (data.made_at < before && before - data.made_at < {EARLY}) return;
  if (data.made_at) drawnAt.set(root, data.made_at);
  return drawNow({{ ...told, data }});
}}
"""
SCRIPTS: dict[str, str] = {}  # of every component, by the name that its address ends with (`server.routes`)


class Written(NamedTuple):
    """Data that were written once, for all who draw the same again."""

    version: str
    text: bytes


def written(data: dict[str, Any]) -> Written:
    """Write what a component draws; NaN is none."""
    text = _json(data)
    return Written(hashlib.sha1(text, usedforsecurity=False).hexdigest()[:16], text)


class Component:
    """A script with its style and markup, `<file>.js`, `.css` and `.html` below `ui/`.

    Made while its module is imported: registered inside a run of a page, a component loses its first click.

    Args:
        file: path from `ui/` without an ending; style and markup may be missing.
        before: paths of scripts that it uses; their styles come with them.
    """

    def __init__(self, file: str, *before: str) -> None:
        script = asset(f"{file}.js")
        start = "export default function("
        if script.count(start) != 1:
            raise ValueError(f"{file}.js is expected to have `{start}` once.")
        shared = "".join(asset(one) for one in before)
        styles = [
            one for one in (*(one.removesuffix(".js") for one in before), file) if _is_there(one, "css")
        ]
        self._first = f"_first_{file}"
        self._mounted: Any = st.components.v2.component(
            f"unitscope_{file.rpartition('/')[2]}",
            html=asset(f"{file}.html") if _is_there(file, "html") else "<i hidden></i>",
            css="".join(asset(f"{one}.css") for one in styles) or None,
            js=_LOAD.format(address=_registered(file, shared + script.replace(start, _DRAW) + _IN_ORDER)),
        )

    def __call__(
        self,
        key: str,
        data: dict[str, Any],
        width: Literal["stretch", "content"] = "stretch",
        more: Written | None = None,
        **events: Callable[[], None],
    ) -> None:
        """Draw it.

        Args:
            key: of the component on the page; what it has told lies under it in the session's state.
            data: what it draws, as JSON takes it; NaN is none.
            width: "stretch" or "content".
            more: more to draw, which the script finds as `data.more`, its version as `data.more_version`.
            events: `on_<name>_change` for each state and event that it tells.
        """
        if self._is_early():
            data = {**data, "made_at": time.time()}
        if more is None:
            told = _json(data)
        else:
            told = _json({**data, "more_version": more.version})[:-1] + b',"more":' + more.text + b"}"
        self._mounted(key=key, data=told, width=width, **events)

    def _is_early(self) -> bool:
        """Whether the browser may still be fetching the script: the session has just begun to draw this."""
        now = time.monotonic()
        return now - float(st.session_state.setdefault(self._first, now)) < EARLY


def _registered(file: str, script: str) -> str:
    """The address of a script; another script has another one."""
    digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()[:16]
    name = f"{file.rpartition('/')[2]}-{digest}.js"
    SCRIPTS[name] = script
    return f"{prefix()}/script/{name}"


def _json(data: dict[str, Any]) -> bytes:
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace")


def _is_there(file: str, ending: str) -> bool:
    return (ROOT / f"{file}.{ending}").is_file()
