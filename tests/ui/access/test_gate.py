"""Everything that is asked passes the gate: who may what, called directly, without a server."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from streamlit import auth_util, config
from streamlit.runtime.secrets import AttrDict
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from tests.ui.access.conftest import SECRET
from tests.ui.asgi import Answer, get
from ui.access import gate, settings, visitors
from ui.access.gate import Gate, own_address
from ui.access.roles import Role

HOST = ("host", "scope.example.org")
PAGE = ("accept", "text/html,*/*")
ORIGIN = "https://scope.example.org"
OIDC = AttrDict({"client_id": "x", "redirect_uri": f"{ORIGIN}/oauth2callback", "cookie_secret": SECRET})
ROLES = {
    "INTERPRET_OPERATORS": "root@example.org",
    "INTERPRET_MEMBERS": "ada@example.org, *@lab.example.org",
    "INTERPRET_VIEWERS": "*@example.org",
}
Environment = pytest.MonkeyPatch


pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
def oidc(alone: None, monkeypatch: Environment) -> None:
    monkeypatch.setattr(auth_util, "get_secrets_auth_section", lambda: OIDC)
    monkeypatch.setattr(settings, "get_cookie_secret", lambda: SECRET)
    monkeypatch.setattr("ui.access.identity.get_cookie_secret", lambda: SECRET)
    for name, value in ROLES.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def header(alone: None, monkeypatch: Environment) -> None:
    monkeypatch.setenv(settings.HEADER, "X-Email")
    for name, value in ROLES.items():
        monkeypatch.setenv(name, value)


async def inside(scope: Any, receive: Any, send: Any) -> None:
    """What lies behind: says who asks."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    told = [value.decode() for name, value in scope["headers"] if name == visitors.HEADER.encode()]
    found = visitors._read(told)
    beside = [name.decode() for name, _ in scope["headers"]]
    text = json.dumps({"name": found.name, "role": found.role.word, "headers": beside})
    await PlainTextResponse(text, headers={"Set-Cookie": "a=b; Path=/"})(scope, receive, send)


def ask(target: str, *more: tuple[str, str], kind: str = "http", method: str = "GET", **scope: Any) -> Answer:
    return get(Gate(inside), target, (HOST, *more), kind, {"method": method, **scope})


def who(answer: Answer) -> tuple[str, str]:
    told = json.loads(answer.text)
    return told["name"], told["role"]


def cookie(claims: Mapping[str, Any], secret: str = SECRET, origin: str = ORIGIN) -> tuple[str, str]:
    """The one that Streamlit sets after a login."""
    told = {"origin": origin, "is_logged_in": True, "provider": "default", "email_verified": True, **claims}
    signed = create_signed_value(secret, "_streamlit_user", json.dumps(told))
    return "cookie", f"other=1; _streamlit_user={signed.decode()}"


def test_alone_on_ones_own_machine_everything_is_allowed() -> None:
    local = (("host", "localhost:8501"),)
    answer = get(Gate(inside), "/units", local)
    assert who(answer) == ("", "operator")
    assert get(Gate(inside), "/_stcore/stream", local, "websocket").status == 101


@pytest.mark.parametrize("target", ["/", "/units", "/api/photo/1.jpg", "/media/x.png", "/_stcore/metrics"])
@pytest.mark.parametrize(
    "more", [(), (("x-forwarded-for", "10.0.0.7"),), (("x-forwarded-for", "127.0.0.1, ::1, 10.1.1.1"),)]
)
def test_without_a_login_a_request_from_elsewhere_is_refused(
    target: str, more: tuple[tuple[str, str], ...]
) -> None:
    """A proxy before a server that listens to its own machine alone."""
    hosts = (HOST,) if not more else (("host", "127.0.0.1:8501"),)
    for kind in ("http", "websocket"):
        answer = get(Gate(inside), target, (*hosts, *more), kind)
        assert answer.status == 403
        assert settings.OPEN in answer.text
    client = get(Gate(inside), target, (("host", "127.0.0.1"),), "http", {"client": ("10.0.0.7", 1)})
    assert client.status == 403


