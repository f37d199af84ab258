"""A browser may run two drawings of a component in the wrong order; what was made last is what stays."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page

from ui.components.unit_grid.unit_grid import unit_grid
from ui.shell.component import SCRIPTS, asset

pytestmark = pytest.mark.browser
BLANK = "http://127.0.0.1:9/"
TOLD = {"tiles": [], "selected": 0, "base": "", "suffix": "", "empty": "none"}
DRAW = """async ([script, html, told]) => {
  document.body.innerHTML = `<main>${html}</main>`;
  const blob = new Blob([script], { type: 'text/javascript' });
  const { drawComponent } = await import(URL.createObjectURL(blob));
  for (const one of told) {
    const data = new TextEncoder().encode(JSON.stringify(one));
    drawComponent({ data, parentElement: document.querySelector('main'), setTriggerValue() {} });
  }
  return document.querySelector('.space').getAttribute('aria-label');
}"""


@pytest.mark.parametrize(
    ("drawn", "stays"),
    [
        ([("conv1", 100.0), ("conv2", 101.0)], "conv2"),
        ([("conv2", 101.0), ("conv1", 100.0)], "conv2"),
        ([("conv2", 101.0), ("conv1", 100.0), ("conv3", None)], "conv3"),
        # The server's clock was set back: no drawing is that late.
        ([("conv2", 1000.0), ("conv1", 100.0)], "conv1"),
    ],
)
def test_the_last_drawing_stays(page: Page, drawn: list[tuple[str, float | None]], stays: str) -> None:
    page.route(
        f"{BLANK}**", lambda route: route.fulfill(body="<title>blank</title>", content_type="text/html")
    )
    page.goto(BLANK)
    assert unit_grid.__module__.endswith("unit_grid"), "its script is registered"
    (script,) = (text for name, text in SCRIPTS.items() if name.startswith("grid-"))
    told = [{**TOLD, "version": name, "title": name, **({"made_at": at} if at else {})} for name, at in drawn]
    assert page.evaluate(DRAW, [script, asset("components/unit_grid/grid.html"), told]) == stays
