"""How long the Units page takes to open a layer of 2,048 units, beside one of 512, on 1,200 concepts.

    python -m benchmarks.wide_layers [--images N] [--rounds N] [--json FILE]

Profiles two networks of one layer each (`wide_networks`) on a small data set (`wide_dataset`), and opens the
page of either in turn, in this process, with nothing of a layer in memory: from the store to the elements
that a browser would be sent. What is kept beside a profile (sketches) is there, as from the second visit on.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.profile_memory import ROOT
from benchmarks.wide_dataset import CONCEPTS, make_long
from benchmarks.wide_networks import LAYER

NETWORKS = {512: "narrow", 2048: "wide"}
DATASET = "long"
IMAGES, ROUNDS = 64, 10


def prepared(folder: Path, images: int) -> None:
    """Write a data set, a configuration and a cache that holds both profiles."""
    from interpret_core.analyses.profile.compute import run_profile
    from interpret_core.analyses.profile.request import ProfileRequest
    from interpret_core.store.store import Store

    make_long(folder / DATASET, images)
    lines = ["[datasets]", f'{DATASET} = "{folder / DATASET}"', "[networks]"]
    lines += [f'{name} = "benchmarks.wide_networks:units{units}"' for units, name in NETWORKS.items()]
    (folder / "unitscope.toml").write_text("\n".join(lines))
    os.environ["INTERPRET_CONFIG"] = str(folder / "unitscope.toml")
    os.environ["INTERPRET_CACHE"] = str(folder / "cache")
    os.environ["INTERPRET_DEMO"] = "0"
    with Store(folder / "cache") as store:
        for name in NETWORKS.values():
            run_profile(ProfileRequest(name, DATASET), store)


def opened(name: str) -> float:
    """Milliseconds of processor time of one opening; everything that was kept in memory is forgotten."""
    from streamlit.testing.v1 import AppTest

    from ui.session import memory

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for parameter, value in {"network": name, "dataset": DATASET, "layer": LAYER}.items():
        app.query_params[parameter] = value
    app.run()
    memory.forget()
    app.switch_page("pages/units.py")
    start = time.process_time()
    app.run()
    spent = 1000 * (time.process_time() - start)
    if app.exception or app.error:
        raise SystemExit(f"The page says: {[*app.exception, *app.error][0].value}")
    return spent


def measured(images: int, rounds: int) -> dict[str, Any]:
    """The numbers by name; the first round warms up."""
    with tempfile.TemporaryDirectory() as folder:
        prepared(Path(folder), images)
        turns = [{units: opened(name) for units, name in NETWORKS.items()} for _ in range(rounds + 1)][1:]
    median = {units: statistics.median(turn[units] for turn in turns) for units in NETWORKS}
    narrow, wide = NETWORKS
    return {
        "concepts": CONCEPTS,
        "over_narrow": statistics.median(turn[wide] / turn[narrow] for turn in turns),
        "median_ms": median,
        "turns_ms": turns,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    numbers = measured(chosen.images, chosen.rounds)
    for units, spent in numbers["median_ms"].items():
        print(f"{units:,} units, {CONCEPTS:,} concepts: {spent:.0f} ms of processor time")
    print(f"{numbers['over_narrow']:.2f} times as long (median of {chosen.rounds} turns)")
    if chosen.json:
        chosen.json.write_text(json.dumps(numbers, indent=1))


if __name__ == "__main__":
    main()
