"""What never changes is compressed once, and nobody gets what is another's."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ui.server import compression
from ui.server.compression import KeptCompression

PUBLIC = "public, immutable, max-age=31536000"


class Site:
    """Texts by address, as long as `length`, and how often each was asked for within."""

    def __init__(self, caching: str = PUBLIC, length: int = 4096, status: int = 200) -> None:
        self.asked: Counter[str] = Counter()
        self.caching, self.length, self.status = caching, length, status
        self.app = KeptCompression(Starlette(routes=[Route("/{path:path}", self._answer)]))

    def text(self, path: str) -> bytes:
        return (path * self.length)[: self.length].encode()

    def _answer(self, request: Request) -> Response:
        self.asked[request.url.path] += 1
        headers = {"cache-control": self.caching, "etag": '"one"'}
        return Response(self.text(request.url.path), self.status, headers, "text/javascript")

    def get(self, path: str, **headers: str) -> tuple[dict[str, str], bytes]:
        sent: list[Any] = []
        scope = {
            "type": "http",
            "method": headers.pop("method", "GET"),
            "path": path,
            "query_string": b"",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        named = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return named, b"".join(one.get("body", b"") for one in sent[1:])


@pytest.mark.parametrize("path", ["/a.js", "/b.js"])
def test_the_second_visitor_gets_the_same_bytes_without_the_work(path: str) -> None:
    site = Site()
    first, second = (site.get(path, accept_encoding="gzip") for _ in range(2))
    assert first == second
    assert gzip.decompress(second[1]) == site.text(path)
    assert second[0]["content-encoding"] == "gzip"
    assert int(second[0]["content-length"]) == len(second[1])
    assert "accept-encoding" in second[0]["vary"].lower()
    assert site.asked == {path: 1}


@pytest.mark.parametrize(
    "caching", ["no-cache", "private, max-age=31536000, immutable", "public, max-age=60", ""]
)
def test_what_may_change_or_is_somebodys_is_asked_for_each_time(caching: str) -> None:
    site = Site(caching)
    for _ in range(3):
        assert gzip.decompress(site.get("/a.js", accept_encoding="gzip")[1]) == site.text("/a.js")
    assert site.asked == {"/a.js": 3}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"accept_encoding": "gzip", "if_none_match": '"one"'},
        {"accept_encoding": "gzip", "range": "bytes=0-1"},
        {"accept_encoding": "gzip", "method": "HEAD"},
    ],
)
def test_another_kind_of_question_gets_its_own_answer(headers: dict[str, str]) -> None:
    site = Site()
    site.get("/a.js", accept_encoding="gzip")
    site.get("/a.js", **headers)
    assert site.asked == {"/a.js": 2}


def test_failures_are_not_kept() -> None:
    site = Site(status=404)
    site.get("/a.js", accept_encoding="gzip")
    site.get("/a.js", accept_encoding="gzip")
    assert site.asked == {"/a.js": 2}


def test_many_addresses_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "ROOM", 1000)
    site = Site()
    size = len(site.get("/0.js", accept_encoding="gzip")[1])
    for number in range(100):
        site.get(f"/{number}.js", accept_encoding="gzip")
    assert sum(len(answer[1]["body"]) for answer in site.app._kept.values()) <= 1000
    assert len(site.app._kept) >= 1000 // size - 2
    site.get("/99.js", accept_encoding="gzip")
    assert site.asked["/99.js"] == 1, "the latest are kept"
