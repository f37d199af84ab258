"""What nginx does between a visitor and the servers, by what reaches them."""

from __future__ import annotations

import http.client
import re
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hosting import headers, watch
from hosting.settings import Settings
from tests.hosting.proxy import Recorder, ask, certificate, proxied, require_nginx
from tests.ui.browser import free_port

UPGRADE = (("Upgrade", "websocket"), ("Connection", "Upgrade"))
STREAM = "/unitscope/_stcore/stream"
Where = tuple[str, int]


@pytest.fixture
def servers() -> Iterator[list[Recorder]]:
    """Three of them."""
    require_nginx()
    made = [Recorder() for _ in range(3)]
    yield made
    for one in made:
        one.end()


@pytest.fixture
def where(servers: list[Recorder], tmp_path: Path) -> Iterator[Where]:
    """nginx before them, below /unitscope/."""
    settings = Settings(port=free_port(), base="/unitscope")
    with proxied(settings, [one.port for one in servers], tmp_path) as found:
        yield found


def sent(number: int) -> tuple[tuple[str, str], ...]:
    """The cookie of a browser that is with a server."""
    return (("Cookie", f"other=1; unitscope_server={number}"),)


def test_a_browser_is_given_a_server_and_stays(where: Where, servers: list[Recorder]) -> None:
    first = ask(where, "/unitscope/")
    assert re.fullmatch(r"unitscope_server=[123]; Path=/unitscope/; HttpOnly; SameSite=Lax", first.cookie)
    assert first.seen
    number = int(first.cookie[17])
    assert servers[number - 1].port == first.seen["port"]
    for path in ("/unitscope/", "/unitscope/units?layer=a%2Fb", "/unitscope/api/photo/1.jpg"):
        again = ask(where, path, sent(number))
        assert again.seen
        assert (again.seen["port"], again.seen["path"], again.cookie) == (first.seen["port"], path, "")
    assert ask(where, STREAM, (*UPGRADE, *sent(number))).status == 101
    assert len({str(ask(where, "/unitscope/").cookie) for _ in range(9)}) == 3, "all of them have visitors"


@pytest.mark.parametrize(
    "forged", ["0", "4", "99999999999999999999", "servers", "server2", "1;x", "../2", ""]
)
def test_a_cookie_that_names_no_server_counts_as_none(where: Where, forged: str) -> None:
    found = ask(where, "/unitscope/", (("Cookie", f"unitscope_server={forged}"),))
    assert found.status == 200
    if not forged.startswith("1"):
        assert found.cookie


def test_where_a_server_has_died_its_visitors_go_to_the_next_and_stay(
    where: Where, servers: list[Recorder]
) -> None:
    port, asked = servers[1].port, servers[0].asked
    servers[1].end()
    assert ask(where, "/unitscope/units", sent(2)).seen["port"] == servers[2].port  # type: ignore[index]
    moved = ask(where, STREAM, (*UPGRADE, *sent(2)))
    assert moved.status == 101
    assert moved.cookie == "unitscope_server=3; Path=/unitscope/; HttpOnly; SameSite=Lax"
    servers[1] = Recorder(port)  # back again
    assert ask(where, "/unitscope/units", sent(3)).seen["port"] == servers[2].port  # type: ignore[index]
    assert ask(where, STREAM, (*UPGRADE, *sent(3))).cookie == ""
    assert servers[0].asked == asked, "whoever has another server does not notice"


def test_where_all_are_away_it_says_what_to_do(where: Where, servers: list[Recorder]) -> None:
    for one in servers:
        one.end()
    found = ask(where, "/unitscope/")
    assert found.status == 503
    assert ("retry-after", "3") in found.headers


def test_no_header_of_a_client_speaks_for_a_proxy(where: Where) -> None:
    forged = [(name, "evil") for name in (*headers.CLEARED, *headers.OWN) if name != "Host"]
    odd = [("x-forwarded-USER", "evil"), ("X_Forwarded_User", "evil"), ("X-Forwarded-For", "10.1.1.1")]
    for path in ("/unitscope/", "/unitscope/static/a.js", "/unitscope/_stcore/upload_file/a/b"):
        found = ask(where, path, [*forged, *odd])
        assert "evil" not in str(found.seen)
        assert found.header("X-Forwarded-For") == found.header("X-Real-IP") == ["127.0.0.1"]
        assert found.header("X-Forwarded-Proto") == ["http"]
        assert found.header("Host") == [f"127.0.0.1:{where[1]}"]
    for path in ("/unitscope/api/map/layer/1.png", "/unitscope/api/download/x", "/unitscope/api/ready"):
        assert "evil" not in str(ask(where, path, [*forged, *odd]).seen)


def test_what_lies_beside_and_below(where: Where) -> None:
    assert ask(where, "/").status == 404
    assert ask(where, "/units").status == 404
    away = ask(where, "/unitscope?network=a")
    assert (away.status, dict(away.headers)["location"]) == (301, "/unitscope/?network=a")
    assert ask(where, "/unitscope/_stcore/metrics").status == 404
    assert ask(where, "/api/ready").seen["path"] == "/unitscope/api/ready"  # type: ignore[index]


