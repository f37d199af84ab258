"""What a page keeps from somebody: axe-core over every page of the demo, light and dark, wide and narrow."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from importlib.resources import files

import pytest

from interpret_core import demo
from interpret_core.store.bundle.shipped import MANIFEST

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.slow import slow
from tests.ui.browser import serving
from ui.shell.names import file_stem

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.browser,
    pytest.mark.skipif(not (demo.RESULTS / MANIFEST).is_file(), reason="demo/results is not made yet"),
]
HERE = "network=demo/alexnet&dataset=demo"
PAGES = {  # address -> what is there once it is drawn
    "?dataset=demo": "img",
    f"units?{HERE}&layer=conv4&unit=3": ".photos img",
    f"units?{HERE}&layer=conv4&unit=3&below=relevance": ".main-svg",
    f"concepts?{HERE}&concept=bus": ".cards a",
    f"relevance?{HERE}&layer=conv4&class=cat": ".ranked, .list",
    f"agreement?{HERE}": ".main-svg",
    f"shared?{HERE}": ".cards a",
    f"ablation?{HERE}&class=cat": ".bars svg",
    f"networks?{HERE}": "[data-testid=stFileUploader]",
    f"jobs?{HERE}": ".st-key-jobs_now, [data-testid=stCaptionContainer]",
    f"jobs?{HERE}&part=data": ".st-key-networks_here [role=row]",
    f"jobs?{HERE}&part=cache&kind=profile": ".st-key-kinds_here [role=row]",
}
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(15, 18, 24)"
WORST = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
  .filter(one => ['serious', 'critical'].includes(one.impact))
  .map(one => `${one.id}: ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 120)).join(' | ')}`)"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over the demo."""
    folder = tmp_path_factory.mktemp("accessible")
    hidden = ("INTERPRET_DEMO", "INTERPRET_CONFIG", "INTERPRET_DATASETS")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"INTERPRET_CACHE": str(folder / "cache"), "INTERPRET_OFFLINE": "1"}
    environment |= {"INTERPRET_UPLOADS": str(folder / "uploads")}
    with serving(environment, folder / "log") as found:
        yield found


def at_rest(page: Page) -> None:
    """Wait until nothing runs: only then does everything stand where it stays."""
    page.get_by_test_id("stStatusWidget").wait_for(state="detached", timeout=60_000)
    page.wait_for_timeout(300)


def violations(page: Page) -> list[str]:
    """Serious and critical ones, of the page as it is."""
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text() + "\n;0")
    found: list[str] = page.evaluate(WORST)
    return found


@pytest.mark.parametrize("width", [1440, slow(390)])
def test_no_page_keeps_anything_from_anybody(
    browser: Browser, address: str, width: int, slowly: bool
) -> None:
    """Every page in one scheme, light and dark by turns; with --slow in both."""
    context = browser.new_context(viewport={"width": width, "height": 1200})
    page = context.new_page()
    said = {}
    both = (("light", LIGHT), ("dark", DARK))
    for number, (place, drawn) in enumerate(PAGES.items()):
        schemes = both if slowly else both[number % 2 :][:1]
        page.emulate_media(color_scheme=schemes[0][0])  # type: ignore[arg-type]
        page.goto(f"{address}/{place}")
        page.locator(drawn).first.wait_for(timeout=60_000)
        at_rest(page)
        for scheme, paper in schemes:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            expect(page.get_by_test_id("stApp")).to_have_css("background-color", paper)
            page.wait_for_timeout(300)  # colours pass over into each other
            found = violations(page)
            if found:
                said[f"{place} {scheme}"] = found
    context.close()
    assert said == {}


