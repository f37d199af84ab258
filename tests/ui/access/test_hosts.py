"""Whoever asks by a name that is not this server's is refused, whatever they ask for."""

from __future__ import annotations

import http.client
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.responses import PlainTextResponse
from streamlit import config

from tests.ui.asgi import Answer, get
from tests.ui.browser import serving
from tests.ui.conftest import server_environment
from ui.access import hosts
from ui.access.hosts import VARIABLE, KnownHosts

LOCAL = [
    "localhost",
    "localhost:8501",
    "LocalHost.",
    "LOCALHOST.:8501",
    "app.localhost",
    "127.0.0.1",
    "127.0.0.1:8501",
    "192.168.1.20:80",
    "0.0.0.0",
    "[::1]",
    "[::1]:8501",
    "[FE80::1]:8501",
    "[::ffff:127.0.0.1]",
]
FOREIGN = [
    "evil.example",
    "evil.example:8501",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io:8501",
    "evillocalhost",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "localhost@evil.example",
    "evil.example#localhost",
    "localhost/evil",
    "localhost:8501@evil.example",
    "localhost:port",
    "localhost:99999",
    "localhost:8501:8501",
    "localhost,evil.example",
    "localhost evil.example",
    "localhost..",
    "::1",
    "[::1",
    "[evil.example]",
    "[::1%25lo]",
    "[]",
    "",
    ".",
    ":8501",
    "<script>alert(1)</script>",
    "l\xf3calhost",
]


async def anything(scope: Any, receive: Any, send: Any) -> None:
    """An application that lets everybody in."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await PlainTextResponse("in")(scope, receive, send)


def ask(*given: str, kind: str = "http", more: tuple[tuple[str, str], ...] = ()) -> Answer:
    headers = [*(("host", host) for host in given), *more]
    return get(KnownHosts(anything), "/", headers, kind)


@pytest.fixture(autouse=True)
def _nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(socket, "gethostname", lambda: "Workstation")
    monkeypatch.setattr(socket, "getfqdn", lambda: "workstation.lab.example.")
    hosts._own_names.cache_clear()


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("host", [*LOCAL, "workstation", "WORKSTATION:8501", "workstation.lab.example"])
def test_own_names_and_addresses(host: str, kind: str) -> None:
    assert ask(host, kind=kind).status == (200 if kind == "http" else 101)


def test_the_name_in_the_local_network() -> None:
    assert ask("workstation.local:8501").status == 200
    assert ask("other.local").status == 400


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("host", FOREIGN)
def test_others_are_refused_in_one_line(host: str, kind: str) -> None:
    answer = ask(host, kind=kind)
    assert answer.status == 400
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert VARIABLE in answer.text
    assert answer.text.isascii()
    assert len(answer.text.splitlines()) == 1


def test_no_host_two_hosts_and_what_is_said_beside_it() -> None:
    assert ask().status == 400
    assert ask("localhost", "evil.example").status == 400
    assert ask("evil.example", "localhost").status == 400
    beside = (("x-forwarded-host", "localhost"), ("forwarded", "host=localhost"), ("x-host", "localhost"))
    assert ask("evil.example", more=beside).status == 400
    assert ask("localhost", more=(("x-forwarded-host", "evil.example"),)).status == 200


@pytest.mark.parametrize(
    ("named", "let_in", "refused"),
    [
        ("unitscope.example.org", ["unitscope.example.org", "Unitscope.Example.ORG.:443"], ["example.org"]),
        ("Unitscope.Example.org.:8443", ["unitscope.example.org"], ["x.unitscope.example.org"]),
        ("*.example.org", ["a.example.org", "a.b.example.org:80"], ["example.org", "evilexample.org"]),
        (" a.example , b.example ,", ["a.example", "b.example", "localhost"], ["c.example"]),
        ("bücher.example", ["xn--bcher-kva.example"], ["bucher.example"]),
        ("lab_server", ["lab_server:8501"], ["lab-server"]),
        ("*", ["evil.example", "a"], ["a b", "", "localhost:x"]),
        ("https://a.example/, *a.example, *.", ["localhost"], ["a.example", "b.a.example", "x"]),
    ],
)
def test_names_that_are_listed(
    monkeypatch: pytest.MonkeyPatch, named: str, let_in: list[str], refused: list[str]
) -> None:
    monkeypatch.setenv(VARIABLE, named)
    assert {host: ask(host).status for host in let_in} == dict.fromkeys(let_in, 200)
    assert {host: ask(host).status for host in refused} == dict.fromkeys(refused, 400)


def test_entries_that_are_none_are_named_at_the_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(VARIABLE, "a.example,https://b.example,c.*.example,*.,a..b")
    with caplog.at_level(logging.WARNING):
        hosts.warn()
    told = [record.getMessage() for record in caplog.records]
    assert [entry for entry in ("https://b.example", "c.*.example", "*.", "a..b") if entry in str(told)] == [
        "https://b.example",
        "c.*.example",
        "*.",
        "a..b",
    ]
    assert len(told) == 4


def test_where_the_server_listens() -> None:
    before = config.get_option("server.address")
    assert ask("box7").status == 400
    config.set_option("server.address", "Box7")
    try:
        assert ask("box7:8501").status == 200
    finally:
        config.set_option("server.address", before)


@pytest.fixture(scope="module")
def served(installation: Path, profiled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of a server that is also called scope.example.org."""
    environment = {
        **server_environment(installation, profiled),
        VARIABLE: "scope.example.org",
        "INTERPRET_OPEN": "1",
    }
    with serving(environment, tmp_path_factory.mktemp("hosts") / "log") as address:
        yield address.removeprefix("http://")


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    "Sec-WebSocket-Protocol": "streamlit",
}


