"""A fresh clone in a real browser, with every outgoing connection refused: the first minute of a newcomer."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpret_core import demo
from interpret_core.store.bundle.shipped import MANIFEST

pytest.importorskip("playwright")
from playwright.sync_api import expect, sync_playwright

from tests.ui.browser import ROOT, await_masks, launch, serving, watch

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.browser,
    pytest.mark.skipif(not (demo.RESULTS / MANIFEST).is_file(), reason="demo/results is not made yet"),
]
WAIT = 60_000  # milliseconds, on a machine that does other work too; how long it takes is measured elsewhere

# Loaded by every Python that the server starts: an address outside this machine is noted and refused.
ALONE = """
import os, socket
real, ask = socket.socket.connect, socket.getaddrinfo
HERE = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "", None)
def refuse(host):
    with open(os.environ["OUTSIDE"], "a") as file:
        file.write(f"{host}\\n")
    raise OSError("outgoing connections are blocked")
def connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in HERE:
        refuse(address[0])
    return real(self, address)
def getaddrinfo(host, *rest, **named):
    return ask(host, *rest, **named) if host in HERE else refuse(host)
socket.socket.connect, socket.getaddrinfo = connect, getaddrinfo
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A server over an empty cache, without a configuration and without the network."""
    (tmp_path / "sitecustomize.py").write_text(ALONE)
    hidden = ("INTERPRET_DEMO", "INTERPRET_CONFIG", "INTERPRET_DATASETS", "INTERPRET_OFFLINE")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {
        "INTERPRET_CACHE": str(tmp_path / "cache"),
        "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT))),
        "OUTSIDE": str(tmp_path / "outside"),
    }
    with serving(environment, tmp_path / "log") as found:
        yield found
    assert not (tmp_path / "outside").exists(), (tmp_path / "outside").read_text()


def test_a_newcomer_meets_unit_41_offline(address: str) -> None:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(WAIT)
        expect.set_options(timeout=WAIT)
        found = watch(page)
        page.goto(f"{address}/units")
        expect(page.get_by_text("of 64 conv1 units")).to_be_visible()
        tile = page.locator(".tile[data-unit='41']")
        pictures = page.locator(".tile img")
        for number in range(12):
            expect(pictures.nth(number)).not_to_have_js_property("naturalWidth", 0)
        expect(page.get_by_role("button", name=re.compile(r"^unit \d+, .+IoU")).first).to_be_visible()
        tile.click()
        await_masks(page, 41, timeout=WAIT)
        expect(page.locator(".us-head .us-sub")).to_have_text("conv1 · unit 41")
        expect(page.locator(".photos .mask.line").nth(11)).to_be_attached()

        page.goto(address)
        expect(page.get_by_text("You are looking at the demo")).to_be_visible()
        card = page.locator(".st-key-step_1")
        expect(card).to_contain_text("yet it responds to a shade of")
        link = card.get_by_role("link")
        unit = int(link.inner_text().removeprefix("Open unit ").removesuffix(" →"))
        link.click()
        await_masks(page, unit, timeout=WAIT)
        browser.close()
    assert found == []