def test_the_rules_find_what_they_look_for(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content("<main><p style='color: #bbb; background: #fff'>pale</p><img src='data:,'></main>")
    assert any(one.startswith("color-contrast") for one in violations(page))
    page.close()


@pytest.mark.slow
def test_figures_and_their_numbers_leave_the_page(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{address}/units?{HERE}&layer=conv4&unit=3&below=responses")
    tools = page.locator(".st-key-save_responses")
    tools.get_by_role("button", name="SVG").wait_for(timeout=60_000)
    page.locator(".st-key-responses .main-svg").first.wait_for()
    saved = {}
    for kind in ("SVG", "PNG", "CSV", "JSON"):
        with page.expect_download() as coming:
            tools.get_by_role("button", name=kind, exact=True).click()
        saved[kind] = coming.value
    stem = file_stem("Responses of conv4 unit 3 · AlexNet (demo) on demo")
    assert {one.suggested_filename.rpartition(".")[0] for one in saved.values()} == {stem}
    drawn = saved["SVG"].path().read_text()
    assert "Responses of conv4 unit 3" in drawn
    assert "AlexNet (demo) on demo" in drawn
    assert "torch 2." in drawn
    assert saved["PNG"].path().read_bytes().startswith(b"\x89PNG")
    assert "made_with" in saved["CSV"].path().read_text().splitlines()[0]
    assert len(json.loads(saved["JSON"].path().read_text())) == 64, "bins of the histogram"
    tools.get_by_role("button", name="Table", exact=True).click()
    expect(tools.get_by_role("row")).to_have_count(65)
    tools.get_by_role("button", name="Table", exact=True).click()
    expect(tools.get_by_role("row")).to_have_count(0)
    page.close()


def test_arrow_keys_lead_on_without_a_first_click(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{address}/units?{HERE}&layer=conv4")
    page.locator(".photos img").first.wait_for(timeout=60_000)
    first = page.locator(".tile[aria-pressed=true]").get_attribute("data-index")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tile[aria-pressed=true]")).to_have_attribute("data-index", str(int(first or 0) + 1))
    expect(page).to_have_url(re.compile("unit="))
    page.close()


@pytest.mark.slow
def test_chart_and_slider_of_the_ablation_are_seen_together_on_a_phone(
    browser: Browser, address: str
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}/ablation?{HERE}&class=cat")
    slider = page.get_by_role("slider").first
    slider.wait_for(timeout=60_000)
    page.locator(".bars svg").first.wait_for(timeout=60_000)
    at_rest(page)
    box, chart = slider.bounding_box(), page.locator(".bars svg").first.bounding_box()
    assert box
    assert chart
    assert chart["y"] + chart["height"] - box["y"] <= 844 - 64, "the whole chart, below the bar at the top"
    page.close()


@pytest.mark.slow
def test_buttons_do_not_lie_over_a_drawing_where_nothing_hovers(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/ablation?{HERE}&class=cat")
    drawing = page.locator(".bars .room svg").first
    drawing.wait_for(timeout=60_000)
    at_rest(page)
    tools, drawn = page.locator(".bars .tools").bounding_box(), drawing.bounding_box()
    assert tools
    assert drawn
    assert tools["y"] + tools["height"] <= drawn["y"]
    context.close()


@pytest.mark.slow
def test_a_phone_is_told_of_no_heads_where_the_table_has_none(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}/concepts?{HERE}")
    press = page.get_by_text("Press a row to compare its concept")
    press.wait_for(timeout=60_000)
    sort, head = page.get_by_text("a head to sort"), page.locator(".st-key-concept_table .head")
    for width, heads in ((390, False), (900, False), (1440, True)):  # at 900 the sidebar takes the room
        page.set_viewport_size({"width": width, "height": 844})
        expect(head).to_be_visible(visible=heads)
        expect(sort).to_be_visible(visible=heads)
        expect(press).to_be_visible()
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "figure"),
    [
        slow(f"ablation?{HERE}&class=refrigerator&part=units", "[class*='st-key-effects_']"),
        (f"units?{HERE}&layer=conv4&unit=3&below=relevance", "[data-testid=stPlotlyChart]"),
    ],
)
def test_titles_of_axes_are_whole_on_a_phone(browser: Browser, address: str, place: str, figure: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}/{place}")
    title = page.locator(f"{figure} .xtitle")
    title.wait_for(timeout=60_000)
    at_rest(page)
    box, around = title.bounding_box(), page.locator(f"{figure} .main-svg").first.bounding_box()
    assert box
    assert around
    assert around["x"] <= box["x"]
    assert box["x"] + box["width"] <= around["x"] + around["width"]
    page.close()


@pytest.mark.slow
def test_bars_of_networks_are_as_high_and_only_slanted_names_take_room(
    browser: Browser, address: str, slowly: bool
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}/concepts?{HERE}&compare=demo/resnet18")
    figures = page.locator("[class*='st-key-bars_'] .js-plotly-plot")
    figures.nth(1).locator(".legend").wait_for(timeout=60_000)
    for width in (390, 1440) if slowly else (390,):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(1000)  # drawn anew
        plots = [figures.nth(at).locator(".nsewdrag").bounding_box() for at in (0, 1)]
        assert plots[0]
        assert plots[1]
        assert plots[0]["height"] == pytest.approx(plots[1]["height"], abs=1)
        names = [one.bounding_box() for one in figures.first.locator(".xtick text").all()]
        legend = figures.first.locator(".legend .bg").bounding_box()
        assert legend
        below = legend["y"] - max(box["y"] + box["height"] for box in names if box)
        assert 0 <= below < 35, "names of five layers lie flat: nothing is left free for slanted ones"
    page.close()


@pytest.mark.slow
def test_no_message_relies_on_what_the_browser_may_have_thrown_away(browser: Browser, address: str) -> None:
    """Where two reruns overlap, a reference to an earlier message would end the session."""
    page = browser.new_page()
    frames: list[bytes] = []
    page.on(
        "websocket",
        lambda socket: socket.on(
            "framereceived", lambda frame: frames.append(frame) if isinstance(frame, bytes) else None
        ),
    )
    page.goto(f"{address}/units?{HERE}&layer=conv4")
    page.locator(".photos img").first.wait_for(timeout=60_000)
    page.locator(".tile").first.wait_for(timeout=60_000)  # the grid, which the arrows are for, comes after
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("unit="))
    page.get_by_test_id("stStatusWidget").wait_for(state="detached", timeout=60_000)
    got = [ForwardMsg.FromString(frame) for frame in frames]
    assert max(map(len, frames)) > 10_000, "what Streamlit would keep by default"
    assert not [one for one in got if one.metadata.cacheable or one.WhichOneof("type") == "ref_hash"]
    page.close()


def test_a_table_is_sorted_and_read_with_the_keys(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{address}/concepts?{HERE}")
    rows = page.locator(".st-key-concept_table .row")
    rows.first.wait_for(timeout=60_000)
    head = page.get_by_role("columnheader", name="best IoU")
    numbers = rows.locator(".cell:nth-child(6)")
    for way, down in (("descending", True), ("ascending", False)):
        head.get_by_role("button").press("Enter")
        expect(head).to_have_attribute("aria-sort", way)
        shown = [float(text.rpartition(" ")[2]) for text in numbers.all_text_contents()]
        assert len(shown) > 100
        assert shown == sorted(shown, reverse=down)
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "none")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    name = rows.nth(1).locator(".cell").first.text_content()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"concept={name}"))
    expect(page.locator(".st-key-concept_table .row[aria-selected=true]")).to_contain_text(name or "")
    expect(rows.nth(1)).to_be_focused()
    page.close()


