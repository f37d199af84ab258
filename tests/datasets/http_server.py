"""A web server on 127.0.0.1 that misbehaves as told."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server serves, and what it was asked.

    Attributes:
        content: path -> bytes.
        break_after: for each coming request, bytes of the body before the connection drops; None = all.
        statuses: for each coming request, a status to answer with instead; None = as usual.
        ranges: whether Range is understood.
        etag: version sent along; "" sends none.
        length: whether Content-Length is sent.
        requests: (path, Range or "") of every request.
    """

    content: dict[str, bytes]
    break_after: list[int | None] = field(default_factory=list)
    statuses: list[int | None] = field(default_factory=list)
    ranges: bool = True
    etag: str = '"one"'
    length: bool = True
    requests: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve until the end of the block; `site.url` is the address without a final slash."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requests.append((self.path, self.headers.get("Range", "")))
            status = site.statuses.pop(0) if site.statuses else None
            body = site.content.get(self.path)
            if status or body is None:
                self.send_error(status or 404)
                return
            self._answer(body)

        def _answer(self, body: bytes) -> None:
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(asked[1]) if asked and site.ranges and self.headers["If-Range"] == site.etag else 0
            if start >= len(body) > 0 and start:
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            if site.length:
                self.send_header("Content-Length", str(len(body) - start))
            if site.etag:
                self.send_header("ETag", site.etag)
            self.end_headers()
            stop = site.break_after.pop(0) if site.break_after else None
            self.wfile.write(body[start:] if stop is None else body[start : start + stop])

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
