"""Names that hold signs of Markdown, HTML, TeX, keys and addresses: shown as they are, on every page."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.ui.conftest import server_environment
from tests.ui.odd_names import ALIASES, BESIDE, CLASSES, DATASET, EVERY, LAYERS, NETWORK, NOTE

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Locator, Page, expect

from tests.slow import slow, some_slow
from tests.ui.browser import ROOT, await_true, serving
from ui.shell import lists

pytestmark = [pytest.mark.thorough, pytest.mark.browser]
CLASS, LAYER = CLASSES[0], LAYERS[1]
MARKS = {mark: name for name in EVERY for mark in re.findall(r"q[a-z]\d+", name)}
VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "home": ("", {}),
    "units": (
        "units",
        {"layer": LAYER, "unit": "3", "concept": CLASS, "silence": lists.joined([f"{LAYER}:3"])},
    ),
    "units, relevance": (
        "units",
        {"layer": LAYER, "unit": "3", "below": "relevance", "concept": CLASS},
    ),
    "complaints": (
        "units",
        {"layer": LAYERS[0] + "!", "concept": CLASSES[2] + "?", "silence": lists.joined([f"{NETWORK}:9999"])},
    ),
    "jobs": ("jobs", {}),
    "jobs, data": ("jobs", {"part": "data"}),
    "concepts": ("concepts", {"concept": CLASSES[1], "compare": lists.joined([BESIDE])}),
    "relevance": (
        "relevance",
        {"layer": LAYER, "class": CLASS, "unit": "3", "compare": lists.joined([BESIDE])},
    ),
    "agreement": ("agreement", {"layer": LAYER, "class": CLASS, "compare": lists.joined([BESIDE])}),
    "shared": ("shared", {"scope": LAYER, "pair": lists.joined(CLASSES[:2])}),
    **{
        f"ablation, {part}": (
            "ablation",
            {
                "class": CLASS,
                "part": part,
                "silence": lists.joined([f"{LAYERS[0]}:3", f"{LAYERS[1]}:9999"]),
                "compare": lists.joined([BESIDE]),
                "flips": "1",
                "percent": "20",
            },
        )
        for part in ("curves", "matrix", "networks", "units", "special")
    },
}
# All that is read or heard on the page, shadow roots and figures included.
READ = """() => {
  const found = [], told = ['title', 'aria-label', 'alt', 'placeholder', 'aria-valuetext'];
  const walk = node => {
    if (node.nodeType === 3) found.push(node.data);
    if (node.nodeType === 1) {
      if (node.matches('style, script, code, .katex')) return;
      if (node.matches('td') && node.textContent.startsWith('/units?')) return;  // shown by another text
      for (const name of told) if (node.hasAttribute(name)) found.push(` ⏎ ${node.getAttribute(name)} ⏎ `);
      if (node.matches('input')) found.push(' ⏎ ' + node.value + ' ⏎ ');
      if (!getComputedStyle(node).display.startsWith('inline')) found.push(' ⏎ ');
    }
    for (const child of node.shadowRoot?.childNodes ?? []) walk(child);
    for (const child of node.childNodes) walk(child);
    if (node.nodeType === 1 && !getComputedStyle(node).display.startsWith('inline')) found.push(' ⏎ ');
  };
  walk(document.body);
  return found.join('');
}"""


BUSY = "[data-testid=stStatusWidget], [data-testid=stSpinner], [data-stale=true]"
# Middles of a figure's marks, those in its own middle first: what lies on its edge cannot be pointed at.
MARKS_OF = """figure => {
  const around = figure.getBoundingClientRect();
  const far = ([x, y]) => Math.hypot(x - around.x - around.width / 2, y - around.y - around.height / 2);
  return [...figure.querySelectorAll('.points path, .point path')].map(path => path.getBoundingClientRect())
    .filter(box => box.height && box.top > 80 && box.bottom < innerHeight)
    .map(box => [box.x + box.width / 2, box.y + box.height / 2]).sort((a, b) => far(a) - far(b));
}"""


@pytest.fixture(scope="module")
def ready(odd: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(server_environment(odd, odd / "cache"), tmp_path_factory.mktemp("odd") / "log") as address:
        yield address


def address(ready: str, view: str, network: str = NETWORK) -> str:
    path, parameters = VIEWS[view]
    return f"{ready}/{path}?{urlencode({'network': network, 'dataset': DATASET, **parameters})}"


def quiet(page: Page) -> None:
    """Wait until nothing runs and nothing more is asked for."""
    page.locator("h1").wait_for()
    for _ in range(3):
        await_true(page, f"!document.querySelector('{BUSY}')")
        page.wait_for_timeout(400)


def told_wrong(text: str) -> list[str]:
    """Places where a name's mark stands without the rest of the name, or of the part before a cut."""
    plainly = " ".join(text.replace("\u2060", "").split())
    wrong = []
    for mark, name in MARKS.items():
        whole = " ".join(name.split())
        for found in re.finditer(rf"{mark}(?!\d)", plainly):
            start = found.start() - whole.index(mark)
            cut = plainly.find("…", found.start())
            seen = plainly[max(0, start) : start + len(whole)]
            begun = plainly[max(0, start) : cut] if cut >= 0 else " "
            if seen != whole and not (begun and whole.startswith(begun)):
                wrong.append(plainly[max(0, found.start() - 60) : found.end() + 60])
    return wrong


