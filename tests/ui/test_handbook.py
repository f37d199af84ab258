"""The documents as a site: served where they are built, by the rules of every page, and nothing beside."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from streamlit import config
from streamlit.testing.v1 import AppTest

import ui
from interpret_core import installation
from tests.ui.asgi import Answer, get
from tests.ui.test_pages import open_page, setting
from ui.access.gate import Gate
from ui.server import handbook
from ui.shell.sidebar import Ask


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    site = tmp_path / "site"
    (site / "assets").mkdir(parents=True)
    (site / "index.html").write_text("<p>first page</p>", encoding="utf-8")
    (site / "assets/a.js").write_text("1", encoding="utf-8")
    (tmp_path / "secret.html").write_text("secret", encoding="utf-8")
    (site / "out.html").symlink_to(tmp_path / "secret.html")
    monkeypatch.setattr(installation, "SITE", site)
    return site


@pytest.fixture(params=["", "scope"])
def base(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The base path, of a server that listens to its own machine."""
    _listen(monkeypatch, request.param)
    return f"/{request.param}".rstrip("/")


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    _listen(monkeypatch, "")


def _listen(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    options = {"server.address": "127.0.0.1", "server.baseUrlPath": base}
    real = config.get_option
    monkeypatch.setattr(config, "get_option", lambda name: options[name] if name in options else real(name))


def ask(target: str, *headers: tuple[str, str]) -> Answer:
    """Of a server that ends when its client does, as files are sent by one that listens."""
    more = {"asgi": {"version": "3.0", "spec_version": "2.4"}}
    app = Gate(Starlette(routes=handbook.routes()))
    return get(app, target, (("host", "127.0.0.1"), *headers), more=more)


@pytest.mark.usefixtures("built")
def test_pages_and_files_are_served(base: str) -> None:
    for path in ("/", "/index.html"):
        answer = ask(f"{base}/docs{path}")
        assert (answer.status, answer.text) == (200, "<p>first page</p>")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
        assert "script-src 'self' blob:" in answer.headers["content-security-policy"]
    assert ask(f"{base}/docs/", ("if-none-match", answer.headers["etag"])).status == 304
    assert "javascript" in ask(f"{base}/docs/assets/a.js").headers["content-type"]


@pytest.mark.usefixtures("built")
def test_without_a_slash_the_way_is_relative(base: str) -> None:
    answer = ask(f"{base}/docs")
    assert (answer.status, answer.headers["location"]) == (307, "docs/")


@pytest.mark.usefixtures("built", "local")
@pytest.mark.parametrize(
    "path",
    [
        "../secret.html", "%2e%2e/secret.html", "..%2fsecret.html", "assets/../../secret.html",
        "%2e%2e%2f%2e%2e%2fetc/passwd", "/etc/passwd", "//etc/passwd", "out.html", "assets", "assets/",
        "none.html", "a" * 5000, "..\\secret.html", "assets/%2e%2e/%2e%2e/secret.html",
    ],
)  # fmt: skip
def test_nothing_beside_them_is_reached(path: str) -> None:
    answer = ask(f"/docs/{path}")
    assert (answer.status, answer.text) == (404, "No such page or file of the documents.")


@pytest.mark.usefixtures("built", "local")
def test_a_control_character_and_a_change_are_refused() -> None:
    assert ask("/docs/index.html%00").status == 400
    answer = get(Starlette(routes=handbook.routes()), "/docs/", more={"method": "POST"})
    assert answer.status == 405


@pytest.mark.usefixtures("local")
def test_where_they_are_not_built_a_line_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "SITE", tmp_path)
    assert ask("/docs/").status == ask("/docs/index.html").status == 404
    assert "make docs" in ask("/docs/").text


@pytest.mark.usefixtures("built", "local")
def test_behind_a_login_they_follow_the_rule_of_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a proxy, from another machine: refused like any page."""
    there = ("x-forwarded-for", "10.0.0.7")
    documents, method = ask("/docs/", there), ask("/method", there)
    assert (documents.status, documents.text) == (method.status, method.text) == (403, documents.text)
    monkeypatch.setenv("INTERPRET_OPEN", "1")
    assert ask("/docs/", there).status == 200


@pytest.mark.usefixtures("full")
def test_the_sidebar_leads_there_where_they_are_built(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ways() -> dict[str, str]:
        app = open_page("pages/home.py", network="small", dataset="planted")
        return {text: href for text, href, *_ in setting(app, "ways")["ways"]}

    assert ways()["Documentation"] == "/docs/"
    monkeypatch.setattr(installation, "SITE", tmp_path / "none")
    assert "Documentation" not in ways()


@pytest.mark.usefixtures("full")
def test_the_page_that_the_documents_add_counts_dead_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files as they lie in docs/examples; of the planted network, unit 0 of conv1 is dead."""
    example = installation.HOME / "docs/examples/page"
    monkeypatch.setattr(ui, "__path__", [*ui.__path__, str(example / "ui")])
    app = AppTest.from_file(str(example / "pages/dead_units.py"), default_timeout=60)
    app.session_state["ask"] = Ask("small", "planted")
    app.run()
    assert not app.exception
    assert app.title[0].value == "Dead units"
    assert app.markdown[-1].value == "small on planted: 1 of 56 units are dead, in 2 layers."
    assert str(Path(sys.modules["ui.dead_units.counts"].__file__ or "")).startswith(str(example))
