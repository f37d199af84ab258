"""The walk through relevance in a real browser: cell, ranked units, unit page, back, shared link."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.ui.conftest import server_environment

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.slow import slow
from tests.ui.browser import serving, watch

pytestmark = pytest.mark.browser
SELECTION = "network=classy&dataset=classed"
WAIT = 60_000
HTML = "text/html; charset=utf-8"
COMPONENTS = Path(__file__).resolve().parents[2] / "ui/components"
expect.set_options(timeout=40_000)


@pytest.fixture(scope="module")
def ready(installation: Path, related: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over a cache with the result, below a path of its own."""
    log = tmp_path_factory.mktemp("related") / "log"
    options = ("--server.baseUrlPath", "scope")
    with serving(server_environment(installation, related), log, *options, base="/scope") as address:
        yield address


def cell(page: Page, row: str, column: str) -> Locator:
    return page.get_by_role("gridcell", name=re.compile(f"^{row}, {column}:")).first


def await_maps(page: Page) -> None:
    """Wait until both large pictures carry their map."""
    expect(page.locator(".stage .mapped image").first).to_be_attached(timeout=WAIT)
    expect(page.locator(".stage .pixel image").first).to_be_attached(timeout=WAIT)


@pytest.mark.thorough
def test_cell_to_ranked_units_to_the_unit_and_back(page: Page, browser: Browser, ready: str) -> None:
    page.goto(f"{ready}/relevance?{SELECTION}&compare=classy_other")
    cell(page, "conv2", "red square").click()
    expect(page).to_have_url(re.compile(r"layer=conv2&class=red(\+|%20)square"))
    expect(page.get_by_role("heading", name=re.compile("conv2 for red square in classy"))).to_be_in_viewport()
    units = page.locator(".ranked .unit")
    expect(units).to_have_count(12)
    await_maps(page)
    expect(cell(page, "conv2", "red square")).to_have_attribute("aria-selected", "true")

    page.get_by_label("Units by").click()
    page.get_by_role("option", name="most for the class").click()
    expect(page).to_have_url(re.compile("order=positive"))
    page.get_by_role("radio", name="against the class").click()
    expect(page).to_have_url(re.compile("influence=against"))
    expect(page.get_by_text("what speaks against the class outweighs")).to_be_visible()
    page.get_by_role("radio", name="for or against").click()
    expect(page).not_to_have_url(re.compile("influence="))
    expect(units).to_have_count(12)
    units.nth(1).get_by_role("button", name="maps of unit").click()
    expect(page).to_have_url(re.compile(r"[?&]unit=\d+"))
    number = re.search(r"[?&]unit=(\d+)", page.url)[1]
    expect(page.get_by_text(f"Maps of unit {number}")).to_be_visible()
    await_maps(page)
    page.locator(".strip button").nth(2).click()
    expect(page).to_have_url(re.compile(r"image=\d+"))
    expect(page.locator(".maps .about")).to_contain_text("3 of 10")
    await_maps(page)
    before = page.url

    units.nth(0).get_by_role("link").click()
    unit = units.nth(0)
    expect(page.locator(".us-head")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/scope/units\?network=classy.*layer=conv2.*unit=\d+"))
    page.go_back()
    expect(units).to_have_count(12)
    expect(page, "one press of Back, and everything is as it was").to_have_url(before)
    expect(unit).to_be_visible()
    expect(page.locator(".maps .about")).to_contain_text("3 of 10")
    expect(page.locator(f".unit[data-unit='{number}'] .map")).to_have_attribute("aria-pressed", "true")

    other = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    found = watch(other)
    other.goto(before)
    expect(other.locator(f".unit[data-unit='{number}'] .map")).to_have_attribute(
        "aria-pressed", "true", timeout=WAIT
    )
    expect(other.locator(".maps .about")).to_contain_text("3 of 10")
    await_maps(other)
    other.context.close()
    assert found == []


@pytest.mark.slow
def test_cell_of_the_other_network(page: Page, ready: str) -> None:
    page.goto(f"{ready}/relevance?{SELECTION}&compare=classy_other")
    expect(page.locator(".heat")).to_have_count(2)
    page.locator(".heat").nth(1).locator(".cell").first.click()
    expect(page).to_have_url(re.compile("of=classy_other"))
    expect(page.get_by_role("heading", name=re.compile("in classy_other"))).to_be_visible()
    page.go_back()
    expect(page.locator(".ranked")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("of="))


@pytest.mark.thorough
def test_keyboard_moves_between_cells_and_chooses(page: Page, ready: str) -> None:
    page.goto(f"{ready}/relevance?{SELECTION}")
    cell(page, "conv1", "blue disc").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    before = page.locator(".heat svg").first.get_attribute("width")
    expect(cell(page, "conv2", "panel")).to_be_focused()
    expect(page.locator(".heat .tip")).to_contain_text("conv2 · panel")
    expect(page.locator(".heat .tip")).to_contain_text("3 images")
    page.set_viewport_size({"width": 1100, "height": 1000})  # drawn anew
    expect(page.locator(".heat svg").first).not_to_have_attribute("width", before or "")
    expect(cell(page, "conv2", "panel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("layer=conv2&class=panel"))
    expect(page.locator(".ranked .unit").first).to_be_visible()


def test_views_and_settings_are_part_of_the_address(page: Page, ready: str) -> None:
    page.set_viewport_size(
        {"width": 1440, "height": 1400}
    )  # a list closes where the sidebar scrolls below it
    page.goto(f"{ready}/relevance?{SELECTION}")
    page.get_by_role("radio", name="share within the class").or_(
        page.get_by_text("share within the class", exact=True)
    ).first.click()
    expect(page).to_have_url(re.compile("view=share"))
    expect(page.get_by_text("Relevance: layer integrated gradients, black baseline")).to_be_visible()
    page.get_by_text("Relevance settings", exact=True).click()
    page.get_by_role("combobox", name="Baseline").click()
    page.get_by_role("option", name="blurred image").click()
    expect(page).to_have_url(re.compile("baseline=blur"))
    expect(page.get_by_text("has not been computed yet")).to_be_visible()
    expect(page.get_by_role("button", name="Compute the relevance")).to_be_visible()
    page.go_back()
    expect(page.locator(".heat svg")).to_be_visible()


@pytest.mark.slow
def test_point_of_the_scatter_opens_its_unit(page: Page, ready: str) -> None:
    page.goto(f"{ready}/agreement?{SELECTION}&top=20")
    points = page.locator("[class*='st-key-scatter'] .scatterlayer .point")
    expect(points.first).to_be_visible()
    before = page.url
    boxes = [box for box in (point.bounding_box() for point in points.all()) if box]
    box = max(boxes, key=lambda box: box["x"])  # alone at the right
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page).to_have_url(re.compile(r"/scope/units\?.*unit=\d+"))
    expect(page.locator(".us-head")).to_be_visible()
    page.go_back()
    expect(points.first).to_be_visible()
    page.wait_for_timeout(1500)
    assert page.url == before, "and it does not lead on again"


@pytest.mark.slow
def test_share_of_units_follows_the_thumb(page: Page, ready: str) -> None:
    page.goto(f"{ready}/agreement?{SELECTION}")
    page.get_by_role("slider", name="Units marked, top").fill("20")
    expect(page.get_by_text("the top 20 % of units")).to_be_visible()
    expect(page).to_have_url(re.compile("top=20"))


@pytest.mark.slow
def test_pair_of_classes_lists_its_units(page: Page, ready: str) -> None:
    page.goto(f"{ready}/shared?{SELECTION}&top=30")
    cell(page, "blue disc", "red square").click()
    expect(page).to_have_url(re.compile("pair=blue"))
    card = page.locator(".st-key-matches_hubs a").first
    expect(card).to_contain_text(re.compile(r"unit \d+"))
    card.click()
    expect(page.locator(".us-head")).to_be_visible()
    page.go_back()
    expect(
        page.get_by_role("heading", name=re.compile("In the sets of blue disc and red square"))
    ).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("path", ["relevance", slow("agreement"), slow("shared")])
def test_narrow_and_dark(browser: Browser, ready: str, path: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    opened = context.new_page()
    found = watch(opened)
    opened.goto(f"{ready}/{path}?{SELECTION}&compare=classy_other&layer=conv2&class=panel")
    expect(opened.locator(".heat svg").first).to_be_visible(timeout=WAIT)
    opened.wait_for_timeout(2500)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    ground = opened.locator(".heat svg").first.evaluate("node => getComputedStyle(node).color")
    assert ground == "rgb(250, 250, 250)" or int(re.findall(r"\d+", ground)[0]) > 128, "light ink on dark"
    context.close()
    assert found == []


@pytest.mark.slow
def test_a_saved_heat_map_is_a_picture_of_its_own(page: Page, ready: str) -> None:
    page.goto(f"{ready}/relevance?{SELECTION}")
    expect(page.locator(".heat svg").first).to_be_visible()
    page.locator(".heat").first.hover()
    with page.expect_download() as svg:
        page.locator(".heat .tools button", has_text="SVG").first.click()
    text = Path(svg.value.path()).read_text(encoding="utf-8")
    assert (
        svg.value.suggested_filename
        == "Relevance-mass-by-layer-and-class-classy-on-classed-random-weights.svg"
    )
    assert "random weights" in text
    assert "var(--" not in text
    with page.expect_download() as png:
        page.locator(".heat .tools button", has_text="PNG").first.click()
    assert Path(png.value.path()).read_bytes()[:4] == b"\x89PNG"


def test_maps_ask_again_while_the_server_is_busy_and_show_its_words(browser: Browser) -> None:
    scripts = ("common/outline.js", "common/focus.js", "maps/maps.js")
    source = "".join((COMPONENTS / name).read_text() for name in scripts)
    script = source.replace("export default function", "window.draw = function ")
    body = "".join((COMPONENTS / name).read_text() for name in ("maps/maps.html",))
    asked: list[str] = []
    buffer = io.BytesIO()
    Image.new("RGBA", (4, 4), (255, 0, 0, 128)).save(buffer, "PNG")

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if not name:
            route.fulfill(
                body=f"<body>{body}<script>(() => {{{script}}})()</script></body>", content_type=HTML
            )
            return
        asked.append(name)
        if name == "broken":
            route.fulfill(status=503, body="The weights hold NaN.")
        elif asked.count(name) == 1 and not name.startswith("photo"):
            route.fulfill(status=429, headers={"Retry-After": "1"}, body="Ask again.")
        else:
            route.fulfill(body=buffer.getvalue(), content_type="image/png")

    def image(number: int, address: str) -> dict[str, object]:
        empty = dict.fromkeys(("name", "caption", "about", "sign", "signText"), "")
        where = {"map": f"/{address}", "pixel": f"/pixel{number}"}
        return {**empty, **where, "image": number, "lines": [], "outline": [5, 2]}

    data = {
        **{"version": "a", "images": [image(1, "one"), image(2, "broken")], "height": 4, "width": 4},
        **{"base": "/photo", "suffix": "", "concept": "cat", "masked": True, "signed": False, "open": 2},
        **{"mode": "inside", "mapText": "", "pixelText": "", "ramps": {"sizes": ["red"], "signed": ["red"]}},
    }
    page = browser.new_page()
    page.route("http://127.0.0.1/**", answer)
    page.goto("http://127.0.0.1/")
    page.evaluate("data => draw({ data, parentElement: document, setTriggerValue: () => {} })", data)
    expect(page.locator(".stage .mapped .wait")).to_have_text("The weights hold NaN.")
    expect(page.locator(".stage .pixel image")).to_have_count(2)
    expect(page.locator(".strip button").first.locator("image")).to_have_count(2)
    maps = [name for name in asked if not name.startswith("photo")]
    assert maps[0] == "broken", "what is large comes first"
    assert maps.count("broken") <= 2, "an answer that will not change is not asked for for ever"
    assert maps.count("one") == 2, "a busy server is asked again"
    page.close()
