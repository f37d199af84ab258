"""Compressed answers, where what never changes is compressed once and not for every visitor.

Streamlit's scripts are megabytes that each new browser asks for. Compressing them takes most of a second of
the one processor that a server has, as long as drawing several pages.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST = 1024  # bytes; less is not worth compressing
ROOM = 32 * 2**20  # bytes of compressed answers kept; all of Streamlit's scripts and styles are a third of it
Answer = list[MutableMapping[str, Any]]  # the messages of a response


class KeptCompression:
    """ASGI middleware: gzip for whoever takes it; public answers that never change are kept compressed."""

    def __init__(self, app: ASGIApp) -> None:
        self._compressed = GZipMiddleware(app, minimum_size=LEAST)
        self._kept: OrderedDict[str, Answer] = OrderedDict()
        self._room = ROOM

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or pass the request on and keep the answer."""
        if not _plain(scope):
            await self._compressed(scope, receive, send)
            return
        path = scope["path"]
        if path in self._kept:
            self._kept.move_to_end(path)
            for message in self._kept[path]:
                await send(dict(message))
            return
        seen: Answer = []

        async def through(message: Message) -> None:
            seen.append(
                dict(message, headers=list(message["headers"])) if "headers" in message else dict(message)
            )
            await send(message)

        await self._compressed(scope, receive, through)
        if _lasting(seen):
            self._keep(path, _joined(seen))

    def _keep(self, path: str, answer: Answer) -> None:
        if path in self._kept or len(answer[1]["body"]) > ROOM:
            return
        self._kept[path] = answer
        self._room -= len(answer[1]["body"])
        while self._room < 0:  # one file has many addresses: `//` and `/./` lead to it, too
            self._room += len(self._kept.popitem(last=False)[1][1]["body"])


def _plain(scope: Scope) -> bool:
    """Whether it asks for the whole of something, compressed, whatever its browser has of it already."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    headers = Headers(scope=scope)
    conditional = any(name in headers for name in ("range", "if-none-match", "if-modified-since"))
    return "gzip" in headers.get("accept-encoding", "") and not conditional


def _lasting(seen: Answer) -> bool:
    """Whether it is a whole answer that is everybody's and stays what it is."""
    if not seen or seen[0]["type"] != "http.response.start" or seen[0]["status"] != 200:
        return False
    headers = Headers(raw=seen[0]["headers"])
    caching = {part.strip() for part in headers.get("cache-control", "").split(",")}
    whole = seen[-1]["type"] == "http.response.body" and not seen[-1].get("more_body", False)
    return whole and {"public", "immutable"} <= caching and headers.get("content-encoding") == "gzip"


def _joined(seen: Answer) -> Answer:
    """As two messages, with the length that is known now."""
    body = b"".join(message.get("body", b"") for message in seen[1:])
    headers = [pair for pair in seen[0]["headers"] if pair[0].lower() != b"content-length"]
    start = {**seen[0], "headers": [*headers, (b"content-length", str(len(body)).encode())]}
    return [start, {"type": "http.response.body", "body": body, "more_body": False}]
