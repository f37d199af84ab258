"""The ablation page in a real browser: slider, chart, address, undo, units picked elsewhere."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Locator, Page, expect

from tests.slow import slow
from tests.ui.browser import watch

pytestmark = pytest.mark.browser
SELECTION = "network=classy&dataset=classed&class=red+square"
WAIT = 60_000
expect.set_options(timeout=40_000)


def facts(page: Page) -> Locator:
    """The sentence that heads the page."""
    return page.get_by_text(re.compile("silencing|nothing is silenced")).first


def chart(page: Page) -> Locator:
    return page.locator(".bars svg")


@pytest.mark.thorough
def test_slider_to_chart_to_address_and_back(page: Page, browser: Browser, ready: str) -> None:
    page.goto(f"{ready}/ablation?{SELECTION}")
    expect(facts(page)).to_contain_text("the top 3 %")
    expect(chart(page)).to_contain_text("silenced: the top 3 %")
    slider = page.get_by_role("slider", name="Units of each layer")
    expect(slider).to_have_value("3")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("percent=20"))
    expect(chart(page)).to_contain_text("silenced: the top 20 %")
    expect(facts(page)).to_contain_text("k = 5 + 6 units of conv1, conv2")
    page.get_by_role("radio", name="bottom").or_(page.get_by_text("bottom", exact=True)).first.click()
    expect(page).to_have_url(re.compile("direction=bottom"))
    expect(chart(page)).to_contain_text("silenced: the bottom 20 %")
    expect(facts(page)).to_contain_text("the bottom 20 %")  # the sentence comes after the chart
    told = facts(page).inner_text()

    page.reload()
    expect(facts(page)).to_have_text(told)
    expect(slider).to_have_attribute("aria-valuetext", "20 %")
    other = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    other.goto(page.url)
    expect(facts(other)).to_have_text(told, timeout=WAIT)
    other.context.close()

    page.get_by_role("button", name="Reset").click()
    expect(facts(page)).to_contain_text("the top 3 %")
    expect(page).not_to_have_url(re.compile("percent=|direction="))
    page.get_by_role("button", name="Undo").click()
    expect(facts(page)).to_have_text(told)
    expect(page).to_have_url(re.compile("direction=bottom.*percent=20|percent=20.*direction=bottom"))


def test_typed_number_is_estimated_to_the_end(page: Page, ready: str) -> None:
    page.goto(f"{ready}/ablation?{SELECTION}")
    expect(chart(page)).to_contain_text("silenced: the top 3 %")
    page.get_by_label("Units of each layer, exactly").fill("43")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("percent=43"))
    expect(chart(page)).to_contain_text("silenced: the top 43 %")
    expect(facts(page)).to_contain_text("as many random units cost", timeout=WAIT)
    expect(page.get_by_text(re.compile(r"^All \d+ images"))).to_be_visible()
    expect(page.get_by_role("slider", name="Units of each layer")).to_have_attribute("aria-valuetext", "43 %")


@pytest.mark.slow
def test_abandoned_setting_gives_way(page: Page, ready: str) -> None:
    page.goto(f"{ready}/ablation?{SELECTION}&percent=51")
    exact = page.get_by_label("Units of each layer, exactly")
    for value in ("52", "53", "54", "10"):
        exact.fill(value)
        page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("percent=10(&|$)"), timeout=WAIT)
    expect(facts(page)).to_contain_text("the top 10 %", timeout=WAIT)
    page.wait_for_timeout(1500)
    expect(facts(page)).to_contain_text("the top 10 %")


@pytest.mark.slow
def test_units_picked_on_their_page_and_in_the_grid_arrive(page: Page, ready: str) -> None:
    page.goto(f"{ready}/units?network=classy&dataset=classed&layer=conv2&unit=5")
    page.get_by_text("Silence this unit").click()
    expect(page).to_have_url(re.compile(r"silence=conv2(:|%3A)5"))
    tile = page.locator(".tile[data-unit='9']")
    tile.hover()
    tile.locator(".mute").click()
    expect(page).to_have_url(re.compile(r"silence=conv2(:|%3A)5(,|%2C)conv2(:|%3A)9"))
    expect(tile).to_have_class(re.compile("silent"))
    expect(page).to_have_url(re.compile("unit=5"))
    tile.focus()
    page.keyboard.press("s")
    expect(tile).not_to_have_class(re.compile("silent"))
    expect(page).to_have_url(re.compile(r"silence=conv2(:|%3A)5(&|$)"))
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile(r"silence=conv2(:|%3A)5(,|%2C)conv2(:|%3A)9"))
    expect(page.get_by_role("link", name="Effect of silencing 2 units")).to_be_visible()
    page.get_by_role("link", name="Effect of silencing 2 units").click()
    expect(facts(page)).to_contain_text("2 units picked by hand (k = 2 units of conv2)")
    expect(page.get_by_text("conv2:5", exact=True)).to_be_visible()
    page.get_by_role("button", name=re.compile("Remove.*conv2:5|conv2:5.*[Dd]elete|[Dd]elete")).first.click()
    expect(facts(page)).to_contain_text("1 unit picked by hand")
    page.get_by_role("link", name="Units", exact=True).click()
    expect(page).to_have_url(re.compile(r"/units\?.*silence=conv2(:|%3A)9"))


@pytest.mark.slow
def test_a_press_in_the_grid_undoes_nothing_that_it_has_not_heard_of(page: Page, ready: str) -> None:
    page.goto(f"{ready}/units?network=classy&dataset=classed&layer=conv2&unit=5")
    expect(page.locator(".tile[data-unit='9'] .mute")).to_be_attached()
    expect(page.get_by_text("Silence this unit")).to_be_visible()
    page.locator(".grid").evaluate(
        """async grid => {
            document.querySelector('.st-key-silence input').click();
            while (!location.search.includes('silence')) await new Promise(go => setTimeout(go, 1));
            for (const unit of [9, 2, 2, 3])  // before the grid is told of it
                grid.querySelector(`.tile[data-unit='${unit}'] .mute`).click();
        }"""
    )
    expect(page).to_have_url(
        re.compile(r"silence=conv2(:|%3A)3(,|%2C)conv2(:|%3A)5(,|%2C)conv2(:|%3A)9(&|$)")
    )
    for unit, silent in ((9, True), (5, True), (3, True), (2, False)):
        tile = expect(page.locator(f".tile[data-unit='{unit}']"))
        (tile.to_have_class if silent else tile.not_to_have_class)(re.compile("silent"))


@pytest.mark.slow
def test_bar_and_cell_choose_the_class(page: Page, ready: str) -> None:
    page.goto(f"{ready}/ablation?{SELECTION}&percent=10&part=matrix")
    page.get_by_role("gridcell", name=re.compile("^panel, blue disc:")).click()
    expect(page).to_have_url(re.compile("class=panel"))
    expect(facts(page)).to_contain_text("for panel")
    page.go_back()
    expect(facts(page)).to_contain_text("for red square")
    page.locator(".bars .row").nth(2).click()
    expect(page).not_to_have_url(re.compile("class=red"))
    expect(page.locator(".bars .row").first).not_to_contain_text("red square")


@pytest.mark.slow
@pytest.mark.parametrize("part", ["curves", slow("matrix"), slow("networks"), slow("units"), slow("special")])
def test_narrow_and_dark(browser: Browser, ready: str, part: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    opened = context.new_page()
    found = watch(opened)
    opened.goto(f"{ready}/ablation?{SELECTION}&part={part}&compare=classy_other&silence=conv1:2,conv2:3")
    expect(chart(opened)).to_be_visible(timeout=WAIT)
    opened.wait_for_timeout(2500)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
    assert found == []
