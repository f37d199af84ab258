"""From a click in the unit grid to the unit's masks on screen, in a real browser.

    python -m benchmarks.click_to_masks --network small --dataset planted [--json FILE]

Starts the dashboard over the configured cache (or takes `--url` of a running one), which must hold the
profile already. The clock runs in the page: from the click's dispatch until the gallery of that unit has been
painted and at least twelve of its photographs are decoded. Median over 20 units after 5 that warm up; no unit
twice.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.ui.browser import launch, serving

WARM_UP, CLICKS, TARGET = 5, 20, 500.0
# Resolves with milliseconds. Everything lives in shadow roots, hence the walk.
CLICK = """place => new Promise((resolve, reject) => {
  const find = (selector, root = document) => {
    for (const node of root.querySelectorAll('*')) if (node.shadowRoot) {
      const found = node.shadowRoot.querySelector(selector) || find(selector, node.shadowRoot);
      if (found) return found;
    }
  };
  const tile = find(`.tile[data-index="${place}"]`), unit = tile.dataset.unit;
  const start = performance.now();
  tile.click();
  const look = () => {
    const place = document.querySelector('.st-key-gallery'), gallery = place && find('.gallery', place);
    const images = [...(gallery?.querySelectorAll('.photos img') ?? [])].slice(0, 12);
    if (gallery?._state?.data.unit.endsWith('/' + unit) && gallery.dataset.painted === gallery._state.version
        && images.length && images.every(image => image.complete && image.naturalWidth)) {
      return requestAnimationFrame(() => resolve(performance.now() - start));   // the frame that shows it
    }
    if (performance.now() - start > 20000) return reject(new Error(`unit ${unit} did not appear`));
    requestAnimationFrame(look);
  };
  look();
})"""


def measure(page: Page, address: str) -> list[float]:
    """Milliseconds of each measured click."""
    page.goto(address)
    try:
        page.locator(".tile").first.wait_for(timeout=60_000)
    except PlaywrightTimeoutError as error:
        said = " ".join(page.locator("[data-testid=stMain]").inner_text().split())
        raise SystemExit(f"There is no grid to click in at {address}; the page says: {said}") from error
    page.wait_for_timeout(2000)  # the tiles' own pictures are no part of a click
    taken = []
    for place in range(1, WARM_UP + CLICKS + 1):
        page.locator(f".tile[data-index='{place}']").scroll_into_view_if_needed()
        page.wait_for_timeout(250)
        taken.append(float(page.evaluate(CLICK, place)))
    return taken[WARM_UP:]


def main() -> int:
    """Print, and write if asked, median, 95th percentile and all measurements."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", required=True)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--layer", default="")
    parser.add_argument("--url", help="a running dashboard; without it one is started")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    asked = {"network": options.network, "dataset": options.dataset, "layer": options.layer}
    query = urlencode({name: value for name, value in asked.items() if value})
    with contextlib.ExitStack() as stack:
        if options.url:
            base = options.url.rstrip("/")
        else:
            log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "log"
            base = stack.enter_context(serving(dict(os.environ), log))
        browser = launch(stack.enter_context(sync_playwright()))
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        taken = measure(page, f"{base}/units?{query}")
        browser.close()
    report: dict[str, Any] = {
        "median_ms": round(statistics.median(taken), 1),
        "p95_ms": round(sorted(taken)[int(0.95 * (len(taken) - 1))], 1),
        "target_ms": TARGET,
        "clicks_ms": [round(value, 1) for value in taken],
    }
    print(json.dumps(report, indent=2))
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if report["median_ms"] <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
