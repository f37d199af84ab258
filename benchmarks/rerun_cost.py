"""What one rerun of each page costs the server, in processor time, over raw websockets.

    python -m benchmarks.rerun_cost [--checkout FOLDER …] [--profile] [--json FILE]

Starts the dashboard over a cache of its own (or the one of INTERPRET_CACHE) and walks through a few views of
every page, round after round: as a link does, which runs the whole script, and as a click does where a page
answers clicks in a part of it. The first rounds warm up. With several checkouts all are started, and each
round visits one after the other, so that a busy machine is busy for all of them.
With --profile, no comparison: the ten places of a page where its time goes, by own time and with all that
they call. A profiler makes calls dearer than they are; which are the first is what it tells.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import pstats
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from benchmarks.visitors import Answer, Served, Visitor, served
from tests.ui.browser import ROOT
from ui.shell.names import key_of

WARM, ROUNDS = 2, 6
TARGET_MS = 40.0
DEMO = {"network": "demo/alexnet", "dataset": "demo"}
HEAT = key_of("heat", DEMO["network"])


class Walk(NamedTuple):
    """Views of one page, and the clicks that its parts answer: (component, event, value)."""

    page: str
    views: Sequence[dict[str, str]]
    clicks: Sequence[tuple[str, str, object]] = ()


WALKS = (
    Walk(
        "units",
        [{"layer": "conv4", "unit": str(unit)} for unit in (3, 17, 40, 77)],
        [("unit_grid", "picked", unit) for unit in (5, 21, 60, 90)],
    ),
    Walk(
        "concepts",
        [{"cutoff": each} for each in ("0.03", "0.05", "0.06", "0.08")],
        [("live_cutoff", "settled", each) for each in (0.03, 0.05, 0.06, 0.08)],
    ),
    Walk(
        "relevance",
        [{"layer": layer, "class": name} for layer in ("conv2", "conv4") for name in ("cat", "bus")],
        [(HEAT, "cell", [row, column]) for row in (1, 3) for column in (0, 2)],
    ),
    Walk(
        "agreement",
        [{"top": each} for each in ("4", "6", "8", "10")],
        [("live_top", "settled", each) for each in (4, 6, 8, 10)],
    ),
    Walk(
        "shared",
        [{"top": each} for each in ("4", "6", "8", "10")],
        [("live_top", "settled", each) for each in (4, 6, 8, 10)],
    ),
    Walk(
        "ablation",
        [{"class": "cat", "percent": each} for each in ("1", "2", "5", "10")],
        [("ablation_percent", "settled", each) for each in (1, 2, 5, 10)],
    ),
)


class Cost(NamedTuple):
    """Of one action: processor and wall time in milliseconds, and kilobytes sent."""

    cpu_ms: float
    wall_ms: float
    kilobytes: float


async def action(server: Served, doing: Any) -> Cost:
    """Run one action alone and say what it cost."""
    await asyncio.sleep(0.03)  # what the last one left behind is no part of it
    before = server.cpu()
    found: Answer = await doing
    await asyncio.sleep(0.03)
    if found.errors:
        raise SystemExit(f"The page says: {found.errors[0]}")
    return Cost(1000 * (server.cpu() - before), 1000 * found.seconds, found.size / 1000)


async def walked(server: Served, walk: Walk) -> dict[str, list[Cost]]:
    """One round over a page: by "page" the whole script's costs, by "part" those of its clicks."""
    found: dict[str, list[Cost]] = {"page": [], "part": []}
    async with Visitor(server.address) as visitor:
        await visitor.open(walk.page, urlencode({**DEMO, **walk.views[-1]}))
        for view in walk.views:
            found["page"].append(await action(server, visitor.go(urlencode({**DEMO, **view}))))
        for click in walk.clicks:
            found["part"].append(await action(server, visitor.trigger(*click)))
    return found


