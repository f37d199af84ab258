"""A pinned unit in a real browser: it stays while others are chosen, and stacks on a phone."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, expect

from tests.ui.browser import watch

pytestmark = [pytest.mark.slow, pytest.mark.browser]
UNITS = "units?network=small&dataset=planted&layer=conv2&unit=3"
expect.set_options(timeout=30_000)


def test_a_pinned_unit_stays_while_others_are_chosen(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/{UNITS}")
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page).to_have_url(re.compile("pin=conv2%3A3"))
    page.locator(".tile[data-unit='7']").click()
    chosen, kept = page.locator(".st-key-unit_panel"), page.locator(".st-key-unit_pinned")
    expect(kept.locator(".us-head")).to_contain_text("conv2 · unit 3")
    expect(chosen.locator(".us-head")).to_contain_text("conv2 · unit 7")
    left, right = kept.bounding_box(), chosen.bounding_box()
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"], "beside each other"
    expect(kept.locator(".photo svg path.mask.line").first).to_be_attached()
    kept.locator(".photo").nth(1).click()
    expect(page).to_have_url(re.compile(r"pin_image=\d+"))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("pin_image="))
    # The search leads to a unit of another layer, and the pin goes with it.
    page.keyboard.press("Control+k")
    page.keyboard.type("small conv1 5")
    expect(page.get_by_role("dialog").get_by_role("option").first).to_contain_text("conv1 · unit 5")
    page.keyboard.press("Enter")
    expect(chosen.locator(".us-head")).to_contain_text("conv1 · unit 5")
    expect(kept.locator(".us-head")).to_contain_text("conv2 · unit 3")
    page.reload()
    expect(kept.locator(".us-head")).to_contain_text("conv2 · unit 3")
    kept.get_by_role("button", name="Unpin").click()
    expect(kept).to_have_count(0)
    expect(page).not_to_have_url(re.compile("pin="))


@pytest.mark.slow
def test_units_of_two_layers_change_places(page: Page, profiled_server: str) -> None:
    page.goto(
        f"{profiled_server}/units?network=small&dataset=planted&layer=conv1&unit=3&iou=0-0.05&pin=conv2:30"
    )
    chosen, kept = page.locator(".st-key-unit_panel"), page.locator(".st-key-unit_pinned")
    expect(kept.locator(".us-head")).to_contain_text("conv2 · unit 30")
    kept.get_by_role("button", name="Swap").click()
    # conv1 has no unit 30: whoever still shows that layer shows another unit.
    expect(chosen.locator(".us-head")).to_contain_text("conv2 · unit 30")
    expect(kept.locator(".us-head")).to_contain_text("conv1 · unit 3")
    expect(page.locator(".tile[data-unit='30']")).to_be_attached()
    expect(page.get_by_role("heading", name="Units")).to_be_visible()
    expect(page).to_have_url(re.compile("layer=conv2&unit=30&pin=conv1%3A3$"))
    expect(page.get_by_role("alert")).to_have_count(0)
    kept.get_by_role("button", name="Swap").click()
    expect(chosen.locator(".us-head")).to_contain_text("conv1 · unit 3")
    expect(kept.locator(".us-head")).to_contain_text("conv2 · unit 30")


@pytest.mark.slow
def test_another_network_has_no_pin(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/{UNITS}&pin=conv2:5")
    expect(page.locator(".st-key-unit_pinned .us-head")).to_contain_text("conv2 · unit 5")
    page.get_by_role("combobox", name="Network").select_option("other")
    expect(page).to_have_url(re.compile("network=other"))
    expect(page).not_to_have_url(re.compile("pin="))


@pytest.mark.slow
def test_on_a_phone_they_stack(browser: Browser, profiled_server: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    seen = watch(page)
    page.goto(f"{profiled_server}/{UNITS}&pin=conv2:5")
    chosen, kept = page.locator(".st-key-unit_panel"), page.locator(".st-key-unit_pinned")
    expect(kept.locator(".photo").first).to_be_visible()
    expect(chosen.locator(".photo").first).to_be_visible()
    above, below = kept.bounding_box(), chosen.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"] + 1
    assert above["width"] > 300
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
    assert seen == []