@pytest.mark.parametrize("listens", ["0.0.0.0", "", "192.168.0.7", "::"])
def test_beyond_localhost_without_a_login_nothing_is_served(monkeypatch: Environment, listens: str) -> None:
    real = config.get_option
    monkeypatch.setattr(
        config, "get_option", lambda name: listens if name == "server.address" else real(name)
    )
    assert "has no login" in settings.current().problem
    assert ask("/").status == 503
    assert ask("/_stcore/stream", kind="websocket").status == 503
    monkeypatch.setenv(settings.OPEN, "1")
    assert settings.current().problem == ""
    assert who(ask("/"))[1] == "member"
    assert ask("/_stcore/metrics").status == 403, "not an operator"
    monkeypatch.setenv(settings.OPEN, "operator")
    assert who(ask("/_stcore/metrics"))[1] == "operator"
    monkeypatch.setenv(settings.OPEN, "anybody")
    assert "expected 0, 1 or a role" in settings.current().problem


def test_who_lets_everybody_in_behind_a_proxy_makes_nobody_an_operator(monkeypatch: Environment) -> None:
    monkeypatch.setenv(settings.OPEN, "1")
    assert who(ask("/", ("x-forwarded-for", "10.0.0.7")))[1] == "member"
    assert who(get(Gate(inside), "/", (("host", "127.0.0.1"),)))[1] == "member", "a proxy that says nothing"


def test_guests_are_told_apart_by_address(monkeypatch: Environment) -> None:
    monkeypatch.setenv(settings.OPEN, "1")
    names = {who(ask("/", client=(address, 1)))[0] for address in ("10.0.0.7", "10.0.0.8", "10.0.0.7")}
    assert len(names) == 2
    assert all(re.fullmatch("guest [0-9a-f]{8}", name) for name in names), "and no address is told"


def test_a_public_address_in_front_counts_like_listening_there(monkeypatch: Environment) -> None:
    monkeypatch.setenv(settings.ADDRESS, "0.0.0.0")
    assert "has no login" in settings.current().problem


@pytest.mark.usefixtures("oidc")
@pytest.mark.parametrize(
    ("claims", "name", "role"),
    [
        ({"email": "root@example.org"}, "root@example.org", Role.OPERATOR),
        ({"email": "Ada@Example.org"}, "ada@example.org", Role.MEMBER),
        ({"email": "bob@lab.example.org", "email_verified": True}, "bob@lab.example.org", Role.MEMBER),
        ({"email": "eve@example.org"}, "eve@example.org", Role.VIEWER),
    ],
)
def test_who_is_logged_in_has_the_role_of_their_name(claims: dict[str, Any], name: str, role: Role) -> None:
    answer = ask("/", cookie(claims))
    assert who(answer) == (name, role.word)
    assert ask("/_stcore/stream", cookie(claims), kind="websocket").status == 101
    assert ask("/_stcore/metrics", cookie(claims)).status == (200 if role is Role.OPERATOR else 403)
    upload = ask("/_stcore/upload_file/a/b", cookie(claims), method="PUT")
    assert upload.status == (200 if role is Role.OPERATOR else 403)


