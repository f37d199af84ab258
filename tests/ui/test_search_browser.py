"""The search box in a real browser: keys, links, names of any characters."""

from __future__ import annotations

import re

import pytest

from tests.ui.conftest import HOSTILE

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, Route, expect

from tests.slow import some_slow
from tests.ui.browser import watch

pytestmark = [pytest.mark.slow, pytest.mark.browser]
SELECTION = "network=small&dataset=planted"
PLACES = ("", "units", "relevance", "agreement", "shared", "ablation", "networks")
expect.set_options(timeout=20_000)


def test_keys_alone_lead_from_any_page_to_a_unit_and_back(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/concepts?{SELECTION}&cutoff=0.01")
    expect(page.get_by_role("button", name="Search everything")).to_be_visible()
    before = page.url
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name=re.compile("^Search concepts"))
    expect(box).to_be_focused()
    expect(page.get_by_text("Type a concept (car)")).to_be_visible()
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    page.keyboard.press("Control+k")
    page.keyboard.type("conv1 5")
    options = page.get_by_role("dialog").get_by_role("option")
    expect(options).to_have_count(2)
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    expect(options.nth(0)).to_contain_text("conv1 · unit 5")
    page.keyboard.press("Enter")
    expect(page.locator(".us-head")).to_contain_text("conv1 · unit 5")
    expect(page).to_have_url(
        re.compile(r"/scope/units\?network=small&dataset=planted&cutoff=0\.01&layer=conv1&unit=5$")
    )
    expect(box).to_be_hidden()
    page.go_back()
    expect(page).to_have_url(before)


@pytest.mark.slow
@pytest.mark.parametrize("name", some_slow(PLACES, ("units", "networks")))
def test_every_page_has_it(page: Page, profiled_server: str, name: str) -> None:
    page.goto(f"{profiled_server}/{name}?{SELECTION}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("button", name="Search everything")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name=re.compile("^Search concepts"))).to_be_focused()


@pytest.mark.slow
def test_the_unit_browser_keeps_its_own_key(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/units?{SELECTION}&layer=conv2")
    expect(page.locator(".tile").first).to_be_visible()
    expect(page.locator(".st-key-filter_concept input")).to_be_visible()
    page.keyboard.press("/")
    expect(page.locator(".st-key-filter_concept input")).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_enter_pressed_before_the_answer_waits_for_it(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/?{SELECTION}")
    expect(page.get_by_role("button", name="Search everything")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_text("Type a concept (car)")).to_be_visible()
    page.keyboard.insert_text("small conv2 7")
    page.keyboard.press("Enter")
    expect(page.locator(".us-head")).to_contain_text("conv2 · unit 7")


@pytest.mark.slow
def test_what_is_still_read_is_asked_for_again(page: Page, profiled_server: str) -> None:
    told = ["Still reading the stored profiles: 3 layers so far …"] * 2

    def later(route: Route) -> None:
        if "q=conv" not in route.request.url or not told:
            route.continue_()
        else:
            route.fulfill(status=202, content_type="text/plain; charset=utf-8", body=told.pop())

    page.goto(f"{profiled_server}/?{SELECTION}")
    expect(page.get_by_role("button", name="Search everything")).to_be_visible()
    page.route("**/api/search?*", later)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name=re.compile("^Search concepts")).fill("conv2 7")
    page.keyboard.press("Enter")
    expect(page.locator(".us-head")).to_contain_text("conv2 · unit 7")
    assert not told, "both times it was told to wait"


@pytest.mark.slow
def test_nothing_found_and_names_of_any_characters(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/?network=small&dataset=hostile")
    page.get_by_role("button", name="Search everything").click()
    box = page.get_by_role("combobox", name=re.compile("^Search concepts"))
    box.fill("xyzzy")
    expect(page.get_by_text("Nothing is called “xyzzy”")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_role("option")).to_have_count(0)
    found = 0
    for name in HOSTILE.values():
        box.fill(name)
        expect(page.locator(".found.old")).to_have_count(0)
        found += page.locator(".found .name", has_text=name).count()
        assert page.locator(".found img, .found .name *").count() == 0
    assert found, "at least one is some unit's label"


@pytest.mark.slow
def test_on_a_phone_it_is_pressed(browser: Browser, profiled_server: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    seen = watch(page)
    page.goto(f"{profiled_server}/concepts?{SELECTION}")
    page.get_by_role("button", name="Search everything").tap()
    page.get_by_role("combobox", name=re.compile("^Search concepts")).fill("conv2 3")
    first = page.get_by_role("dialog").get_by_role("option").first
    expect(first).to_contain_text("conv2 · unit 3")
    box = first.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert box["height"] >= 44, "a finger's width"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    first.tap()
    expect(page.locator(".us-head")).to_contain_text("conv2 · unit 3")
    context.close()
    assert seen == []
