"""What every page has in common, in a real browser: addresses, keys, notices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.conftest import server_environment

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.ui.browser import launch, serving, watch

pytestmark = pytest.mark.browser
SELECTION = "network=classy&dataset=classed"
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="module")
def ready(installation: Path, ablated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server below a path of its own."""
    log = tmp_path_factory.mktemp("shell") / "log"
    options = ("--server.baseUrlPath", "scope")
    with serving(server_environment(installation, ablated), log, *options, base="/scope") as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh context; the test fails if its console or its requests are not clean."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(60_000)
    opened = context.new_page()
    found = watch(opened)
    yield opened
    context.close()
    assert found == []


@pytest.mark.parametrize("name", ["home", "Home", "home/"])
def test_home_is_an_address_too(page: Page, ready: str, name: str) -> None:
    page.goto(f"{ready}/{name}?{SELECTION}&cutoff=0.1")
    expect(page.get_by_role("heading", name="Unitscope")).to_be_visible()
    view = re.compile(rf"^{re.escape(ready)}/\?network=classy&dataset=classed&cutoff=0\.1$")
    expect(page).to_have_url(view)
    page.reload()
    expect(page.get_by_role("heading", name="Unitscope")).to_be_visible()
    expect(page).to_have_url(view)
    expect(page.get_by_role("spinbutton", name="IoU cut-off")).to_have_value("0.100")
    assert page.get_by_role("dialog").count() == 0
    page.get_by_role("link", name="Units", exact=True).click()
    expect(page.get_by_role("heading", name="Units", exact=True)).to_be_visible()
    page.go_back()
    expect(page).to_have_url(view)