@pytest.mark.usefixtures("oidc")
@pytest.mark.parametrize(
    "forged",
    [
        cookie({"email": "root@example.org"}, secret="f" * 64),
        cookie({"email": "root@example.org"}, origin="https://other.example.org"),
        cookie({"email": "root@example.org", "is_logged_in": False}),
        cookie({"email": "root@example.org", "email_verified": False}),
        cookie({"email": "root@example.org", "email_verified": None}),
        cookie({"email": "root@example.org", "email_verified": "False"}),
        cookie({"preferred_username": "root@example.org"}),
        cookie({"email": ["root@example.org"]}),
        cookie({"email": "root@example.org\n"}),
        cookie({}),
        ("cookie", '_streamlit_user={"email": "root@example.org", "is_logged_in": true}'),
        ("cookie", "_streamlit_user=chunks-2; _streamlit_user_1=x"),
        ("x-email", "root@example.org"),
        (visitors.HEADER, '["root@example.org", 4, "root@example.org"]'),
        (visitors.HEADER, "%5B%22root%40example.org%22%2C%204%2C%20%22root%22%5D"),
        ("authorization", "Bearer "),
    ],
)
def test_nobody_is_let_in_by_what_they_say_themselves(forged: tuple[str, str]) -> None:
    assert ask("/api/search", forged).status == 401
    assert ask("/_stcore/stream", forged, kind="websocket").status == 401
    assert ask("/_stcore/metrics", forged).status == 401


@pytest.mark.usefixtures("oidc")
def test_a_name_that_nobody_lists_is_told_so() -> None:
    answer = ask("/units?unit=3", cookie({"email": "mallory@<b>.org"}), PAGE)
    assert answer.status == 403
    assert "mallory@&lt;b&gt;.org" in answer.text
    assert "/auth/logout" in answer.text
    assert ask("/api/search", cookie({"email": "mallory@evil.org"})).status == 403


@pytest.mark.usefixtures("oidc")
def test_the_way_in_keeps_the_address_that_was_wanted() -> None:
    wanted = "/units?network=small&layer=conv1&unit=3"
    answer = ask(wanted, PAGE)
    assert answer.status == 401
    assert "next=%2Funits%3Fnetwork%3Dsmall%26layer%3Dconv1%26unit%3D3" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    on = ask("/access/login?next=%2Funits%3Funit%3D3", PAGE)
    assert on.status == 302
    assert on.headers["location"].startswith("/auth/login?provider=")
    assert "unitscope_next=" in on.headers["set-cookie"]
    assert "HttpOnly" in on.headers["set-cookie"]
    named, value = cookie({"email": "ada@example.org"})
    back = ask("/", (named, f"{value}; {on.headers['set-cookie'].partition(';')[0]}"), PAGE)
    assert back.status == 302
    assert back.headers["location"] == "/units?unit=3"
    assert "Max-Age=0" in back.headers["set-cookie"]


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\nSet-Cookie: b=c",
        "/access/login?next=/",
        "/auth/logout",
        "/" + "a" * 3000,
        "",
        "units",
        "/ä",
    ],
)
def test_no_login_leads_to_another_site(address: str) -> None:
    assert own_address(address) == ""


@pytest.mark.usefixtures("oidc")
def test_anonymous_where_allowed_browses_and_no_more(monkeypatch: Environment) -> None:
    monkeypatch.setenv(settings.ANONYMOUS, "1")
    assert who(ask("/units"))[1] == "anonymous"
    assert who(ask("/", cookie({"email": "x@other.org"}))) == ("x@other.org", "anonymous")
    assert ask("/_stcore/upload_file/a/b", method="PUT").status == 401
    assert ask("/_stcore/metrics").status == 401
    monkeypatch.setenv(settings.ANONYMOUS, "member")
    assert settings.ANONYMOUS in settings.current().problem


@pytest.mark.usefixtures("header")
def test_by_the_header_of_a_proxy(monkeypatch: Environment) -> None:
    assert who(ask("/", ("x-email", "ada@example.org"))) == ("ada@example.org", "member")
    told = json.loads(ask("/", ("x-email", "ada@example.org")).text)
    assert "x-email" not in told["headers"], "only the gate's word goes on"
    assert ask("/", PAGE).status == 401
    twice = (("x-email", "root@example.org"), ("x-email", "ada@example.org"))
    assert ask("/", *twice).status == 401, "one of the two is the client's"
    assert ask("/", ("x-email", "")).status == 401
    monkeypatch.setenv(settings.SECRET, SECRET)
    assert ask("/", ("x-email", "root@example.org")).status == 401
    assert ask("/", ("x-email", "root@example.org"), ("x-unitscope-proxy", "no")).status == 401
    right = ask("/", ("x-email", "root@example.org"), ("x-unitscope-proxy", SECRET))
    assert who(right) == ("root@example.org", "operator")
    assert "x-unitscope-proxy" not in json.loads(right.text)["headers"]


