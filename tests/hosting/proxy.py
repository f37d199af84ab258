"""A real nginx with the instance's configuration, before servers that say what reached them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from hosting import nginx
from hosting.settings import Settings, Unservable


class Recorder(ThreadingHTTPServer):
    """Answers everything with what was asked of it, as JSON."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Recorded)
        self.asked = 0
        self.status = self.ready = 200
        self.caching = "no-cache"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def end(self) -> None:
        """Nobody listens there any more."""
        self.shutdown()
        self.server_close()


class Recorded(BaseHTTPRequestHandler):
    server: Recorder

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.server.asked += 1
        told = {"port": self.server.port, "path": self.path, "headers": list(self.headers.items())}
        body = json.dumps(told).encode()
        status = self.server.status
        if self.path.endswith("/api/ready") and self.server.ready != 200:
            status, body = self.server.ready, b"so it says"
        self.send_response(101 if "Upgrade" in self.headers else status)
        self.send_header("Cache-Control", self.server.caching)
        if "Upgrade" in self.headers:
            self.send_header("Connection", "upgrade")
            self.send_header("Upgrade", "websocket")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if "Upgrade" in self.headers else body)

    do_PUT = do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


class Told(NamedTuple):
    """What came back: status, headers in small letters, what the server saw (None where nginx answers)."""

    status: int
    headers: list[tuple[str, str]]
    seen: dict[str, object] | None

    @property
    def cookie(self) -> str:
        """What nginx sets."""
        return next((value for name, value in self.headers if name == "set-cookie"), "")

    def header(self, name: str) -> list[str]:
        """Values of a header as the server saw it."""
        assert self.seen is not None
        pairs = self.seen["headers"]
        assert isinstance(pairs, list)
        return [value for one, value in pairs if one.lower() == name.lower()]


def ask(
    address: tuple[str, int],
    path: str,
    headers: Sequence[tuple[str, str]] = (),
    *,
    method: str = "GET",
    body: bytes = b"",
) -> Told:
    """One request, with exactly these headers besides Host."""
    connection = http.client.HTTPConnection(*address, timeout=20)
    connection.putrequest(method, path)
    for pair in (*headers, *([("Content-Length", str(len(body)))] if body else [])):
        connection.putheader(*pair)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent
        connection.endheaders(body)
    answer = connection.getresponse()
    found = [(name.lower(), value) for name, value in answer.getheaders()]
    text = b"" if answer.status == 101 else answer.read()
    connection.close()
    seen = json.loads(text) if text.startswith(b"{") else None
    return Told(answer.status, found, seen)


@contextlib.contextmanager
def proxied(settings: Settings, ports: Sequence[int], folder: Path) -> Iterator[tuple[str, int]]:
    """nginx before servers on these ports; where it listens."""
    command = nginx.write(settings, ports, folder)
    process = subprocess.Popen(command, env=dict(os.environ))
    where = (settings.address, settings.port)
    try:
        end = time.monotonic() + 20
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(where, 2):
                break
            time.sleep(0.02)
        yield where
    finally:
        process.terminate()
        process.wait(20)


def require_nginx() -> None:
    """Skip where there is none; `.ci/run` installs it."""
    try:
        nginx.program()
    except Unservable as error:
        pytest.skip(str(error))


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    made = folder / "own.pem", folder / "own.key"
    words = ["-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    files = ["-out", str(made[0]), "-keyout", str(made[1])]
    subprocess.run(["openssl", "req", "-x509", *words, *files], check=True, capture_output=True)
    return made
