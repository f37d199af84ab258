"""A whole instance in a real browser: nginx, a base path, two servers on one cache; one of them is killed."""

from __future__ import annotations

import csv
import io
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.conftest import server_environment

pytest.importorskip("playwright")
from playwright.sync_api import Browser, BrowserContext, Page, expect

from hosting import headers
from tests.hosting.instance import BASE, Instance, running
from tests.hosting.proxy import ask, require_nginx
from tests.ui.browser import await_idle, await_masks, watch

pytestmark = [pytest.mark.thorough, pytest.mark.browser]
SELECTION = "network=small&dataset=planted"
WAIT = 60_000
FORWARDED = ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP")
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def instance(
    installation: Path, profiled: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """One for all tests of this file; the last one ends it."""
    require_nginx()
    with running(server_environment(installation, profiled), tmp_path_factory.mktemp("instance")) as found:
        yield found


class Visit:
    """A browser of its own, on a page."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.context: BrowserContext = browser.new_context(viewport={"width": 1440, "height": 1000})
        self.context.set_default_timeout(WAIT)
        self.page: Page = self.context.new_page()
        self.found = watch(self.page)
        self.sockets = self.ended = self.loaded = 0
        self.page.on("load", self._loaded)
        self.page.on("websocket", self._opened)
        self.page.goto(address)

    def _opened(self, socket: object) -> None:
        self.sockets += 1
        socket.on("close", self._closed)  # type: ignore[attr-defined]

    def _closed(self, *_: object) -> None:
        self.ended += 1

    def _loaded(self, *_: object) -> None:
        self.loaded += 1

    @property
    def server(self) -> int:
        """The number of the server that it is with."""
        (cookie,) = (one for one in self.context.cookies() if one["name"] == "unitscope_server")
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", f"{BASE}/")
        return int(cookie["value"])


def test_pages_pictures_downloads_and_deep_links(page: Page, instance: Instance) -> None:
    page.goto(instance.url)  # without the slash
    expect(page.get_by_role("heading", name="Unitscope")).to_be_visible(timeout=WAIT)
    page.goto(f"{instance.url}/units?{SELECTION}&layer=conv2&unit=3")
    await_masks(page, 3)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
        page.get_by_role("link", name="All units of conv2 as CSV").click()
    rows = list(csv.reader(io.StringIO(download.value.path().read_text())))
    assert len(rows) == 1 + 32
    page.get_by_role("link", name="Concepts", exact=True).click()
    expect(page.get_by_role("heading", name="Concepts", exact=True, level=1)).to_be_visible()
    assert page.url.startswith(f"{instance.url}/concepts?")


def test_alive_ready_and_closed(instance: Instance) -> None:
    assert ask(instance.where, f"{BASE}/_stcore/health").status == 200
    for path in (f"{BASE}/api/ready", "/api/ready"):
        assert ask(instance.where, path).status == 200
    assert ask(instance.where, f"{BASE}/_stcore/metrics").status == 404
    kept = instance.log.parent / "state" / "cookie_secret"
    assert kept.read_text().strip() not in instance.log.read_text()
    for number in (1, 2):
        server = instance.server(number)
        assert server
        listening = [one.laddr.ip for one in server.net_connections("tcp") if one.status == "LISTEN"]
        assert listening == ["127.0.0.1"]
        assert kept.read_text().strip() not in " ".join(server.cmdline())


def test_forged_headers_change_nothing(instance: Instance) -> None:
    """But those that say that a proxy is in front: without a login, nobody is let in through one."""
    named = [name for name in (*headers.CLEARED, *headers.OWN) if name != "Host"]
    forged = [(name, "evil.example") for name in named if name not in FORWARDED]
    plainly = ask(instance.where, f"{BASE}/home?a=1")
    found = ask(instance.where, f"{BASE}/home?a=1", forged)
    same = {"location", "content-type"}
    assert found.status == plainly.status == 307
    assert [one for one in found.headers if one[0] in same] == [
        one for one in plainly.headers if one[0] in same
    ]
    for name in FORWARDED:
        assert ask(instance.where, f"{BASE}/home?a=1", [(name, "127.0.0.1")]).status == 403
    assert ask(instance.where, f"{BASE}/", [("Host", "evil.example")]).status == 400


def test_a_killed_server_costs_its_own_sessions_alone(
    browser: Browser, instance: Instance, tmp_path: Path
) -> None:
    visits: dict[int, Visit] = {}
    try:
        for _ in range(6):  # they are given servers in turn
            visit = Visit(browser, f"{instance.url}/units?{SELECTION}&layer=conv2&unit=3")
            await_masks(visit.page, 3)
            if visit.server in visits:
                visit.context.close()
            visits.setdefault(visit.server, visit)
            if len(visits) == 2:
                break
        assert set(visits) == {1, 2}, "both servers have visitors"
        visits[1].page.reload()
        await_masks(visits[1].page, 3)
        assert {number: visit.server for number, visit in visits.items()} == {1: 1, 2: 2}, "they stay"
        hit, spared = visits[1], visits[2]
        still = spared.sockets, spared.ended

        killed = instance.server(1)
        assert killed
        killed.kill()
        end = time.monotonic() + 60
        while hit.server != 2 and time.monotonic() < end:
            hit.page.wait_for_timeout(100)
        assert hit.server == 2, "the browser goes on with the other by itself"
        # Streamlit comes back and asks for nothing; the page has to load itself, or would answer no click.
        while hit.loaded < 3 and time.monotonic() < end:
            hit.page.wait_for_timeout(100)
        await_masks(hit.page, 3, timeout=WAIT)
        hit.page.locator(".tile").nth(5).click(timeout=WAIT)
        await_masks(hit.page, int(hit.page.locator(".tile").nth(5).get_attribute("data-unit") or -1))

        while not (back := instance.server(1)) and time.monotonic() < end:
            time.sleep(0.1)
        assert back
        assert back.pid != killed.pid
        first = [("Cookie", "unitscope_server=1")]
        while ask(("127.0.0.1", int(instance.ports[0])), f"{BASE}/_stcore/health").status != 200:
            assert time.monotonic() < end
        assert "Server 1 ended (SIGKILL)" in instance.log.read_text()
        assert ask(instance.where, f"{BASE}/_stcore/health", first).status == 200

        # What a server knows of a session is still found: an upload goes where the websocket is.
        hit.page.get_by_role("link", name="Networks", exact=True).click()
        file = tmp_path / "weights.safetensors"
        file.write_bytes(b"no weights")
        hit.page.locator("input[type=file]").set_input_files(file)
        expect(hit.page.get_by_text("weights.safetensors").first).to_be_visible()
        await_idle(hit.page)
        assert hit.page.get_by_text(re.compile("error|failed", re.IGNORECASE)).count() == 0
        assert (spared.sockets, spared.ended) == still, "the others do not notice"
        assert spared.found == []
    finally:
        for visit in visits.values():
            visit.context.close()


def test_it_ends_gracefully(instance: Instance) -> None:
    running_then = [instance.supervisor, *instance.supervisor.children(recursive=True)]
    assert len(running_then) >= 5
    instance.supervisor.send_signal(signal.SIGTERM)
    instance.supervisor.wait(30)
    assert not [one for one in running_then if one.is_running() and one.status() != "zombie"]
    text = instance.log.read_text()
    assert "is ended." not in text, "nobody had to be killed"
    assert "Traceback" not in text
    left = [path.name for path in (instance.log.parent / "tmp").glob("unitscope-*")]
    assert [
        name for name in left if not name.startswith("unitscope-compiled-")
    ] == []  # that one is for next time