async def measured(servers: Sequence[Served], walks: Sequence[Walk], rounds: int) -> list[dict[str, Any]]:
    """By server, then by page and kind of action, the median cost."""
    kept: list[dict[tuple[str, str], list[Cost]]] = [{} for _ in servers]
    for number in range(WARM + rounds):
        for walk in walks:
            for server, own in zip(servers, kept, strict=True):
                for kind, costs in (await walked(server, walk)).items():
                    if number >= WARM:
                        own.setdefault((walk.page, kind), []).extend(costs)
    return [
        {
            f"{page} {kind}": {
                name: round(statistics.median(getattr(cost, name) for cost in costs), 1)
                for name in Cost._fields
            }
            for (page, kind), costs in own.items()
            if costs
        }
        for own in kept
    ]


def middle(found: dict[str, Any], kind: str) -> float:
    """Median over the pages of the processor time of one kind of action."""
    return float(statistics.median(one["cpu_ms"] for name, one in found.items() if name.endswith(kind)))


async def places(page: str, rounds: int) -> str:
    """The ten places where the time of a page goes."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "profile"
        os.environ["UNITSCOPE_PROFILE"] = str(out)
        runner = (sys.executable, str(ROOT / "benchmarks" / "profiled_server.py"))
        with served(runner=runner) as server:
            walk = next(one for one in WALKS if one.page == page)
            for number in range(WARM + rounds):
                if number == WARM:  # forget the warming up
                    server.process.send_signal(signal.SIGUSR1)
                    await asyncio.sleep(1)
                    out.unlink()
                await walked(server, walk)
            server.process.send_signal(signal.SIGUSR1)
            end = time.monotonic() + 20
            while not out.exists() and time.monotonic() < end:
                await asyncio.sleep(0.1)
        return table(pstats.Stats(str(out)), rounds * (1 + len(walk.views) + len(walk.clicks)))


def table(stats: pstats.Stats, runs: int) -> str:
    """Ten functions by own time, and ten of the project's by time with all that they call, per run."""
    every = stats.stats  # type: ignore[attr-defined]
    lines = ["  own ms   calls  where"]
    for (file, line, name), (_, calls, own, _, _) in sorted(every.items(), key=lambda one: -one[1][2])[:10]:
        lines.append(f"{1000 * own / runs:8.2f} {calls / runs:7.0f}  {short(file)}:{line} {name}")
    mine = {place: one for place, one in every.items() if short(place[0]).startswith(("ui/", "pages/"))}
    lines.append("  all ms   calls  the project's own")
    for (file, line, name), (_, calls, _, all_, _) in sorted(mine.items(), key=lambda one: -one[1][3])[:25]:
        lines.append(f"{1000 * all_ / runs:8.2f} {calls / runs:7.1f}  {short(file)}:{line} {name}")
    return "\n".join(lines)


def short(file: str) -> str:
    """A path from the project's folder or from its package."""
    for start in (f"{ROOT}/", "site-packages/"):
        if start in file and ".venv" not in file.rpartition(start)[2]:
            return file.rpartition(start)[2]
    return file


def main() -> int:
    """Print, and write if asked, the costs; the exit status says whether pages meet their target."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkout", type=Path, nargs="+", default=[ROOT], help="before first, then after")
    parser.add_argument("--pages", nargs="+", default=[walk.page for walk in WALKS])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.profile:
        for page in options.pages:
            print(f"\n{page}\n{asyncio.run(places(page, options.rounds))}")
        return 0
    walks = [walk for walk in WALKS if walk.page in options.pages]
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(served(one.resolve())) for one in options.checkout]
        found = asyncio.run(measured(servers, walks, options.rounds))
    for checkout, one in zip(options.checkout, found, strict=True):
        print(f"\n{checkout}")
        for name, cost in one.items():
            print(
                f"  {name:16} {cost['cpu_ms']:7.1f} ms CPU {cost['wall_ms']:7.1f} ms "
                f"{cost['kilobytes']:7.0f} kB"
            )
        print(f"  median: pages {middle(one, 'page'):.1f}, parts {middle(one, 'part'):.1f} ms of CPU")
    report = {
        "target_ms": TARGET_MS,
        "by_checkout": {str(c): one for c, one in zip(options.checkout, found, strict=True)},
    }
    if len(found) > 1:
        report["times_less"] = {
            kind: round(middle(found[0], kind) / middle(found[-1], kind), 2) for kind in ("page", "part")
        }
        print(f"\ntimes less, first to last: {report['times_less']}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if middle(found[-1], "page") <= TARGET_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
