"""The tour by keyboard alone, and the line for whoever opens a link, in a real browser."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.slow import slow
from tests.ui.browser import await_masks, await_true
from ui.shell.site import PAGES, address

pytestmark = [pytest.mark.thorough, pytest.mark.browser]
SELECTION = "network=classy&dataset=classed"
STRANGE = "What is this? Units of a neural network and what they detect"
FOCUSED = """() => { let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement; return at?.textContent ?? ''; }"""
LEAVE = """() => { let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement; at.blur(); }"""
expect.set_options(timeout=60_000)


def on_step(page: Page, number: int) -> None:
    """Wait until a step stands on its own page, and has the keyboard."""
    entry = PAGES[number - 1]
    expect(page.get_by_text(f"Step {number} of 8")).to_be_visible()
    heading = "Unitscope" if number == 1 else entry.title
    expect(page.get_by_role("heading", name=heading, exact=True, level=1)).to_be_visible()
    expect(page).to_have_url(re.compile(rf"/scope/{address(entry)}\?{SELECTION}.*tour={number}(&|$)"))
    await_true(page, f"({FOCUSED})() === '{'Next' if number < 8 else 'End'}'")


def test_eight_steps_by_keyboard_alone(page: Page, ready: str) -> None:
    page.goto(f"{ready}/?{SELECTION}")
    expect(page.get_by_text("New here?")).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == "Tour":
            break
    page.keyboard.press("Enter")
    for number in range(1, 8):
        on_step(page, number)
        page.keyboard.press("Enter" if number % 2 else "ArrowRight")
    on_step(page, 8)
    page.keyboard.press("ArrowRight")  # there is no ninth
    page.keyboard.press("ArrowLeft")
    on_step(page, 7)
    page.keyboard.press("ArrowRight")
    on_step(page, 8)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Step 8 of 8")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/scope/networks\?network=classy&dataset=classed$"))
    page.go_back()
    on_step(page, 8)


@pytest.mark.slow
def test_arrows_lead_the_tour_and_not_the_grid_until_somebody_is_in_it(page: Page, ready: str) -> None:
    page.goto(f"{ready}/units?{SELECTION}&layer=conv2&unit=3&tour=2")
    on_step(page, 2)
    await_masks(page, 3)
    following = page.locator(".tile").nth(1).get_attribute("data-unit")
    page.locator(".tile").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(f"unit={following}(&|$)"))
    expect(page.get_by_text("Step 2 of 8")).to_be_visible()
    page.evaluate(LEAVE)
    page.keyboard.press("ArrowRight")
    on_step(page, 3)


@pytest.mark.slow
def test_a_strangers_line_goes_when_dismissed_and_stays_away(page: Page, ready: str) -> None:
    page.goto(f"{ready}/units?{SELECTION}&layer=conv2&unit=3")
    expect(page.get_by_text(STRANGE)).to_be_visible()
    line = page.get_by_label("What this is")
    expect(line.get_by_role("link", name="Glossary")).to_have_attribute("href", "/scope/glossary")
    line.get_by_role("button", name="Dismiss").press("Enter")
    expect(page.get_by_text(STRANGE)).to_be_hidden()
    page.reload()
    expect(page.get_by_role("heading", name="Units", exact=True)).to_be_visible()
    page.locator(".tile").first.wait_for()
    expect(page.get_by_text(STRANGE)).to_be_hidden()


@pytest.mark.slow
def test_home_is_enough_to_know_it(page: Page, ready: str) -> None:
    page.goto(f"{ready}/units?{SELECTION}&layer=conv2&unit=3")
    expect(page.get_by_text(STRANGE)).to_be_visible()
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_text("New here?")).to_be_visible()
    page.goto(f"{ready}/units?{SELECTION}&layer=conv2&unit=3")
    expect(page.get_by_role("heading", name="Units", exact=True)).to_be_visible()
    page.locator(".tile").first.wait_for()
    expect(page.get_by_text(STRANGE)).to_be_hidden()


def test_the_line_leads_to_the_tour_without_loading_anew(page: Page, ready: str) -> None:
    page.goto(f"{ready}/units?{SELECTION}&layer=conv2&unit=3")
    page.evaluate("window.stayed = true")
    page.get_by_label("What this is").get_by_role("link", name="Tour").click()
    on_step(page, 1)
    assert page.evaluate("window.stayed")


@pytest.mark.parametrize(
    ("name", "width"), [("method", 1440), slow("method", 390), slow("glossary", 1440), ("glossary", 390)]
)
def test_what_is_read_fits_and_leads_to_its_sections(page: Page, ready: str, name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{ready}/{name}#chance")
    heading = page.locator("h2#chance")
    expect(heading).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("math").count() == 0 if name == "glossary" else page.locator("math").count() > 100
    page.get_by_role("link", name="Unitscope", exact=True).click()
    expect(page.get_by_role("heading", name="Unitscope")).to_be_visible()


@pytest.mark.slow
def test_presenting_begins_and_ends_by_keyboard(page: Page, ready: str) -> None:
    page.goto(f"{ready}/units?{SELECTION}&layer=conv2&unit=3")
    await_masks(page, 3)
    page.get_by_role("link", name="Present", exact=True).press("Enter")
    expect(page).to_have_url(re.compile("unit=3.*present=1"))
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_be_hidden()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("present"))
    expect(sidebar).to_be_visible()
    expect(page).to_have_url(re.compile("unit=3"))
