"""From `make run` to a first page that shows something: a fresh process and cache, the demo's Units page.

    python -m benchmarks.cold_start [--checkout FOLDER …] [--rounds N]

What pip and the browser do is left out. With several checkouts each round starts one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.rerun_cost import DEMO
from benchmarks.visitors import Visitor, served
from tests.ui.browser import ROOT

ROUNDS = 7


async def opened(address: str) -> None:
    """Look at the page until it is drawn."""
    async with Visitor(address) as visitor:
        found = await visitor.open("units", urlencode(DEMO))
        if found.errors:
            raise SystemExit(f"The page says: {found.errors[0]}")


def seconds(checkout: Path) -> tuple[float, float]:
    """Until the server answers, and until the page is drawn."""
    begin = time.perf_counter()
    with served(checkout) as server:
        answered = time.perf_counter() - begin
        asyncio.run(opened(server.address))
        return answered, time.perf_counter() - begin


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkout", type=Path, nargs="+", default=[ROOT], help="before first, then after")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    checkouts = [one.resolve() for one in options.checkout]
    found: list[list[tuple[float, float]]] = [[] for _ in checkouts]
    for number in range(1 + options.rounds):
        for own, checkout in zip(found, checkouts, strict=True):
            one = seconds(checkout)
            if number:  # the first fills the system's file cache
                own.append(one)
    middles = [[statistics.median(one) for one in zip(*own, strict=True)] for own in found]
    for checkout, (answers, drawn) in zip(checkouts, middles, strict=True):
        print(f"{checkout}: answers after {answers:.2f} s, page drawn after {drawn:.2f} s")
    if len(middles) > 1:
        print(f"times faster, first to last: {middles[0][1] / middles[-1][1]:.2f}")


if __name__ == "__main__":
    main()
