"""Whoever moves by keys keeps the place where a component draws itself anew, in a real browser.

Components are drawn in shadow roots: `document.activeElement` is their host, so that the way to what has the
focus leads through `activeElement` of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Locator, Page, expect

from tests.ui.browser import await_masks, await_rerun, await_true, choose

pytestmark = [pytest.mark.slow, pytest.mark.browser]
SELECTION = "network=classy&dataset=classed"
UNITS = f"units?{SELECTION}&layer=conv2"
CELL = f"relevance?{SELECTION}&layer=conv2&class=red+square"
TABS = 150  # more than lead to anything that is tested
expect.set_options(timeout=20_000)

# Focused, and nothing but this: found through all shadow roots.
FOCUSED = """wanted => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  return one === wanted;
}"""


def focused(item: Locator) -> bool:
    """Whether the browser's focus is on it."""
    return bool(item.evaluate(FOCUSED))


def tab_to(page: Page, item: Locator) -> None:
    """Press Tab until it has the focus."""
    item.wait_for()
    for _ in range(TABS):
        if focused(item):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {item}.")


def press(page: Page, item: Locator, key: str) -> None:
    """Press a key on what Tab has led to, and wait until another one has been drawn in its place."""
    tab_to(page, item)
    redrawn(page, item, lambda: page.keyboard.press(key))


def redrawn(page: Page, item: Locator, act: Callable[[], object]) -> None:
    """Do something, and wait until the element that stands there now is gone."""
    before = item.element_handle()
    act()
    await_true(page, "one => !one.isConnected", arg=before)


@pytest.mark.slow
def test_switch_of_the_maps(page: Page, ready: str) -> None:
    page.goto(f"{ready}/{CELL}")
    whole = page.locator(".maps .modes button[data-mode=whole]")
    press(page, whole, "Enter")
    expect(page).to_have_url(re.compile("area=whole"))
    expect(whole).to_be_focused()
    expect(whole).to_be_focused()
    photo = page.locator(".maps .modes button[data-mode=photo]")
    press(page, photo, "Space")
    expect(page).to_have_url(re.compile("area=photo"))
    expect(photo).to_be_focused()


@pytest.mark.slow
def test_image_of_the_maps_stays_where_the_maps_are_of_another_unit(page: Page, ready: str) -> None:
    page.goto(f"{ready}/{CELL}")
    page.locator(".ranked .map").nth(1).click()
    expect(page).to_have_url(re.compile(r"unit=\d"))
    tab_to(page, page.locator(".strip button").first)
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("image="))
    second = page.locator(".strip button").nth(1)
    image = second.get_attribute("data-image")
    expect(second).to_be_focused()
    for way in (page.go_back, page.go_back):
        await_rerun(page)
        way()
    expect(page).not_to_have_url(re.compile("unit="))
    await_rerun(page)
    expect(page.locator(f".strip [data-image='{image}']")).to_be_focused()


@pytest.mark.slow
def test_button_of_a_ranked_unit_stays_where_another_one_leaves_the_list(page: Page, ready: str) -> None:
    page.goto(f"{ready}/{CELL}&units=32")
    last = page.locator(".ranked .unit").last
    expect(page.locator(".ranked .unit")).to_have_count(32)
    outside = last.get_attribute("data-unit")
    page.goto(f"{ready}/{CELL}&unit={outside}")
    units = page.locator(".ranked .unit")
    expect(units).to_have_count(13)
    third = units.nth(2).get_attribute("data-unit")
    button = page.locator(f".unit[data-unit='{third}'] .map")
    press(page, button, "Enter")
    expect(units).to_have_count(12)
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_be_focused()


@pytest.mark.slow
def test_button_of_a_ranked_unit_that_leaves_the_list_passes_the_focus_on(page: Page, ready: str) -> None:
    page.goto(f"{ready}/{CELL}&units=32")
    expect(page.locator(".ranked .unit")).to_have_count(32)
    outside = page.locator(".ranked .unit").last.get_attribute("data-unit")
    page.goto(f"{ready}/{CELL}&unit={outside}")
    units = page.locator(".ranked .unit")
    expect(units).to_have_count(13)
    press(page, page.locator(f".unit[data-unit='{outside}'] .map"), "Space")
    expect(units).to_have_count(12)
    expect(units.last.locator(".map"), "the nearest one, and its button as before").to_be_focused()


@pytest.mark.slow
def test_photographs_of_a_gallery(page: Page, ready: str) -> None:
    page.goto(f"{ready}/{UNITS}&unit=3&concept=red")
    await_masks(page, 3)
    mode = page.locator(".gallery .modes").first.locator("[data-mode=agreement]")
    tab_to(page, mode)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("show=agreement"))
    await_rerun(page)
    expect(mode).to_be_focused()
    photo = page.locator(".gallery .photos").first.locator(".photo").nth(2)
    tab_to(page, photo)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("image="))
    await_rerun(page)
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("image="))
    await_rerun(page)
    expect(photo).to_be_focused()