class Way(NamedTuple):
    """A request, and the status it has where it is let in."""

    method: str
    path: str
    headers: dict[str, str]
    status: int


WAYS = {
    "page": Way("GET", "/", {}, 200),
    "deep link": Way("GET", "/units?network=small", {}, 200),
    "another spelling": Way("GET", "/home", {}, 307),
    "own route": Way("GET", "/api/photo/0.jpg?dataset=planted", {}, 200),
    "download": Way("GET", "/api/download/layer.csv?network=small&dataset=planted&layer=conv2", {}, 200),
    "media": Way("GET", "/media/nothing.csv", {}, 404),
    "static": Way("GET", "/app/static/inter-OFL.txt", {}, 200),
    "upload": Way("PUT", "/_stcore/upload_file/a/b", {}, 403),
    "health": Way("GET", "/_stcore/health", {}, 200),
    "websocket": Way("GET", "/_stcore/stream", UPGRADE, 101),
}


def request(served: str, host: str, way: Way) -> tuple[int, str]:
    connection = http.client.HTTPConnection(served, timeout=30)
    connection.putrequest(way.method, way.path, skip_host=True)
    for name, value in {"Host": host, **way.headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    text = "" if answer.status == 101 else answer.read().decode(errors="replace")
    connection.close()
    return answer.status, text


@pytest.mark.thorough
@pytest.mark.parametrize("way", WAYS)
def test_everything_a_server_answers(served: str, way: str) -> None:
    for host in (served, served.replace("127.0.0.1", "localhost"), "scope.example.org"):
        assert request(served, host, WAYS[way])[0] == WAYS[way].status
    status, text = request(served, "evil.example", WAYS[way])
    assert status == 400
    assert text.startswith("'evil.example' is no name of this server")


def test_behind_a_proxy_that_passes_the_public_name(served: str) -> None:
    plainly = WAYS["websocket"]
    proxied = plainly._replace(headers={**UPGRADE, "Origin": "https://scope.example.org"})
    rebound = plainly._replace(headers={**UPGRADE, "Origin": "http://evil.example"})
    assert request(served, "scope.example.org", proxied)[0] == 101
    assert request(served, "evil.example", rebound)[0] == 400
    assert request(served, served, rebound)[0] == 403, "a foreign page at the right address"