QUICK = (
    "home",
    "jobs",
    "jobs, data",
    "units",
    "complaints",
    "concepts",
    "relevance",
    "agreement",
    "shared",
    "ablation, curves",
)
QUICK_POINTED = "units, relevance"  # a figure of Plotly's; what it says is asked for on the way
POINTED = (QUICK_POINTED, "agreement", "concepts", "ablation, curves", "ablation, units")


@pytest.mark.slow
@pytest.mark.parametrize("view", some_slow(VIEWS, (*QUICK, QUICK_POINTED)))
def test_names_are_shown_as_they_are(page: Page, ready: str, view: str, slowly: bool) -> None:
    page.goto(address(ready, view))
    quiet(page)
    assert page.get_by_test_id("stException").count() == 0
    if view == "complaints":
        expect(page.get_by_test_id("stAlert")).to_have_count(3)
    text = page.evaluate(READ)
    assert "qs1" in text
    assert told_wrong(text) == []
    assert page.locator(".katex, [data-testid=stMain] a[href^='https://outside']").count() == 0
    assert page.locator("[data-testid=stMain] img[src^='https://outside']").count() == 0
    if view in POINTED and (view == QUICK_POINTED or slowly):
        assert_told_under_the_pointer(page)


def assert_told_under_the_pointer(page: Page) -> None:
    """Of each figure of the page, what it says of a mark holds names as they are."""
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    quiet(page)
    told = [pointed_at(page, chart) for chart in page.locator(".js-plotly-plot").all()]
    assert any(told)
    assert told_wrong(" ⏎ ".join(told)) == []


def pointed_at(page: Page, chart: Locator) -> str:
    """What a figure says of one of its marks, of the first that can be pointed at."""
    chart.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    for x, y in chart.evaluate(MARKS_OF)[:8]:
        page.mouse.move(x - 3, y - 3)
        page.mouse.move(x, y, steps=4)
        page.wait_for_timeout(400)
        told = chart.locator(".hoverlayer text").all_text_contents()
        if told:
            return " ⏎ ".join(told)
    return ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        ALIASES[0],
        slow("../qn3/x"),
        slow("turned \u202eqn13\u202c"),
    ],
)
@pytest.mark.parametrize("view", ["agreement", slow("relevance")])
def test_any_name_of_a_network_can_be_looked_at(page: Page, ready: str, view: str, name: str) -> None:
    page.goto(address(ready, view, name))
    page.get_by_role("gridcell").first.wait_for()
    quiet(page)
    assert page.get_by_test_id("stException").count() == 0
    assert page.get_by_test_id("stAlert").filter(has_text="The link").count() == 0
    assert told_wrong(page.evaluate(READ)) == []
    shown = page.get_by_test_id("stMain").inner_text().replace("\u2060", "")
    assert " ".join(name.split()) in " ".join(shown.split()), "not another name of the same network"


@pytest.mark.parametrize("name", [slow("__"), "qn6" + 300 * "x"])
@pytest.mark.parametrize(
    "view",
    [
        "units",
        *map(slow, ("home", "concepts", "shared", "ablation, networks", "ablation, special")),
    ],
)
def test_every_page_of_such_a_network(page: Page, ready: str, view: str, name: str) -> None:
    page.goto(address(ready, view, name))
    quiet(page)
    assert page.get_by_test_id("stException").count() == 0
    assert page.get_by_test_id("stAlert").filter(has_text="network").count() == 0
    assert told_wrong(page.evaluate(READ)) == []


