"""Visitors at once, through nginx: how long each action takes while others act, and what that costs.

    python -m benchmarks.load [--sessions 50] [--minutes 5] [--servers 2] [--by-hand 2] [--job]
                              [--short 500] [--cookies FILE] [--json FILE]

Starts an instance as `make serve` does, below a base path. Each visitor fetches a page, keeps the cookies it
is given, opens a page of the demo over a websocket and acts every two seconds, give or take one: mostly as a
click or a slider does, in a part of the page, now and then as a link does. Some silence units picked by hand,
others each time, and follow the estimate to its end, as the browser does. With --job, a profile is computed
at nice 19 meanwhile; with --short, so many sessions come and go afterwards, and the memory that they leave is
measured once the server has forgotten them. --cookies names a file with a Cookie header's value in each line,
of users who have logged in; visitors take them in turn.

The visitors run on the same processors as the servers; how much of them they take is in the report.
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

from benchmarks.instances import Hosted, computing, entered, hosted
from benchmarks.rerun_cost import DEMO, WALKS, Walk
from benchmarks.visitors import Answer, Visitor

PAUSE = 2.0  # seconds between two actions of a visitor, on average
LINKS = 0.2  # share of the actions that are links
LAYERS = {"conv2": 192, "conv3": 256, "conv4": 256}
TARGET_MS = 500.0
AT_ONCE = 10  # short sessions
FORGOTTEN = 150.0  # seconds after which the server keeps nothing of a session that has left
BROWSING = ("link", "click", "slider")


@dataclass
class Seen:
    """What all visitors met.

    Attributes:
        taken: seconds of each action, by its kind.
        runs: script runs.
        errors: what went wrong, in words.
    """

    taken: dict[str, list[float]] = field(default_factory=dict)
    runs: int = 0
    errors: list[str] = field(default_factory=list)

    def note(self, kind: str, answer: Answer) -> None:
        """One action."""
        self.taken.setdefault(kind, []).append(answer.seconds)
        self.runs += answer.runs
        self.errors += answer.errors


@dataclass(frozen=True)
class Crowd:
    """Who comes, and where to.

    Attributes:
        address: of the instance.
        cookies: of logged-in users, taken in turn; empty for nobody's.
    """

    address: str
    cookies: Sequence[str]

    async def visitor(self, number: int, page: str) -> Visitor:
        """A browser that has fetched a page."""
        own = self.cookies[number % len(self.cookies)] if self.cookies else ""
        return Visitor(self.address, await asyncio.to_thread(entered, self.address, page, own))

    async def browse(self, number: int, walk: Walk, until: float, seen: Seen) -> None:
        """A visitor that clicks on one page."""
        dice = random.Random(number)
        async with await self.visitor(number, walk.page) as visitor:
            seen.note("open", await visitor.open(walk.page, urlencode({**DEMO, **walk.views[0]})))
            while time.monotonic() < until:
                await asyncio.sleep(dice.uniform(PAUSE - 1, PAUSE + 1))
                await act(visitor, walk, seen, dice)

    async def ablate(self, number: int, until: float, seen: Seen) -> None:
        """A visitor that silences units picked by hand; the first estimate counts, the rest is followed."""
        dice = random.Random(-1 - number)
        async with await self.visitor(number, "ablation") as visitor:
            start = urlencode({**DEMO, "class": "cat", "by": "hand"})
            seen.note("open", await visitor.open("ablation", start))
            while time.monotonic() < until:
                await asyncio.sleep(dice.uniform(PAUSE - 1, PAUSE + 1))
                picked = [f"{name}:{dice.randrange(units)}" for name, units in LAYERS.items()]
                query = {**DEMO, "class": "cat", "by": "hand", "silence": ",".join(picked)}
                seen.note("by hand", await visitor.go(urlencode(query)))
                end = time.monotonic() + 3 * PAUSE  # then somebody picks others
                while (
                    token := (visitor.data("carry_on_ablation") or {}).get("token")
                ) and time.monotonic() < end:
                    followed = await visitor.trigger("carry_on_ablation", "next", token)
                    seen.note("by hand, further", followed)

    async def all(self, sessions: int, by_hand: int, seconds: float) -> Seen:
        """All of them at once; what goes wrong with one ends that one and is counted."""
        seen, until = Seen(), time.monotonic() + seconds
        visits = [
            self.browse(number, WALKS[number % len(WALKS)], until, seen)
            for number in range(sessions - by_hand)
        ]
        visits += [self.ablate(number, until, seen) for number in range(by_hand)]
        await gathered(visits, seen)
        return seen

    async def come_and_go(self, sessions: int) -> Seen:
        """Short sessions, AT_ONCE at a time: each opens a page, acts once and leaves."""
        seen, gate = Seen(), asyncio.Semaphore(AT_ONCE)

        async def visit(number: int) -> None:
            walk, dice = WALKS[number % len(WALKS)], random.Random(number)
            async with gate, await self.visitor(number, walk.page) as visitor:
                seen.note("open", await visitor.open(walk.page, urlencode({**DEMO, **walk.views[0]})))
                await act(visitor, walk, seen, dice)

        await gathered([visit(number) for number in range(sessions)], seen)
        return seen


async def act(visitor: Visitor, walk: Walk, seen: Seen, dice: random.Random) -> None:
    """One action on a page."""
    if not walk.clicks or dice.random() < LINKS:
        seen.note("link", await visitor.go(urlencode({**DEMO, **dice.choice(walk.views)})))
        return
    key, event, value = dice.choice(walk.clicks)
    kind = "slider" if event == "settled" else "click"
    seen.note(kind, await visitor.trigger(key, event, value))


async def gathered(visits: Sequence[Any], seen: Seen) -> None:
    """All of them; what ended one is an error of its."""
    for ended in await asyncio.gather(*visits, return_exceptions=True):
        if isinstance(ended, BaseException):
            seen.errors.append(f"{type(ended).__name__}: {ended}")


def told(seen: Seen) -> dict[str, Any]:
    """Errors and times, by kind of action."""
    browsing = [seconds for kind in BROWSING for seconds in seen.taken.get(kind, [])]
    kinds = {**seen.taken, "browsing": browsing}
    return {
        "errors": len(seen.errors),
        "first_errors": sorted(set(seen.errors))[:3],
        "by_kind": {kind: times(taken) for kind, taken in kinds.items() if taken},
    }


def times(taken: Sequence[float]) -> dict[str, float]:
    """Number, median and 95th percentile in milliseconds."""
    ordered = sorted(taken)
    return {
        "actions": len(ordered),
        "p50_ms": round(1000 * statistics.median(ordered), 1),
        "p95_ms": round(1000 * ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 1),
    }


def rounded(values: dict[str, float]) -> dict[str, float]:
    """For people."""
    return {name: round(value, 1) for name, value in values.items()}


def measured(instance: Hosted, crowd: Crowd, options: argparse.Namespace) -> dict[str, Any]:
    """The long visits."""
    # Opened once before: what a first visitor waits for is no part of it.
    asyncio.run(crowd.all(options.servers * len(WALKS) + options.by_hand, options.by_hand, 3 * PAUSE))
    with computing(instance.cache, options.job):
        own, memory, before = psutil.Process(), instance.memory(), instance.cpu()
        mine, start = own.cpu_times(), time.monotonic()
        seen = asyncio.run(crowd.all(options.sessions, options.by_hand, 60 * options.minutes))
        spent, now, after = time.monotonic() - start, own.cpu_times(), instance.cpu()
    used = {name: after[name] - before[name] for name in after}
    servers = sum(seconds for name, seconds in used.items() if name != "nginx")
    return {
        "sessions": options.sessions,
        "by_hand": options.by_hand,
        "seconds": round(spent),
        "job": options.job,
        **told(seen),
        "cpu_ms_per_run": round(1000 * servers / max(1, seen.runs), 1),
        "cores_used": {name: round(seconds / spent, 2) for name, seconds in used.items()},
        "cores_used_by_visitors": round((now.user + now.system - mine.user - mine.system) / spent, 2),
        "memory_mb": {"before": rounded(memory), "after": rounded(instance.memory())},
    }


def short(instance: Hosted, crowd: Crowd, sessions: int) -> dict[str, Any]:
    """Sessions that come and go, and what they leave in memory."""
    asyncio.run(crowd.come_and_go(max(1, sessions // 5)))  # what is loaded once is no leak
    time.sleep(FORGOTTEN)
    before = instance.memory()
    seen = asyncio.run(crowd.come_and_go(sessions))
    time.sleep(FORGOTTEN)
    after = instance.memory()
    grown = {name: round(100 * (after[name] / before[name] - 1), 2) for name in after}
    memory = {"before": rounded(before), "after": rounded(after)}
    return {"sessions": sessions, **told(seen), "memory_mb": memory, "grown_percent": grown}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, and write if asked, the report; the exit status says whether the target was met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--by-hand", type=int, default=2, help="of the sessions, ablations picked by hand")
    parser.add_argument("--job", action="store_true", help="a profile at nice 19 meanwhile")
    parser.add_argument("--short", type=int, default=0, help="sessions that come and go afterwards")
    parser.add_argument("--cookies", type=Path, help="Cookie headers of logged-in users, one a line")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    cookies = options.cookies.read_text().splitlines() if options.cookies else []
    with hosted(options.servers) as instance:
        crowd = Crowd(instance.address, [line.strip() for line in cookies if line.strip()])
        found: dict[str, Any] = {"servers": options.servers, "processors": psutil.cpu_count()}
        found["visits"] = measured(instance, crowd, options)
        if options.short:
            found["short"] = short(instance, crowd, options.short)
    print(json.dumps(found, indent=2))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    browsing = found["visits"]["by_kind"].get("browsing", {"p95_ms": 0.0})
    errors = sum(part["errors"] for part in (found["visits"], found.get("short", {"errors": 0})))
    return 0 if not errors and browsing["p95_ms"] <= TARGET_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