@pytest.mark.usefixtures("header")
def test_a_header_that_anybody_can_write_is_no_login(monkeypatch: Environment) -> None:
    real = config.get_option
    monkeypatch.setattr(
        config, "get_option", lambda name: "0.0.0.0" if name == "server.address" else real(name)
    )
    assert settings.SECRET in settings.current().problem
    assert ask("/", ("x-email", "root@example.org")).status == 503
    monkeypatch.setenv(settings.SECRET, "short")
    assert "fewer than 32" in settings.current().problem
    monkeypatch.setenv(settings.SECRET, SECRET)
    assert settings.current().problem == ""


@pytest.mark.parametrize(
    "name",
    ["eve@evil.org, ada@example.org", "eve@evil.org ada@example.org", "eve@evil.org@example.org", "a;b"],
)
def test_names_that_were_joined_on_the_way_are_nobodys(monkeypatch: Environment, name: str) -> None:
    monkeypatch.setenv(settings.HEADER, "X-Email")
    monkeypatch.setenv("INTERPRET_MEMBERS", "*@example.org")
    assert ask("/", ("x-email", "ada@example.org")).status == 200
    assert ask("/", ("x-email", name)).status == 401
    refused = ask("/", ("x-email", "eve@evil.org"))
    assert refused.status == 403
    assert "logged in as eve@evil.org" in refused.text


def test_settings_that_contradict_each_other(monkeypatch: Environment) -> None:
    monkeypatch.setenv(settings.HEADER, "X-Email")
    assert "nobody may come in" in settings.current().problem
    monkeypatch.setenv("INTERPRET_VIEWERS", "*")
    assert settings.current().problem == ""
    monkeypatch.setenv(settings.OPEN, "1")
    assert "take one of them away" in settings.current().problem
    monkeypatch.delenv(settings.OPEN)
    monkeypatch.setenv(settings.HEADER, "X Email:")
    assert "expected the name of a header" in settings.current().problem


@pytest.mark.usefixtures("oidc")
def test_what_patterns_mean(monkeypatch: Environment) -> None:
    monkeypatch.setenv("INTERPRET_VIEWERS", "[ab]@x.org, ?@x.org")
    role = settings.current().role_of
    assert role("a@x.org") is Role.NOBODY
    assert role("[ab]@x.org") is Role.VIEWER
    assert role("?@x.org") is Role.VIEWER
    assert role("ada@example.org.evil.org") is Role.NOBODY