@pytest.mark.slow
def test_photographs_of_another_unit(page: Page, ready: str) -> None:
    page.goto(f"{ready}/{UNITS}&unit=3")
    await_masks(page, 3)
    await_rerun(page)
    page.locator(".tile[data-unit='5']").click()
    await_masks(page, 5)
    await_rerun(page)
    photos = page.locator(".gallery .photos").first.locator(".photo")
    photos.nth(1).focus()
    image = photos.nth(1).get_attribute("data-image")
    redrawn(page, photos.nth(1), page.go_back)
    await_masks(page, 3)
    there = [photo.get_attribute("data-image") for photo in photos.all()]
    expect(photos.nth(there.index(image) if image in there else 1)).to_be_focused()


@pytest.mark.slow
def test_a_photograph_that_the_address_enlarged_has_the_focus_once_it_is_closed(
    page: Page, ready: str
) -> None:
    page.goto(f"{ready}/{UNITS}&unit=3")
    await_masks(page, 3)
    photo = page.locator(".gallery .photos").first.locator(".photo").nth(1)
    page.goto(f"{ready}/{UNITS}&unit=3&image={photo.get_attribute('data-image')}")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    expect(photo).to_be_focused()


def test_a_tile_of_the_grid_where_other_units_match(page: Page, ready: str) -> None:
    page.goto(f"{ready}/{UNITS}&unit=3")
    await_masks(page, 3)
    await_rerun(page)
    choose(page, page.get_by_role("combobox", name="Concept").first, 1)
    expect(page).to_have_url(re.compile("concept="))
    await_rerun(page)
    tile = page.locator(".tile").first
    unit = tile.get_attribute("data-unit")
    tile.focus()
    redrawn(page, tile, page.go_back)
    expect(page.locator(f".tile[data-unit='{unit}']")).to_be_focused()


@pytest.mark.slow
def test_buttons_that_save(page: Page, ready: str) -> None:
    page.goto(f"{ready}/{UNITS}&unit=3&below=responses")
    tools = page.locator(".st-key-save_responses")
    button = tools.get_by_role("button", name="Table")
    for rows in (65, 0):
        press(page, button, "Enter")
        expect(tools.get_by_role("row")).to_have_count(rows)
        expect(button).to_be_focused()


@pytest.mark.slow
def test_bars_and_cells(page: Page, ready: str) -> None:
    page.goto(f"{ready}/ablation?{SELECTION}")
    bar = page.locator(".bars .row[data-name='red square']")
    press(page, bar, "Enter")
    expect(page).to_have_url(re.compile(r"class=red(\+|%20)square"))
    await_rerun(page)
    expect(bar).to_be_focused()

    page.goto(f"{ready}/relevance?{SELECTION}")
    tab_to(page, page.locator(".heat .cell").first)
    page.keyboard.press("ArrowRight")
    cell = page.locator(".heat .cell").nth(1)
    press(page, cell, "Space")
    expect(page.locator(".ranked .unit").first).to_be_visible()
    await_rerun(page)
    expect(cell).to_be_focused()


@pytest.mark.slow
def test_cards_with_other_numbers(page: Page, ready: str) -> None:
    page.goto(f"{ready}/concepts?{SELECTION}&concept=red")
    cards = page.locator(".cards a")
    cards.nth(1).wait_for()
    page.get_by_role("slider", name="IoU cut-off").press("ArrowRight")
    expect(page).to_have_url(re.compile("cutoff="))
    await_rerun(page)
    cards.nth(1).focus()
    redrawn(page, cards.nth(1), page.go_back)
    expect(cards.nth(1)).to_be_focused()


@pytest.mark.slow
def test_links_of_the_menu(page: Page, ready: str) -> None:
    page.goto(f"{ready}/{UNITS}")
    link = page.get_by_role("link", name="Concepts", exact=True)
    press(page, link, "Enter")
    expect(page.get_by_role("heading", name="Concepts").first).to_be_visible()
    await_rerun(page)
    expect(link).to_be_focused()


def test_sliders_and_their_numbers(page: Page, ready: str) -> None:
    page.goto(f"{ready}/concepts?{SELECTION}&cutoff=0.1")
    slider = page.get_by_role("slider", name="IoU cut-off")
    tab_to(page, slider)
    step = float(slider.get_attribute("step") or 0)
    for _ in range(3):  # faster than the server answers
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(rf"cutoff={0.1 + 3 * step:g}(&|$)"))
    await_rerun(page)
    expect(slider).to_have_value(f"{0.1 + 3 * step:g}")
    expect(slider).to_be_focused()
    page.go_back()
    expect(slider).not_to_have_value(f"{0.1 + 3 * step:g}")

    page.goto(f"{ready}/ablation?{SELECTION}")
    exact = page.get_by_role("spinbutton", name="Units of each layer, exactly")
    tab_to(page, exact)
    page.keyboard.press("Control+a")
    page.keyboard.type("120")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("percent=100"))
    await_rerun(page)
    expect(exact).to_have_value("100")
    expect(exact).to_be_focused()
    page.go_back()
    expect(exact).to_have_value("3")