# Of each cell, the name that stands above its value, and where it ends.
CELLS = """cells => cells.map(cell =>
  [getComputedStyle(cell, '::before').content, cell.getBoundingClientRect().right])"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "rows"), [("units?{}&layer=conv4&unit=3", 5), slow("agreement?{}&compare=demo/vgg11", 2)]
)
def test_a_small_table_has_help_where_there_is_room_and_blocks_on_a_phone(
    browser: Browser, address: str, place: str, rows: int
) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{address}/{place.format(HERE)}")
    table = page.get_by_test_id("stMain").get_by_role("table").first
    expect(table.get_by_role("row")).to_have_count(1 + rows, timeout=60_000)
    heads = table.get_by_role("columnheader").all()
    names = [head.text_content() for head in heads]
    assert all(head.get_attribute("title") for head in heads[2:])
    page.set_viewport_size({"width": 390, "height": 844})
    expect(table.get_by_role("row")).to_have_count(rows)
    told = table.get_by_role("row").first.get_by_role("cell").evaluate_all(CELLS)
    shown = [name.strip('"') for name, _ in told]
    assert shown == ["none", "none", *names[2:]], "the first two say by themselves what they are"
    assert max(right for _, right in told) <= 390
    page.close()


@pytest.mark.slow
def test_the_ablation_follows_the_thumb_before_the_server_has_answered(
    browser: Browser, address: str
) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{address}/ablation?{HERE}&class=cat")
    page.locator(".bars svg").first.wait_for(timeout=60_000)
    at_once, told = page.evaluate(
        """async () => {
          const inside = one => one.shadowRoot ? all(one.shadowRoot) : [];
          const all = root => [...root.querySelectorAll('*')].flatMap(one => [one, ...inside(one)]);
          const found = selector => all(document).find(one => one.matches(selector));
          const range = found('.steps input[type=range]');
          const title = () => found('.bars .room svg').getAttribute('aria-label');
          range.value = 6;
          range.dispatchEvent(new Event('input', { bubbles: true }));
          const now = title();
          range.dispatchEvent(new Event('change', { bubbles: true }));
          await new Promise(done => setTimeout(done, 3000));
          return [now, title()];
        }"""
    )
    assert "the top 20\N{NO-BREAK SPACE}% for cat" in at_once
    assert told == at_once, "the server says the same"
    expect(page).to_have_url(re.compile("percent=20"))
    page.close()