@pytest.mark.usefixtures("oidc")
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (ORIGIN, 101),
        ("http://scope.example.org", 101),
        ("https://evil.example", 403),
        ("https://scope.example.org.evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_a_page_of_another_site_opens_no_websocket(origin: str, status: int) -> None:
    known = cookie({"email": "root@example.org"})
    assert ask("/_stcore/stream", known, ("origin", origin), kind="websocket").status == status
    written = ask("/_stcore/upload_file/a/b", known, ("origin", origin), method="PUT").status
    assert written == (200 if status == 101 else 403)


@pytest.mark.usefixtures("oidc")
def test_metrics_by_a_token(monkeypatch: Environment) -> None:
    assert ask("/metrics", ("authorization", "Bearer ")).status == 401
    monkeypatch.setenv(gate.METRICS_TOKEN, "of-prometheus")
    assert ask("/metrics", ("authorization", "Bearer of-prometheus")).status == 200
    assert ask("/metrics", ("authorization", "Bearer of-prometheuS")).status == 401
    assert ask("/units", ("authorization", "Bearer of-prometheus")).status == 401


@pytest.mark.usefixtures("oidc")
def test_what_every_answer_tells_the_browser() -> None:
    for answer in (ask("/", PAGE), ask("/", cookie({"email": "ada@example.org"})), ask("/_stcore/health")):
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "strict-transport-security" not in answer.headers
    plain = ask("/_stcore/health").headers["set-cookie"]
    assert plain == "a=b; Path=/"
    for told in ({"scheme": "https"}, {}):
        more = () if told else (("x-forwarded-proto", "https"),)
        behind = ask("/_stcore/health", *more, **told)
        assert behind.headers["set-cookie"] == "a=b; Path=/; Secure"
        assert "strict-transport-security" in behind.headers


def test_secure_is_not_said_twice() -> None:
    from ui.access.headers import secure

    assert secure(b"a=b; secure; Path=/") == b"a=b; secure; Path=/"
    assert secure(b"secure=b; Path=/") == b"secure=b; Path=/; Secure"


@pytest.mark.usefixtures("oidc")
@pytest.mark.parametrize("path", ["/metrics%0A", "/_stcore/metrics%0a", "/units%0D", "/a%00b", "/a%7f"])
def test_no_path_has_what_is_not_printed(path: str) -> None:
    """A route's pattern may match before a last line feed, and a comparison does not."""
    assert ask(path, cookie({"email": "root@example.org"})).status == 400


def test_what_our_own_proxy_says_of_another_one_counts() -> None:
    told = (("host", "127.0.0.1:8501"), (gate.FORWARDED, "1"))
    assert get(Gate(inside), "/", told).status == 403


@pytest.mark.usefixtures("oidc")
def test_nobody_is_another_by_the_folding_of_letters(monkeypatch: Environment) -> None:
    listed = "sam@example.org, kim@example.org, strasse@example.org, straße@x.org"
    monkeypatch.setenv("INTERPRET_OPERATORS", listed)
    for name in ("\u017fam@example.org", "\u212aim@example.org", "straße@example.org"):
        assert who(ask("/", cookie({"email": name})))[1] != "operator"
    assert who(ask("/", cookie({"email": "SAM@example.org"})))[1] == "operator"
    assert who(ask("/", cookie({"email": "Straße@x.org"})))[1] == "operator"


@pytest.mark.usefixtures("oidc")
def test_another_claim_is_the_name_only_where_that_is_set(monkeypatch: Environment) -> None:
    claims = {"email": "root@example.org", "email_verified": None, "preferred_username": "ada@example.org"}
    monkeypatch.setenv(settings.CLAIM, "preferred_username")
    assert who(ask("/", cookie(claims))) == ("ada@example.org", "member")
    monkeypatch.setenv(settings.CLAIM, settings.UNVERIFIED)
    assert who(ask("/", cookie(claims))) == ("root@example.org", "operator")


@pytest.mark.usefixtures("oidc")
def test_of_several_providers_each_has_names_of_its_own(monkeypatch: Environment) -> None:
    section = AttrDict({**OIDC, "guests": {"client_id": "y"}, "lab": {"client_id": "z"}})
    monkeypatch.setattr(auth_util, "get_secrets_auth_section", lambda: section)
    monkeypatch.setenv("INTERPRET_OPERATORS", "lab:root@example.org")
    assert who(ask("/", cookie({"email": "root@example.org", "provider": "lab"})))[1] == "operator"
    assert who(ask("/", cookie({"email": "root@example.org", "provider": "guests"})))[1] != "operator"


@pytest.mark.usefixtures("header")
def test_a_header_is_read_as_what_proxies_write() -> None:
    name = "jörg@example.org".encode().decode("latin-1")
    assert who(ask("/", ("x-email", name))) == ("jörg@example.org", "viewer")
    assert ask("/", ("x-email", "j\xf6rg@example.org")).status == 401, "not UTF-8"
