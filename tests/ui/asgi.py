"""Asks an ASGI application as a server would, without one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import unquote

Headers = Iterable[tuple[str, str]]


class Answer(NamedTuple):
    """What came back: of a websocket, 101 where it was let in."""

    status: int
    headers: dict[str, str]
    text: str


def get(
    app: Any,
    target: str,
    headers: Headers = (("host", "127.0.0.1"),),
    kind: str = "http",
    more: Mapping[str, Any] | None = None,
) -> Answer:
    """The answer to `GET target`, or to a websocket's opening.

    Args:
        app: the application.
        target: path and query, percent-encoded.
        headers: names in small letters, in order; a name may come twice.
        kind: "http" or "websocket".
        more: of the scope, in place of what stands there: the method, the client.
    """
    path, _, query = target.partition("?")
    scope = {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
        **(more or {}),
    }
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""} if kind == "http" else {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    if any(message["type"] == "websocket.accept" for message in sent):
        return Answer(101, {}, "")
    start = next(one for one in sent if one["type"].endswith("response.start"))
    body = b"".join(one.get("body", b"") for one in sent if one["type"].endswith("response.body"))
    named = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], named, body.decode())
