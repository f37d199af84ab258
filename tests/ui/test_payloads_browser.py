"""No text of an address or of a field runs or loads anything; the other sinks are listed in `payloads`."""

from __future__ import annotations

import ast
from urllib.parse import urlencode

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.slow import some_slow
from tests.ui.browser import ROOT, await_idle
from tests.ui.payloads import ALL, KINDS, made
from ui.shell.state import ENTRY

pytestmark = [pytest.mark.thorough, pytest.mark.browser]
SELECTION = {"network": "classy", "dataset": "classed"}
# How pages read the address: function -> which of its arguments is the parameter's name.
READERS = {
    **dict.fromkeys(("parameter", "one_of", "choice_of", "several_of", "whole", "flag", "name_of"), 0),
    **dict.fromkeys(("number_range", "number_of"), 0),
    "buttons": 1,
}
PAGES = ("", *sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "home"))


def parameters() -> set[str]:
    """Names of all query parameters that a page reads, from the sources."""
    found = {*ENTRY, "pin"}  # read by name in constants
    for folder in ("ui", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    at = READERS.get(getattr(node.func, "attr", getattr(node.func, "id", "")), len(node.args))
                    found |= {one.value for one in node.args[at : at + 1] if isinstance(one, ast.Constant)}
    return found


def drawn(page: Page) -> None:
    """The page has been drawn."""
    expect(page.locator("h1, h2, [data-testid=stAlert], .us-head").first).to_be_visible(timeout=60_000)
    await_idle(page)
    page.wait_for_timeout(500)


@pytest.mark.parametrize("kind", some_slow(("all", *KINDS), ("all",)))
@pytest.mark.parametrize("path", some_slow(PAGES, ("units", "shared")))
def test_what_an_address_says_runs_and_loads_nothing(page: Page, ready: str, path: str, kind: str) -> None:
    payload = KINDS.get(kind, ALL)
    known = parameters()
    assert known >= {"silence", "unit", "part", "influence"}
    query = dict.fromkeys(sorted(known), payload) | SELECTION
    page.goto(f"{ready}/{path}?{urlencode(query)}")
    drawn(page)
    assert made(page) == []


@pytest.mark.parametrize("kind", some_slow(("all", *KINDS), ("all",)))
def test_names_in_an_address_that_are_nowhere_run_nothing(page: Page, ready: str, kind: str) -> None:
    payload = KINDS.get(kind, ALL)
    page.goto(f"{ready}/units?{urlencode({'network': payload, 'dataset': payload})}")
    drawn(page)
    assert made(page) == []


def test_what_is_searched_for_runs_nothing(page: Page, ready: str) -> None:
    page.goto(f"{ready}/?{urlencode(SELECTION)}")
    drawn(page)
    page.keyboard.press("Control+k")
    for payload in KINDS.values():
        page.keyboard.insert_text(payload)
        page.wait_for_timeout(400)
        assert made(page) == []
        page.keyboard.press("Control+a")
