"""What every page has in common, in a real browser: addresses, keys, notices."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.slow import slow
from tests.ui.browser import await_masks, await_rerun

pytestmark = [pytest.mark.thorough, pytest.mark.browser]
SELECTION = "network=classy&dataset=classed"
expect.set_options(timeout=20_000)


@pytest.mark.parametrize("name", ["home", slow("Home"), slow("home/")])
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


UNITS = f"units?{SELECTION}&layer=conv2"
PUT_BACK = "No longer silenced, since they were picked by hand: conv2:3"


def test_another_network_takes_the_units_picked_by_hand_out(page: Page, ready: str) -> None:
    page.goto(f"{ready}/?{SELECTION}&silence=conv2:3")
    box = page.get_by_role("combobox", name="Network")
    expect(box).to_have_value("classy")
    box.select_option("classy_other")
    expect(page.get_by_text(PUT_BACK)).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?network=classy_other&dataset=classed$"))
    page.go_back()
    expect(box).to_have_value("classy")
    expect(page).to_have_url(re.compile("silence=conv2:3"))


@pytest.mark.slow
def test_rules_are_typed_or_stepped_and_a_default_leaves_no_trace(page: Page, ready: str) -> None:
    page.goto(f"{ready}/?{SELECTION}")
    cutoff = page.get_by_role("spinbutton", name="IoU cut-off")
    expect(cutoff).to_have_value("0.040")
    cutoff.fill("0.0625")
    cutoff.press("Enter")
    expect(page).to_have_url(re.compile(r"&cutoff=0\.0625$"))
    expect(cutoff).to_have_value("0.0625")
    cutoff.fill("9")
    cutoff.press("Enter")
    expect(page).to_have_url(re.compile(r"&cutoff=0\.3$"))
    cutoff.fill("0.04")
    cutoff.press("Tab")
    expect(page).to_have_url(re.compile(r"dataset=classed$"))
    least = page.get_by_role("spinbutton", name="Images per concept")
    least.focus()
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    expect(page).to_have_url(re.compile(r"&min_images=13$"))
    expect(least).to_be_focused()
    least.fill("700")
    page.keyboard.press("Escape")
    await_rerun(page)
    expect(least).to_have_value("13")
    expect(page).to_have_url(re.compile(r"&min_images=13$"))


@pytest.mark.slow
def test_help_of_a_rule_opens_without_a_pointer_that_hovers(page: Page, ready: str) -> None:
    page.goto(f"{ready}/?{SELECTION}")
    ask = page.get_by_role("button", name="About IoU cut-off")
    ask.press("Enter")
    expect(page.get_by_text("A unit is a detector when its best IoU exceeds this.")).to_be_visible()
    ask.press("Enter")
    expect(page.get_by_text("A unit is a detector when its best IoU exceeds this.")).to_be_hidden()


def left(page: Page) -> bool:
    """Whether no box has the keyboard."""
    return bool(page.evaluate("document.activeElement === document.body"))


@pytest.mark.slow
def test_escape_after_a_search_leaves_the_filter(page: Page, ready: str) -> None:
    page.goto(f"{ready}/{UNITS}")
    page.locator(".tile").first.click()
    await_masks(page, int(page.locator(".tile").first.get_attribute("data-unit") or -1))
    await_rerun(page)
    page.keyboard.press("/")
    page.keyboard.type("red")
    expect(page.get_by_role("option", name=re.compile("^red · ")).first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"concept=red(&|$)"))
    page.keyboard.press("Escape")
    await_rerun(page)
    assert left(page)
    expect(page).to_have_url(re.compile(r"concept=red(&|$)"))
    page.keyboard.press("/")
    page.keyboard.type("blue")
    page.keyboard.press("Escape")  # closes the list, what was typed is gone
    page.keyboard.press("Escape")
    await_rerun(page)
    assert left(page)
    expect(page).to_have_url(re.compile(r"concept=red(&|$)"))
    expect(page.get_by_role("combobox", name="Concept")).to_have_value(re.compile("^red · "))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("view", "label"),
    [
        (f"{UNITS}&concept=red", "Concept"),
        slow(f"{UNITS}&concept=red", "Network"),
        slow(f"concepts?{SELECTION}&concept=red&compare=classy_other", "Concept"),
        slow(f"concepts?{SELECTION}&concept=red&compare=classy_other", "Compare with"),
        (f"ablation?{SELECTION}&silence=conv2:3,conv2:7", "Units picked by hand"),
        slow(f"ablation?{SELECTION}&part=networks&compare=classy_other", "Compare with"),
    ],
)
def test_escape_in_any_box_changes_nothing(page: Page, ready: str, view: str, label: str) -> None:
    page.goto(f"{ready}/{view}")
    box = page.get_by_role("combobox", name=re.compile(label)).first
    box.wait_for()
    await_rerun(page)
    before = page.url
    for _ in range(2):
        box.focus()
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        await_rerun(page)
        assert left(page)
        assert page.url == before


@pytest.mark.slow
def test_escape_in_a_table_keeps_the_chosen_row(page: Page, ready: str) -> None:
    page.goto(f"{ready}/concepts?{SELECTION}&concept=red")
    row = page.locator(".st-key-concept_table .row[aria-selected=true]")
    row.scroll_into_view_if_needed()
    row.focus()
    page.keyboard.press("Escape")
    await_rerun(page)
    expect(row).to_contain_text("red")
    expect(row).to_be_focused()
    expect(page).to_have_url(re.compile("concept=red"))


@pytest.mark.slow
def test_escape_takes_back_a_number_that_was_only_typed(page: Page, ready: str) -> None:
    page.goto(f"{ready}/ablation?{SELECTION}")
    exact = page.get_by_role("spinbutton", name="Units of each layer, exactly")
    exact.fill("17")
    exact.press("Escape")
    expect(exact).to_have_value("3")
    await_rerun(page)
    assert "percent" not in page.url


def test_keys_that_belong_to_the_browser_reach_it(page: Page, ready: str) -> None:
    page.goto(f"{ready}/{UNITS}")
    page.locator(".tile").nth(2).click()
    expect(page).to_have_url(re.compile(r"unit=\d+"))
    before = page.url
    for key in ("Alt+ArrowRight", "Control+ArrowRight", "Meta+ArrowRight", "Alt+s"):
        page.locator(".tile").nth(2).dispatch_event("keydown", pressed(key))
        await_rerun(page)
        assert page.url == before
    held = {**pressed("s"), "repeat": True}
    page.locator(".tile").nth(2).dispatch_event("keydown", held)  # held down, it would flicker
    await_rerun(page)
    assert page.url == before


def pressed(key: str) -> dict[str, object]:
    *modifiers, name = key.split("+")
    names = {"Alt": "altKey", "Control": "ctrlKey", "Meta": "metaKey"}
    return {"key": name, "bubbles": True, "composed": True} | {names[one]: True for one in modifiers}


@pytest.mark.parametrize("width", [1440, slow(390)])
def test_units_that_are_not_taken_are_named_where_they_were_typed(page: Page, ready: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{ready}/ablation?{SELECTION}&silence=conv2:3,conv2:9999,nope:1&percent=7")
    line = page.get_by_text("Of the units picked by hand, not taken")
    expect(line).to_contain_text("“conv2:9999” (units of conv2 are numbered 0 to 31)")
    expect(line).to_contain_text("“nope:1” (there is no layer “nope”")
    expect(page).to_have_url(re.compile("silence=conv2(:|%3A)3(&|$)"))
    done = page.get_by_text(re.compile(r"^All \d+ images"))  # in steps, each of which draws the page anew
    expect(done).to_be_visible()
    expect(line).to_be_visible()
    expect(done).not_to_contain_text("random control")
    await_rerun(page)
    box = page.get_by_role("combobox", name="Units picked by hand")
    box.click()
    expect(box).to_be_focused()
    page.keyboard.type("conv2:77, conv1:2")
    page.keyboard.press("Enter")
    expect(line).to_contain_text("“conv2:77”")
    expect(line).not_to_contain_text("9999")
    expect(line).to_be_in_viewport()
    expect(page).to_have_url(re.compile("silence=conv1(:|%3A)2(,|%2C)conv2(:|%3A)3(&|$)"))
    await_rerun(page)
    expect(line).to_be_visible()
    page.goto(page.url.replace("ablation", "relevance"))
    expect(page.get_by_role("heading", name="Relevance", exact=True)).to_be_visible()
    await_rerun(page)
    expect(line).to_have_count(0)


@pytest.mark.slow
def test_a_line_stays_on_its_page(page: Page, ready: str) -> None:
    page.goto(f"{ready}/ablation?{SELECTION}&class=panl")
    line = page.get_by_text("The link asks for class “panl”")
    expect(line).to_be_visible()
    page.get_by_role("link", name="Relevance", exact=True).click()
    expect(page.get_by_role("heading", name="Relevance", exact=True)).to_be_visible()
    expect(line).to_have_count(0)
