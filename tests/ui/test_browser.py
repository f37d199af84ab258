"""The acceptance walk in a real browser: start a profile, watch it, click a unit, share the link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.conftest import server_environment

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, expect

from tests.slow import slow
from tests.ui.browser import await_masks, await_true, serving, watch

pytestmark = pytest.mark.browser
SELECTION = "network=small&dataset=planted"
WAIT = 60_000
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def live(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over an empty cache: the first test fills it from the page."""
    folder = tmp_path_factory.mktemp("live")
    with serving(server_environment(installation, folder / "cache"), folder / "log") as address:
        yield address


def unit_shown(page: Page) -> str:
    """`conv2 · unit 7` as the panel says it."""
    return page.locator(".us-head .us-sub").inner_text()


def test_profile_from_the_page_then_click_and_share(page: Page, browser: Browser, live: str) -> None:
    page.goto(f"{live}/units?{SELECTION}")
    page.get_by_role("button", name="Find what its units detect (all layers)").click()
    expect(
        page.get_by_text("You may close this tab").or_(page.get_by_text("conv2 unit").first)
    ).to_be_visible()
    page.reload()  # the job does not belong to the tab
    tile = page.get_by_role("button", name=re.compile(r"^unit \d+, .*IoU")).nth(3)
    tile.click(timeout=120_000)
    unit = int(tile.get_attribute("data-unit") or -1)
    await_masks(page, unit)
    expect(page.locator(".us-head .us-sub")).to_have_text(f"conv2 · unit {unit}")

    photos = page.locator(".photos .photo")
    expect(photos.nth(11)).to_be_attached()
    expect(page.locator(".photos .mask.line").nth(11)).to_be_attached()
    expect(page.locator(".photos .truth.line").first).to_be_attached()
    colours = [
        page.locator(f".photos .{kind}.line").first.evaluate("n => getComputedStyle(n).stroke")
        for kind in ("mask", "truth")
    ]
    assert colours[0] != colours[1]
    dashes = [
        page.locator(f".photos .{kind}.line").first.evaluate("n => getComputedStyle(n).strokeDasharray")
        for kind in ("mask", "truth")
    ]
    assert dashes[0] == "none" != dashes[1]

    page.get_by_role("button", name="Agreement").click()
    expect(page).to_have_url(re.compile("show=agreement"))
    expect(page).to_have_url(re.compile(f"unit={unit}"))
    other = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    found = watch(other)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert "network=small" in link, "defaults too: another installation may have others"
    other.goto(link)
    await_masks(other, unit, timeout=WAIT)
    expect(other.locator(".us-head .us-sub")).to_have_text(unit_shown(page))
    expect(other.locator(".gallery").first).to_have_attribute("data-mode", "agreement")
    expect(other.locator(".photos .photo")).to_have_count(photos.count())
    other.context.close()
    assert found == []


