"""From letting go of the ablation slider to the chart that shows it, in a real browser.

    python -m benchmarks.slider_to_chart --network demo/alexnet --dataset demo --class bench [--json FILE]

Starts the dashboard over the configured cache (or takes `--url` of a running one). Two measurements:
    grid: steps of the slider, which have to be in the store (the page's button, or its job, computes them);
    hand: the same with units picked by hand, other ones for every page load, so that no answer is stored;
        the clock stops at the first estimate, that is, as soon as the chart shows the new setting at all.
The clock runs in the page: from the slider's change event until the frame that has painted a chart whose
title names the new share. p50 and p95 over all moves after those that warm up; beside them, in the same run,
the naive evaluation (decode everything, the whole network), which they are related to.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from benchmarks import ablation_bench
from interpret_core.runtime.reporter import Reporter
from interpret_core.store.store import Store
from tests.ui.browser import launch, serving

GRID_TARGET, HAND_TARGET = 300.0, 1000.0  # p95 in milliseconds
PICKED = 6  # units by hand
WARM_UP = 3  # moves of each page load that are not counted
# Index of a step to milliseconds. Components live in shadow roots, hence the walk.
MOVE = """place => new Promise((resolve, reject) => {
  const find = (selector, root = document) => {
    for (const node of root.querySelectorAll('*')) if (node.shadowRoot) {
      const found = node.shadowRoot.querySelector(selector) || find(selector, node.shadowRoot);
      if (found) return found;
    }
  };
  const range = find('.steps input[type=range]'), chart = () => find('.bars .room svg');
  const percent = find('.steps').dataset.steps.split(',')[place], before = chart();
  const named = title => title.includes(+percent ? ` ${+(+percent).toFixed(3)}\\u00a0%` : 'silenced: ')
    && (+percent || !title.includes('\\u00a0%'));
  range.value = place;
  range.dispatchEvent(new Event('input', { bubbles: true }));
  const start = performance.now();
  range.dispatchEvent(new Event('change', { bubbles: true }));
  const look = () => {
    const now = chart();
    if (now && now !== before && named(now.getAttribute('aria-label')))
      return requestAnimationFrame(() => resolve(performance.now() - start));   // the frame that shows it
    if (performance.now() - start > 60000) return reject(new Error(`no chart of ${percent} %`));
    requestAnimationFrame(look);
  };
  look();
})"""


def moves(page: Page, address: str, places: Sequence[int]) -> list[float]:
    """Milliseconds of each counted move of the slider.

    Args:
        page: of a browser.
        address: of the page, with its setting.
        places: steps to go to, one after the other, no step twice in a row.
    """
    page.goto(address)
    try:
        page.locator(".bars .room svg").first.wait_for(timeout=120_000)
        page.locator(".steps input[type=range]").first.wait_for(timeout=10_000)
    except PlaywrightTimeoutError as error:
        said = " ".join(page.locator("[data-testid=stMain]").inner_text().split())
        raise SystemExit(f"There is no slider to move at {address}; the page says: {said}") from error
    page.wait_for_timeout(3000)  # what the first view still has to load is no part of a move
    taken = []
    for place in places:
        taken.append(float(page.evaluate(MOVE, place)))
        page.wait_for_timeout(400)
    return taken[WARM_UP:]


def summary(taken: Sequence[float], naive: float, target: float) -> dict[str, Any]:
    """Median, 95th percentile, and how many times the naive evaluation takes."""
    p95 = sorted(taken)[int(0.95 * (len(taken) - 1) + 0.999)]
    return {
        "p50_ms": round(statistics.median(taken), 1),
        "p95_ms": round(p95, 1),
        "target_p95_ms": target,
        "naive_over_p95": round(naive / p95, 2),
        "moves_ms": [round(value, 1) for value in taken],
    }


def naive_ms(network: str, dataset: str) -> tuple[float, dict[str, int]]:
    """Milliseconds of evaluating everything anew, and the units of every inner layer."""
    plan = ablation_bench.Plan(network, dataset, 1)
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
        bench = ablation_bench.Bench.prepared(plan, store, Reporter())
        setting = bench.picked(0, bench.plan.inner)
        bench.naive(setting)
        spent = statistics.median(bench.naive(setting).whole for _ in range(3))
        widths = {layer.name: layer.units for layer in bench.plan.layers if layer.name in bench.plan.inner}
    return 1000 * spent, widths


def picked(widths: dict[str, int]) -> str:
    """Units of the inner layers as the address writes them; others in every run."""
    every = [(name, unit) for name, units in widths.items() for unit in range(units)]
    return ",".join(f"{name}:{unit}" for name, unit in sorted(random.sample(every, PICKED)))


def main() -> int:
    """Print, and write if asked, both measurements; the exit status says whether both meet their target."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", required=True)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--class", dest="name", required=True, help="to silence for")
    parser.add_argument("--rounds", type=int, default=4, help="page loads of each measurement")
    parser.add_argument("--url", help="a running dashboard; without it one is started")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    naive, widths = naive_ms(options.network, options.dataset)
    places = [1, 4, 2, 5, 3, 6, 1, 5]  # steps of 1 to 20 %
    setting = {"network": options.network, "dataset": options.dataset, "class": options.name}
    with contextlib.ExitStack() as stack:
        if options.url:
            base = options.url.rstrip("/")
        else:
            log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "log"
            base = stack.enter_context(serving(dict(os.environ), log))
        browser = launch(stack.enter_context(sync_playwright()))
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        grid, hand = [], []
        for _ in range(options.rounds):
            grid += moves(page, f"{base}/ablation?{urlencode(setting)}", places)
        for _ in range(options.rounds):
            units = {"silence": picked(widths)}
            # No step twice: the second time its answers may be in the store.
            hand += moves(page, f"{base}/ablation?{urlencode(setting | units)}", places[:6])
        browser.close()
    found = {"grid": summary(grid, naive, GRID_TARGET), "hand": summary(hand, naive, HAND_TARGET)}
    report = {**found, "naive_ms": round(naive, 1)}
    print(json.dumps(report, indent=2))
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    met = all(one["p95_ms"] <= one["target_p95_ms"] for one in found.values())
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