def test_a_note_is_shown_as_it_is(page: Page, ready: str) -> None:
    page.goto(address(ready, "home"))
    quiet(page)
    page.get_by_role("button", name="About the evidence").click()
    shown = page.locator(".settings .help:visible")
    shown.wait_for()
    assert shown.inner_text() == NOTE
    assert shown.locator("code, strong, a, .katex").count() == 0


TEXTS = [
    *EVERY,
    *(
        ":red[x]",
        ":smile:",
        ":9999",
        "$a$ $$b$$",
        "[b]x[/b]",
        "<b>x</b>",
        "_a_ *b* **c**",
        "a|b",
        "~~x~~",
        "# x",
    ),
    *(
        "a -- b",
        "a -> b",
        "<- a",
        "a <-> b",
        "a >= b",
        "a <= b",
        "a ~= b",
        "a--b",
        "---",
        "===",
        "***",
        "- a",
        "+ a",
    ),
    *(
        "1. a",
        "2) a",
        "> a",
        "`a`",
        "```",
        "\\",
        "\\$x\\$",
        "\\frac{1}{2}",
        "&lt;",
        "&amp; &copy;",
        "[x](y)",
        "![x](y)",
    ),
    *(
        "http://outside.invalid",
        "www.outside.invalid",
        "me@outside.invalid",
        "mailto:me@outside.invalid",
        "x://y",
    ),
    *(
        ":material/home:",
        ":streamlit:",
        ":blue-badge[x]",
        ":small[x]",
        ":a[b]{c}",
        ":foo[",
        "]",
        "[^1]",
        "[ ] a",
    ),
    *(
        "🙂",
        "🙂 a",
        "👩\u200d🔬",
        "日本",
        "e\u0301",
        "<!-- a -->",
        "<script>alert(1)</script>",
        "%{x}",
        "{{x}}",
        "a\n\nb",
    ),
]
SCRIPT = """
import json
from pathlib import Path
import streamlit as st
from ui.shell.plain import plain
texts = json.loads(Path(__file__).with_suffix(".json").read_text())
for at, text in enumerate(texts):
    shown = plain(text)
    with st.container(key=f"text-{at}"):
        st.markdown(f"**{shown}** on “{shown}”: x")
        st.caption(shown)
        st.subheader(f"*{shown}* in")
        st.warning(shown)
        st.button(shown, key=f"button{at}", help=shown)
        st.checkbox(shown, key=f"box{at}")
        st.page_link("http://127.0.0.1:1/", label=f"**{shown} · unit 3** *{shown}*")
        st.progress(0.5, text=f"{shown} · 50 %")
        st.markdown(f"| a | b |\\n|---|--:|\\n| {shown} | 1 |")
        st.pills("choice", [0], format_func=lambda _: shown, key=f"pills{at}")
        st.expander(shown).text("x")
with st.container(key="last"):
    st.text("end")
"""


def settled(shown: Locator, wanted: str) -> str:
    """The text of an element once it is what is wanted, or after twenty seconds."""
    end = time.monotonic() + 20
    while True:
        text = shown.inner_text().replace("\u2060", "").replace("keyboard_arrow_right", "")
        if " ".join(text.split()) == wanted or time.monotonic() > end:
            return " ".join(text.split())
        time.sleep(0.1)


def test_every_place_for_markdown_shows_a_text_as_it_is(browser: Browser, tmp_path: Path) -> None:
    script = tmp_path / "texts.py"
    script.write_text(SCRIPT)
    script.with_suffix(".json").write_text(json.dumps(TEXTS))
    with serving({**os.environ, "PYTHONPATH": str(ROOT)}, tmp_path / "log", script=script) as served:
        page = browser.new_page()
        page.goto(served)
        page.locator(".st-key-last").wait_for()
        page.wait_for_timeout(1000)
        for at, text in enumerate(TEXTS):
            name = " ".join(text.split())
            shown = page.locator(f".st-key-text-{at}")
            wanted = (
                f"{name} on “{name}”: x {name} {name} in {name} {name} {name} {name} · unit 3 {name} "
                f"{name} · 50 % a b {name} 1 choice {name} {name}"
            )
            assert settled(shown, wanted) == wanted
            assert shown.locator(".katex, img, [href*=outside]:not([href*='#'])").count() == 0
        page.close()