@pytest.mark.thorough
def test_keyboard_filters_and_history(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/units?{SELECTION}&layer=conv2")
    first, second = page.locator(".tile").nth(0), page.locator(".tile").nth(1)
    first.click()
    await_masks(page, int(first.get_attribute("data-unit") or -1))
    page.keyboard.press("ArrowRight")
    await_masks(page, int(second.get_attribute("data-unit") or -1))
    expect(second).to_have_attribute("aria-pressed", "true")
    page.go_back()
    await_masks(page, int(first.get_attribute("data-unit") or -1))

    page.keyboard.press("/")
    page.keyboard.type("red")
    expect(page.get_by_role("option", name=re.compile("^red · ")).first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("concept=red"))
    expect(page.get_by_text(re.compile(r"^\d+ of 32 units"))).to_be_visible()


@pytest.mark.slow
def test_photograph_enlarges_and_is_part_of_the_link(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/units?{SELECTION}&layer=conv2&unit=3")
    await_masks(page, 3)
    page.locator(".photos .photo").nth(2).click()
    expect(page.locator("dialog[open] .about")).to_contain_text("3 of 12")
    expect(page).to_have_url(re.compile(r"image=\d+"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("dialog[open] .about")).to_contain_text("4 of 12")
    address = page.url
    page.goto(address)
    expect(page.locator("dialog[open] .big img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile(r"image="))


@pytest.mark.slow
def test_back_and_forward_close_and_open_the_photograph(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/units?{SELECTION}&layer=conv2&unit=3")
    await_masks(page, 3)
    dialog, about = page.locator("dialog[open]"), page.locator("dialog[open] .about")
    page.locator(".photos .photo").nth(2).click()
    expect(page).to_have_url(re.compile(r"image=\d+"))
    third = page.url
    page.keyboard.press("ArrowRight")
    expect(page).not_to_have_url(third)
    expect(about).to_contain_text("4 of 12")
    fourth = page.url
    page.go_back()
    expect(about).to_contain_text("3 of 12")
    page.go_back()
    expect(dialog).not_to_be_visible()
    page.wait_for_timeout(700)
    expect(page).not_to_have_url(re.compile("image="))
    page.go_forward()
    expect(about).to_contain_text("3 of 12")
    page.go_forward()
    expect(about).to_contain_text("4 of 12")
    expect(page).to_have_url(fourth)
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(page).not_to_have_url(re.compile("image="))


def click_bar(page: Page, chart: str, name: str = "") -> None:
    """Click the first bar that can be hit, or the one whose tick says so."""
    bars = page.locator(f"{chart} .barlayer .point path")
    expect(bars.first).to_be_visible()
    if name:
        ticks = page.locator(f"{chart} .yaxislayer-above .ytick text").all_text_contents()
        tick = page.locator(f"{chart} .yaxislayer-above .ytick text").nth(ticks.index(name)).bounding_box()
        assert tick is not None
        middle = tick["y"] + tick["height"] / 2
        boxes = [box for box in (bar.bounding_box() for bar in bars.all()) if box and box["width"] > 2]
        box = min(boxes, key=lambda box: abs(box["y"] + box["height"] / 2 - middle))
    else:
        box = next(b for b in (bar.bounding_box() for bar in bars.all()) if b and b["height"] > 2)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.mark.slow
def test_bar_leads_to_its_units_and_one_press_back(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/concepts?{SELECTION}&cutoff=0.01")
    click_bar(page, ".st-key-bars_small")
    expect(page).to_have_url(re.compile(r"at=small%2Cconv|at=small,conv"))
    way = page.get_by_role("link", name="See these units")
    expect(way).to_be_visible()
    before = page.url
    way.click()
    expect(page).to_have_url(re.compile(r"/units\?.*layer=conv"))
    expect(page).to_have_url(re.compile(r"network=small.*cutoff=0.01"))
    expect(page.locator(".us-head")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Concepts").first).to_be_visible()
    expect(way).to_be_visible()
    expect(page).to_have_url(before)


@pytest.mark.slow
def test_concept_chosen_in_the_bars_is_marked_everywhere(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/concepts?{SELECTION}&cutoff=0.01&compare=other")
    chart = ".st-key-concept_bars"
    page.locator(chart).scroll_into_view_if_needed()  # figures are drawn when they come into view
    expect(page.locator(f"{chart} .barlayer .point path").first).to_be_visible()
    name = page.locator(f"{chart} .yaxislayer-above .ytick text").last.text_content() or ""
    click_bar(page, chart, name)
    expect(page).to_have_url(re.compile(r"concept="))
    expect(page.get_by_role("heading", name=f"{name} in each network")).to_be_in_viewport()
    expect(page.locator(f"{chart} .ytick text").filter(has_text=f"▸ {name}")).to_be_visible()
    overlap = {"small": 6, "other": 5}  # units with it, six at most
    for network in overlap:
        legend = page.locator(f".st-key-bars_{network} .legendtext").filter(has_text=re.compile(f"^{name}$"))
        expect(legend).to_be_visible()
        cards = page.locator(f".st-key-matches_{network} a")
        expect(cards).to_have_count(overlap[network])
    before, card = page.url, page.locator(".st-key-matches_other a").first
    unit = re.search(r"unit (\d+)", card.inner_text())
    assert unit is not None
    card.click()
    expect(page).to_have_url(re.compile(rf"/units\?network=other.*unit={unit[1]}&annotate="))
    await_masks(page, int(unit[1]))
    page.go_back()
    expect(page.locator(".st-key-matches_other a")).to_have_count(overlap["other"])
    expect(page).to_have_url(before)
    page.get_by_role("button", name="✕ Clear", exact=True).click()
    expect(page).not_to_have_url(re.compile(r"concept="))
    expect(page.get_by_role("heading", name="in each network")).to_have_count(0)


@pytest.mark.slow
def test_concept_list_on_a_narrow_screen_needs_no_scrolling_sideways(
    browser: Browser, profiled_server: str
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    opened = context.new_page()
    found = watch(opened)
    opened.goto(f"{profiled_server}/concepts?{SELECTION}&cutoff=0.01")
    row = opened.locator(".st-key-concept_table .row").first
    row.scroll_into_view_if_needed()
    expect(row).to_contain_text(re.compile(r"detectors \d+.*best unit conv\d #\d+.*best IoU 0\."))
    box = row.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    expect(opened.locator(".st-key-concept_table .head")).to_be_hidden()
    row.click()
    expect(opened).to_have_url(re.compile("concept="))
    expect(opened.locator(".st-key-matches_small a").first).to_be_in_viewport()
    context.close()
    assert found == []


@pytest.mark.thorough
def test_address_names_the_network_that_nobody_chose(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/")
    expect(page).to_have_url(re.compile(r"network=small&dataset=planted"))
    page.get_by_role("link", name="Units", exact=True).click()
    expect(page).to_have_url(re.compile(r"/units\?network=small&dataset=planted"))


@pytest.mark.slow
def test_menu_closes_on_a_narrow_screen(browser: Browser, profiled_server: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    opened = context.new_page()
    opened.goto(f"{profiled_server}/?{SELECTION}")
    opened.get_by_test_id("stExpandSidebarButton").click()
    opened.get_by_role("link", name="Concepts", exact=True).click()
    expect(opened.get_by_role("heading", name="Concepts").first).to_be_visible()
    expect(opened.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")
    context.close()


@pytest.mark.slow
def test_cutoff_follows_the_thumb(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/concepts?{SELECTION}")
    slider = page.get_by_role("slider", name="IoU cut-off")
    slider.fill("0.1")
    expect(page.get_by_text("IoU > 0.1;")).to_be_visible()
    expect(page).to_have_url(re.compile("cutoff=0.1"))


@pytest.mark.thorough
@pytest.mark.parametrize("path", [slow(""), "units", slow("concepts")])
def test_narrow_and_dark(browser: Browser, profiled_server: str, path: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    opened = context.new_page()
    found = watch(opened)
    opened.goto(f"{profiled_server}/{path}?{SELECTION}")
    expect(opened.locator("h1")).to_be_visible(timeout=WAIT)
    opened.wait_for_timeout(1500)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
    assert found == []


def test_outlines_of_masks_in_closed_form(page: Page) -> None:
    source = (Path(__file__).resolve().parents[2] / "ui/components/common/outline.js").read_text()
    page.goto("about:blank")
    page.add_script_tag(content=source + "\nwindow.it = { decode, outline, area, split, count };")

    def outline(runs: list[int], height: int, width: int) -> str:
        return str(
            page.evaluate("([r, h, w]) => it.outline(it.decode(r, h, w), h, w)", [runs, height, width])
        )

    assert outline([], 4, 4) == ""
    assert outline([5, 1], 4, 4) == "M1 1L2 1L2 2L1 2Z"
    assert outline([5, 2, 9, 2], 4, 4) == "M1 1L3 1L3 3L1 3Z"
    assert outline([0, 3, 3, 1, 5, 1, 6, 3], 3, 3).count("M") == 2, "a ring has an outer and an inner edge"
    assert outline([0, 1, 3, 1], 2, 2).count("M") == 2, "pixels that touch at a corner are two shapes"
    parts = page.evaluate(
        "() => { const s = it.split(it.decode([0, 3], 1, 6), it.decode([2, 3], 1, 6));"
        " return [it.count(s.hit), it.count(s.missed), it.count(s.extra)]; }"
    )
    assert parts == [1, 2, 2]


@pytest.mark.slow
def test_menu_brings_the_last_view_back(page: Page, profiled_server: str) -> None:
    page.goto(f"{profiled_server}/units?{SELECTION}&layer=conv1&cutoff=0.01")
    tile = page.locator(".tile").nth(2)
    unit = int(tile.get_attribute("data-unit") or -1)
    tile.click()
    await_masks(page, unit)
    page.get_by_role("link", name="Concepts", exact=True).click()
    expect(page.get_by_text("of 56 units")).to_be_visible()
    page.get_by_role("link", name="Units", exact=True).click()
    await_masks(page, unit)
    expect(page).to_have_url(re.compile(rf"layer=conv1.*unit={unit}"))
    expect(page).to_have_url(re.compile("cutoff=0.01"))


def test_two_thousand_tiles_are_windowed_and_reached_by_keys(page: Page) -> None:
    folder = Path(__file__).resolve().parents[2] / "ui/components/unit_grid"
    scripts = (folder.parent / "common/focus.js", folder / "grid.js")
    source = "".join(script.read_text() for script in scripts)
    source = source.replace("export default function", "window.draw = function ")
    page.goto("about:blank")
    page.set_content(
        f"<style>{(folder / 'grid.css').read_text()}</style>{(folder / 'grid.html').read_text()}"
    )
    page.add_script_tag(content=source)
    page.evaluate(
        """() => {
        window.picked = [];
        const tiles = [...Array(2048).keys()].map(unit => [unit, 'sky', '0.1', 0, 'red', 'dead']);
        const store = { getItem: () => null, setItem: () => {} };
        Object.defineProperty(window, 'sessionStorage', { value: store });
        const data = { version: 'a', tiles, selected: 0, base: '', suffix: '', height: 600, title: '' };
        draw({ data: { ...data, search: 'x', empty: 'none' }, parentElement: document,
          setTriggerValue: (name, unit) => picked.push(unit) }); }"""
    )
    assert 0 < page.locator(".tile").count() < 300
    page.locator(".tile").first.focus()
    page.keyboard.press("End")
    expect(page.locator(".tile[data-unit='2047']")).to_be_focused()
    assert page.locator(".tile").count() < 300
    await_true(page, "picked.at(-1) === 2047")


HOSTILE = "network=small&dataset=hostile&min_images=1&cutoff=0"


@pytest.mark.thorough
@pytest.mark.parametrize("path", [slow(""), slow("units"), "concepts"])
def test_hostile_names_load_and_link_nothing(page: Page, profiled_server: str, path: str) -> None:
    page.goto(f"{profiled_server}/{path}?{HOSTILE}")
    if path == "units":
        expect(page.locator(".us-head")).to_be_visible()
    elif path == "concepts":
        expect(page.locator(".st-key-concept_bars .barlayer .point").first).to_be_visible()
        bar = page.locator(".st-key-concept_bars .barlayer .point path").last
        bar.hover(force=True)
    else:
        expect(page.get_by_text("Results").first).to_be_visible()
    page.wait_for_timeout(1000)
    for tag, attribute in (("a", "href"), ("img", "src"), ("image", "href")):
        assert page.locator(f"{tag}[{attribute}*='outside.invalid']").count() == 0
    assert (
        page.locator("a").evaluate_all(
            "nodes => nodes.filter(n => `${n.getAttribute('xlink:href')}`.includes('outside')).length"
        )
        == 0
    )
