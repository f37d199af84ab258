"""Every explanation as a reader sees it: no formula in red, no TeX, no Markdown left over."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Locator, Page
from playwright.sync_api import TimeoutError as TooLate

from tests.slow import slow, some_slow
from tests.ui.browser import ROOT, await_true, serving
from ui.components.relevance_settings.relevance_settings import HELP
from ui.shell.how import HOW

pytestmark = [pytest.mark.thorough, pytest.mark.browser]
SELECTION = "network=classy&dataset=classed"
CLASS = "class=red+square"
VIEWS = (
    "",
    "units?layer=conv2&unit=3",
    *(f"units?layer=conv2&unit=3&below={part}" for part in ("relevance", "responses")),
    "concepts?concept=red+square&compare=classy_other",
    f"relevance?layer=conv2&{CLASS}&unit=3&compare=classy_other",
    "agreement?compare=classy_other",
    "shared?pair=red+square,panel",
    *(f"ablation?{CLASS}&part={part}" for part in ("curves", "matrix", "networks", "units", "special")),
)
SCRIPT = """
import json, sys
from pathlib import Path
import streamlit as st
for number, text in enumerate(json.loads(Path(__file__).with_suffix(".json").read_text())):
    with st.container(key=f"text{number}"):
        st.markdown(text)
with st.container(key="last"):
    st.markdown("end")
"""
# What a reader sees beside formulas and code; KaTeX keeps a formula's source for those who listen to it.
SEEN = """node => {
  const copy = node.cloneNode(true);
  copy.querySelectorAll('.katex, code, style').forEach(one => one.remove());
  return copy.textContent;
}"""
TEX = r"\$|\\[A-Za-z]+|\*\*|[_^]\{"
MARKDOWN = TEX + r"|`|\]\(|(?<![\w/])\*\w"
RED = """node => [...node.querySelectorAll('*')].filter(one =>
  one.matches('.katex-error') || getComputedStyle(one).color === 'rgb(204, 0, 0)').length"""
WIDER = """node => [...node.querySelectorAll('.katex-display')].filter(one =>
  one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === 'visible').length"""


@pytest.fixture(scope="module")
def pointed_at() -> set[str]:
    """Labels whose tooltip has been read already."""
    return set()


def clean(shown: Locator, what: str, left_over: str = MARKDOWN) -> None:
    """Fails where a formula is red, wider than its place, or where TeX or Markdown is left over."""
    red, seen, wider = shown.evaluate(f"node => [{RED}, {SEEN}, {WIDER}].map(look => look(node))")
    assert red == 0, f"red: {what}"
    left = re.findall(left_over, seen)
    assert left == [], f"{left} left over: {what}"
    assert wider == 0, f"cut off: {what}"


def pointed(page: Page, place: Locator) -> Locator:
    """The tooltip of a place; pointed at once more where the page was drawn anew under the pointer."""
    shown = page.get_by_test_id("stTooltipContent").first
    for _ in range(3):
        place.hover()
        with contextlib.suppress(TooLate):
            shown.wait_for(timeout=4000)
            break
        page.mouse.move(0, 0)
    shown.wait_for()
    return shown


def help_texts() -> list[str]:
    """Every text that stands as `help=` in the code; what a name would say in it is x."""
    found = []
    for folder in ("ui", "pages"):
        for path in sorted((ROOT / folder).glob("**/*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.keyword) and node.arg == "help":
                    found.append(words(node.value))
    return [text for text in found if text]


def words(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(words(part) if isinstance(part, ast.Constant) else "x" for part in node.values)
    return ""


@pytest.mark.parametrize("width", [1440, slow(390)])
def test_every_explanation_and_help_text(browser: Browser, tmp_path: Path, width: int) -> None:
    texts = [*HOW.values(), *HELP.values(), *help_texts()]
    assert len(texts) > len(HOW) + 20
    script = tmp_path / "texts.py"
    script.write_text(SCRIPT)
    script.with_suffix(".json").write_text(json.dumps(texts))
    with serving({**os.environ}, tmp_path / "log", script=script) as address:
        context = browser.new_context(viewport={"width": width, "height": 1000})
        page = context.new_page()
        page.goto(address)
        page.locator(".st-key-last").wait_for()
        formulas = [len(re.findall(r"(?m)^\$\$$", text)) // 2 for text in texts]
        await_true(
            page, "wanted => document.querySelectorAll('.katex-display').length >= wanted", arg=sum(formulas)
        )
        for number, (text, wanted) in enumerate(zip(texts, formulas, strict=True)):
            shown = page.locator(f".st-key-text{number}")
            shown.locator("p").first.wait_for()
            clean(shown, text[:60])
            assert shown.locator(".katex-display").count() == wanted, text[:60]
        context.close()


@pytest.mark.slow
@pytest.mark.parametrize("view", some_slow(VIEWS, (*VIEWS[:2], *VIEWS[4:6], VIEWS[8])))
def test_every_popover_and_tooltip_of_a_page(page: Page, ready: str, view: str, pointed_at: set[str]) -> None:
    page.goto(f"{ready}/{view}{'&' if '?' in view else '?'}{SELECTION}")
    page.locator("h1").wait_for()
    await_true(page, "!document.querySelector('[data-testid=stStatusWidget], [data-testid=stSpinner]')")
    popovers = page.get_by_role("button", name="How computed")
    for at in range(popovers.count()):
        popovers.nth(at).click()
        shown = page.get_by_test_id("stPopoverBody")
        shown.locator("strong").first.wait_for()
        clean(shown, f"popover {at}")
        page.keyboard.press("Escape")
        shown.wait_for(state="hidden")
    tooltips = page.locator("[data-testid=stTooltipIcon]:visible:not([data-testid=stElementToolbar] *)")
    for at in range(tooltips.count()):
        label = tooltips.nth(at).locator("xpath=../..").inner_text()
        if label in pointed_at:  # the sidebar is the same on every page
            continue
        pointed_at.add(label)
        clean(pointed(page, tooltips.nth(at)), f"tooltip {at}")
        shown = page.get_by_test_id("stTooltipContent").first
        page.mouse.move(0, 0)
        shown.wait_for(state="hidden")
    clean(page.locator("[data-testid=stMain]"), "the page", TEX)  # messages of the core quote commands
