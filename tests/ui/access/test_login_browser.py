"""Logging in and out in a real browser, at a real provider, below a path of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, expect

from tests.ui.access import provider
from tests.ui.browser import ROOT, STREAMLIT, awaited, free_port, watch
from tests.ui.conftest import server_environment
from tests.ui.payloads import ALL, KINDS, made

pytestmark = pytest.mark.browser
BASE = "/scope"
SHORT = f"{KINDS['element']} **b** {KINDS['link']}"  # a name of more letters is none
USERS = {
    "ada": {"email": "ada@example.org", "email_verified": True},
    "eve": {"email": "eve@elsewhere.org", "email_verified": True},
    "mallory": {"email": f"{SHORT}@example.org", "email_verified": True},
    "trudy": {"email": f"{SHORT}@elsewhere.org", "email_verified": True},
}
LINK = "units?network=small&dataset=planted&layer=conv1&unit=3"
expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def guarded(installation: Path, profiled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a login; its address."""
    folder, port = tmp_path_factory.mktemp("guarded"), free_port()
    address = f"http://127.0.0.1:{port}{BASE}"
    environment = {
        **server_environment(installation, profiled),
        "INTERPRET_MEMBERS": "*@example.org",
        "INTERPRET_CONTACT": f"help@example.org {ALL}",
    }
    with provider.providing(USERS) as issuer, (folder / "log").open("wb") as output:
        secrets = folder / "secrets.toml"
        secrets.write_text(provider.secrets_file(issuer, address, "0123456789abcdef" * 4))
        options = {
            "server.port": port,
            "server.address": "127.0.0.1",
            "server.baseUrlPath": BASE.strip("/"),
            "secrets.files": secrets,
        }
        command = [*STREAMLIT, "run", "serve.py", *(f"--{name}={value}" for name, value in options.items())]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            awaited(f"{address}/_stcore/health", process, folder / "log")
            yield address
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Page]:
    """A page of somebody who has no cookie; its console says nothing but that they have to log in."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    found = watch(page)
    yield page
    context.close()
    assert [one for one in found if not re.search(r"status of 40[13] ", one)] == []


def refused(address: str, method: str = "GET") -> int:
    """The status of what somebody gets who has no cookie."""
    asked = urllib.request.Request(address, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.thorough
def test_every_route_of_the_server_is_closed(guarded: str) -> None:
    """The table is the server's own: a route that is added later is asked, too."""
    command = [sys.executable, "-m", "tests.ui.access.route_table"]
    environment = {"INTERPRET_OPEN": "1", "PYTHONPATH": str(ROOT), "PATH": ""}
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    routes = [(re.sub(r"{[^}]*}", "1", path), methods) for _, path, methods in json.loads(told.stdout)]
    assert len(routes) > 25
    open_paths = {"/_stcore/health", "/api/ready", "/auth/login", "/auth/logout", "/oauth2callback"}
    asked = 0
    for path, methods in routes:
        for method in methods or ["GET"]:
            if path not in open_paths:
                assert refused(f"{guarded}{path}", method) == 401, (method, path)
                asked += 1
    assert asked > 50
    for path in (
        "",
        "/",
        "/units",
        "/static/js/x.js",
        "/favicon.png",
        "/app/static/x",
        "/../units",
        "//units",
    ):
        assert refused(f"{guarded}{path}") == 401, path
    assert refused(f"{guarded}/_stcore/health") == 200


def test_a_link_survives_the_login_and_the_logout_holds(visit: Page, guarded: str) -> None:
    answer = visit.goto(f"{guarded}/{LINK}")
    assert answer is not None
    assert answer.status == 401
    expect(visit.get_by_role("heading", name="Log in to go on")).to_be_visible()
    expect(visit.get_by_text("help@example.org")).to_be_visible()
    provider.log_in(visit, "ada")
    expect(visit.locator(".us-head").first).to_contain_text("conv1 · unit 3")
    expect(visit).to_have_url(re.compile(r"/scope/units\?network=small&dataset=planted&layer=conv1&unit=3$"))
    expect(visit.locator(".tile img").first).to_be_attached()
    expect(visit.get_by_text("ada@example.org, member")).to_be_visible()
    login = {one["name"]: one for one in visit.context.cookies()}
    assert login["_streamlit_user"]["httpOnly"]
    assert "unitscope_next" not in login
    visit.goto(f"{guarded}/networks?network=small&dataset=planted")
    expect(visit.get_by_text("Adding networks takes the role operator")).to_be_visible()
    visit.get_by_role("link", name="Log out").click()
    expect(visit.get_by_role("heading", name="Log in to go on")).to_be_visible()
    visit.go_back()
    visit.reload()
    expect(visit.get_by_role("heading", name="Log in to go on")).to_be_visible()


@pytest.mark.thorough
def test_whom_nobody_lists_is_told_so(visit: Page, guarded: str) -> None:
    visit.goto(f"{guarded}/")
    provider.log_in(visit, "eve")
    expect(visit.get_by_role("heading", name="No access")).to_be_visible()
    expect(visit.get_by_text("eve@elsewhere.org")).to_be_visible()
    visit.get_by_role("link", name="Log out").click()
    expect(visit.get_by_role("heading", name="Log in to go on")).to_be_visible()


@pytest.mark.thorough
def test_names_that_are_markup_run_nothing(visit: Page, guarded: str) -> None:
    visit.goto(f"{guarded}/{LINK}&{urlencode({'concept': ALL})}")
    assert made(visit) == []
    provider.log_in(visit, "mallory")
    expect(visit.get_by_text(f"{SHORT}@example.org, member")).to_be_visible()
    assert made(visit) == []
    visit.get_by_role("link", name="Log out").click()
    provider.log_in(visit, "trudy")
    expect(visit.get_by_text(f"You are logged in as {SHORT}@elsewhere.org")).to_be_visible()
    assert made(visit) == []


@pytest.mark.thorough
@pytest.mark.parametrize(
    "wanted", ["javascript:document.title='hit'", "//outside.invalid", "https:outside.invalid"]
)
def test_a_login_leads_nowhere_else(visit: Page, guarded: str, wanted: str) -> None:
    visit.goto(f"{guarded}/access/login?{urlencode({'next': wanted})}")
    visit.get_by_role("link", name="ada").click()
    expect(visit.get_by_text("ada@example.org, member")).to_be_visible()
    assert visit.url.startswith(f"{guarded}/")
    assert made(visit) == []
