"""Visitors at once: how long each action takes while others act, over raw websockets.

    python -m benchmarks.load [--sessions 25] [--minutes 1] [--checkout FOLDER …] [--json FILE]

Each visitor opens a page of the demo and acts every two seconds, give or take one: mostly as a click does, in
a part of the page, now and then as a link does. Two of them silence units picked by hand, others each time,
and follow the estimate to its end, as the browser does. The visitors run on the same processors as the
server; how much of them they take is in the report.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

from benchmarks.rerun_cost import DEMO, WALKS, Walk
from benchmarks.visitors import ROOT, Answer, Visitor, served

PAUSE = 2.0  # seconds between two actions of a visitor, on average
BY_HAND = 2  # visitors that silence units picked by hand
LINKS = 0.2  # share of the actions that are links
LAYERS = {"conv2": 192, "conv3": 256, "conv4": 256}
TARGET_MS = 500.0


@dataclass
class Seen:
    """What all visitors met.

    Attributes:
        taken: seconds of each action.
        errors: what went wrong, in words.
    """

    taken: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def note(self, answer: Answer) -> None:
        """One action."""
        self.taken.append(answer.seconds)
        self.errors += answer.errors


async def browse(address: str, walk: Walk, until: float, seen: Seen, dice: random.Random) -> None:
    """A visitor that clicks on one page."""
    async with Visitor(address) as visitor:
        await visitor.open(walk.page, urlencode({**DEMO, **walk.views[0]}))
        while time.monotonic() < until:
            await asyncio.sleep(dice.uniform(PAUSE - 1, PAUSE + 1))
            if not walk.clicks or dice.random() < LINKS:
                seen.note(await visitor.go(urlencode({**DEMO, **dice.choice(walk.views)})))
            else:
                seen.note(await visitor.trigger(*dice.choice(walk.clicks)))


async def ablate(address: str, until: float, seen: Seen, dice: random.Random) -> None:
    """A visitor that silences units picked by hand; the first estimate counts, the rest is followed."""
    async with Visitor(address) as visitor:
        await visitor.open("ablation", urlencode({**DEMO, "class": "cat", "by": "hand"}))
        while time.monotonic() < until:
            await asyncio.sleep(dice.uniform(PAUSE - 1, PAUSE + 1))
            picked = [f"{name}:{dice.randrange(units)}" for name, units in LAYERS.items()]
            query = {**DEMO, "class": "cat", "by": "hand", "silence": ",".join(picked)}
            seen.note(await visitor.go(urlencode(query)))
            end = time.monotonic() + 3 * PAUSE  # then somebody picks others
            while (
                token := (visitor.data("carry_on_ablation") or {}).get("token")
            ) and time.monotonic() < end:
                followed = await visitor.trigger("carry_on_ablation", "next", token)
                seen.errors += followed.errors


async def crowd(address: str, sessions: int, seconds: float) -> Seen:
    """All of them at once; what goes wrong with one ends that one and is counted."""
    seen, until = Seen(), time.monotonic() + seconds
    walks = [WALKS[number % len(WALKS)] for number in range(sessions - BY_HAND)]
    visits = [browse(address, walk, until, seen, random.Random(number)) for number, walk in enumerate(walks)]
    visits += [ablate(address, until, seen, random.Random(-1 - at)) for at in range(BY_HAND)]
    for ended in await asyncio.gather(*visits, return_exceptions=True):
        if isinstance(ended, BaseException):
            seen.errors.append(f"{type(ended).__name__}: {ended}")
    return seen


def measured(checkout: Path, sessions: int, seconds: float) -> dict[str, Any]:
    """One crowd at the dashboard of one checkout."""
    with served(checkout) as server:
        # Opened once before: what a first visitor waits for is no part of it.
        asyncio.run(crowd(server.address, len(WALKS) + BY_HAND, 3 * PAUSE))
        own, before = psutil.Process(), server.cpu()
        mine, start = own.cpu_times(), time.monotonic()
        seen = asyncio.run(crowd(server.address, sessions, seconds))
        spent = time.monotonic() - start
        now = own.cpu_times()
        return {
            "sessions": sessions,
            "actions": len(seen.taken),
            "errors": len(seen.errors),
            "first_errors": sorted(set(seen.errors))[:3],
            "p50_ms": round(1000 * statistics.median(seen.taken), 1),
            "p95_ms": round(1000 * statistics.quantiles(seen.taken, n=20)[-1], 1),
            "server_cpu": round((server.cpu() - before) / spent, 2),
            "visitors_cpu": round((now.user + now.system - mine.user - mine.system) / spent, 2),
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, and write if asked, the report; the exit status is that of the last checkout."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=25)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--checkout", type=Path, nargs="+", default=[ROOT])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    found = {
        str(one): measured(one.resolve(), options.sessions, 60 * options.minutes) for one in options.checkout
    }
    print(json.dumps(found, indent=2))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    last = found[str(options.checkout[-1])]
    return 0 if not last["errors"] and last["p95_ms"] <= TARGET_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