def test_a_body_has_a_limit_and_an_upload_a_larger_one(where: Where) -> None:
    large = bytes(2 * 2**20)
    assert ask(where, "/unitscope/", method="POST", body=large).status == 413
    assert ask(where, "/unitscope/_stcore/upload_file/a/b", method="PUT", body=large).status == 200
    assert ask(where, "/unitscope/", [("X-Long", "x" * 17_000)]).status == 400
    assert ask(where, f"/unitscope/?silence={'x' * 17_000}").status == 414
    assert ask(where, f"/unitscope/?silence={'x' * 8_000}").status == 200


def test_heavy_routes_have_a_rate(where: Where) -> None:
    found = [ask(where, "/unitscope/api/map/layer/1.png").status for _ in range(450)]
    assert found[:300] == [200] * 300
    assert 429 in found
    assert ask(where, "/unitscope/api/photo/1.jpg").status == 200


def test_public_files_are_kept_and_others_are_not(where: Where, servers: list[Recorder]) -> None:
    def asked() -> int:
        return sum(one.asked for one in servers)

    for caching, times in (("public, max-age=600, immutable", 1), ("max-age=600", 3)):
        for one in servers:
            one.caching = caching
        before = asked()
        for before_it in range(3):
            assert ask(where, f"/unitscope/static/{times}.js", sent(1 + before_it)).status == 200
        assert asked() - before == times


def test_ready_while_one_of_them_is(where: Where, servers: list[Recorder]) -> None:
    servers[0].status = servers[1].status = 503
    assert [ask(where, "/unitscope/api/ready").status for _ in range(4)] == [200] * 4
    assert ask(where, "/unitscope/", sent(1)).seen["port"] == servers[0].port  # type: ignore[index]
    servers[2].status = 503
    assert ask(where, "/unitscope/api/ready").status == 503


def test_slow_and_silent_servers_are_noticed(
    servers: list[Recorder], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(watch, "EVERY", 0.02)
    said: list[str] = []
    watching, start = watch.Watch([one.port for one in servers], "/unitscope", said.append), time.monotonic()
    watching.start()

    def told(line: str) -> bool:
        end = time.monotonic() + 20
        while line not in said and time.monotonic() < end:
            time.sleep(0.01)
        return line in said

    request.addfinalizer(watching.stop)
    servers[1].ready = 503
    assert told("Server 2 is not ready: so it says.")
    servers[1].ready = 200
    assert told("Server 2 is ready again.")
    servers[2].ready = 503
    assert told("Server 3 is not ready: so it says.")
    assert len(said) == 3, "each once"
    servers[0].end()
    end = time.monotonic() + 20
    while watching.silent(servers[0].port, start) < 1 and time.monotonic() < end:
        time.sleep(0.05)
    silent = [watching.silent(one.port, start) for one in servers]
    assert silent[0] == max(silent)
    assert watching.silent(servers[0].port, time.monotonic()) < silent[0], "it has just been started"


def test_a_proxy_that_is_trusted_speaks_for_its_visitors(servers: list[Recorder], tmp_path: Path) -> None:
    said = [("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https")]
    name = ("X-Auth-Email", "ada@lab")
    for at, (proxies, expected) in enumerate(
        [
            (("127.0.0.1",), ("203.0.113.7", "https", True)),
            (("192.0.2.0/24",), ("127.0.0.1", "http", False)),
        ]
    ):
        (folder := tmp_path / str(at)).mkdir()
        settings = Settings(port=free_port(), proxies=proxies, user_headers=("X-Auth-Email", "X-Secret"))
        with proxied(settings, [one.port for one in servers], folder) as where:
            found = ask(where, "/", [*said, ("X-Forwarded-User", "evil")])
            told = found.header("X-Forwarded-For")[0], found.header("X-Forwarded-Proto")[0]
            assert (*told, "Secure" in found.cookie) == expected
            assert found.header("X-Forwarded-User") == []
            assert found.header("X-Auth-Email") == []
            named = ask(where, "/", [*said, name])
            assert named.status == (200 if at == 0 else 403)
            if at == 0:
                assert named.header("X-Auth-Email") == ["ada@lab"]
                # nginx would make one of two: the server has to see both, and takes neither.
                both = ask(where, "/", [name, ("X-Auth-Email", "root@lab")])
                assert sorted(", ".join(both.header("X-Auth-Email")).split(", ")) == ["ada@lab", "root@lab"]
            else:
                assert ask(where, "/", [("X-Secret", "guessed")]).status == 403


def test_tls_is_ended_by_nginx(servers: list[Recorder], tmp_path: Path) -> None:
    pem, key = certificate(tmp_path)
    settings = Settings(port=free_port(), certificate=pem, key=key)
    with proxied(settings, [one.port for one in servers], tmp_path) as where:
        trusting = ssl.create_default_context(cafile=str(pem))
        trusting.check_hostname = False
        connection = http.client.HTTPSConnection(*where, timeout=20, context=trusting)
        connection.request("GET", "/", headers={"X-Forwarded-Proto": "http"})
        answer = connection.getresponse()
        assert b'["X-Forwarded-Proto", "https"]' in answer.read()
        assert str(answer.getheader("set-cookie")).endswith("; SameSite=Lax; Secure")
        connection.close()
        plainly = ask(where, "/units?unit=3")
        assert plainly.status == 301
        assert dict(plainly.headers)["location"] == f"https://127.0.0.1:{where[1]}/units?unit=3"
