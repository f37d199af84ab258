"""What the server writes to stderr: plain lines, or JSON for a collector (`INTERPRET_LOG=json`).

A request's line has its path and never its query: a login's token stands there. Neither has pictures.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from datetime import UTC, datetime
from typing import TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.access.audit import LOGGER as AUDIT
from ui.access.gate import SCOPE

VARIABLE = "INTERPRET_LOG"
ACCESS = "unitscope.access"
CHOICES = ("", "plain", "json")
_SESSION = re.compile(r"/(session|upload_file)/[^/]+")  # who has the id has the session
_UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access")
access = logging.getLogger(ACCESS)


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, message, and the facts of lines that have some."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        facts = getattr(record, "facts", None)
        told |= facts if isinstance(facts, dict) else {"message": record.getMessage()}
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=True, default=str)


def problem() -> str:
    """Why the variable's value is none, in a line; empty where it is one."""
    value = os.environ.get(VARIABLE, "").strip().lower()
    return "" if value in CHOICES else f"{VARIABLE} is {value[:40]!r}, expected plain or json: correct it."


def as_json() -> bool:
    """Whether a collector reads along."""
    return os.environ.get(VARIABLE, "").strip().lower() == "json"


def set_up(stream: TextIO | None = None) -> None:
    """Where the process's lines go; once, at its start.

    Args:
        stream: in place of stderr.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if as_json() else plain)
    for name in (AUDIT, ACCESS):
        own = logging.getLogger(name)
        own.handlers, own.propagate = [handler], False
        own.setLevel(logging.INFO)
    if as_json():
        logging.root.handlers = [handler]
        for name in ("streamlit", *_UVICORN):
            logging.getLogger(name).handlers = [handler]
            logging.getLogger(name).propagate = False


class Logged:
    """ASGI middleware around everything: a line for each request, where a collector reads along."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._on = app, as_json()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, and write down what came of it."""
        if not self._on or scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        start, status = time.monotonic(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"].endswith("response.start"):
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            facts = {
                "kind": scope["type"],
                "method": scope.get("method", "GET"),
                "path": _SESSION.sub(r"/\1/…", scope["path"]),
                "status": status,
                "ms": round(1000 * (time.monotonic() - start)),
                "by": scope.get(SCOPE, ""),
            }
            access.info("%s", facts, extra={"facts": facts})
