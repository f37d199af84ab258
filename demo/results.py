"""Computes what the demo's pages show, and writes it into demo/results for everybody who clones.

    python -m demo.results [--out FOLDER] [--cache FOLDER]

Runs what every analysis ships (the default requests of the pages) for the demo's networks on the demo's data
set into a store of its own. With --cache that store is kept, and an
interrupted run goes on from it; nothing that was shipped before is looked at.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from interpret_core import datasets, demo, networks
from interpret_core.analyses import registry
from interpret_core.analyses.profile.outcome import Profiled
from interpret_core.analyses.profile.outline import outline_key, outline_of
from interpret_core.cli.terminal import Progress, console
from interpret_core.runtime.execution import Execution
from interpret_core.store.bundle.cargo import Cargo, ship
from interpret_core.store.store import Store


def compute(store: Store, name: str, progress: Progress) -> None:
    """One network's results with everything a page asks for besides."""
    execution = Execution(device="cpu", tell=progress.tell)
    for entry in registry.entries().values():
        for request in entry.load().shipped(name, demo.NAME):
            found = registry.compute(request, store, execution)
            if isinstance(found, Profiled):
                outlined(store, found)


def outlined(store: Store, found: Profiled) -> None:
    """The outline that the layer picker reads."""
    keys = found.outcome.keys
    key = outline_key([keys.profile[layer] for layer in keys.layers], found.request.min_images)
    store.compute(key, lambda: outline_of((one.best_iou, one.best_concept) for one in found.summaries))


def cargo(names: Sequence[str]) -> Cargo:
    """Whose results are shipped, by today's digests."""
    return Cargo(
        {name: networks.digest(name, fetch=False) for name in names},
        {demo.NAME: datasets.open_dataset(demo.NAME).digest},
    )


def sizes(manifest: dict[str, Any]) -> list[str]:
    """Bytes by kind of record, in words."""
    packed: Counter[str] = Counter()
    plain: Counter[str] = Counter()
    for key, entry in manifest["records"].items():
        packed[key.partition("/")[0]] += entry["size"]
        plain[key.partition("/")[0]] += entry["bytes"]
    lines = [f"{kind}: {packed[kind] / 1e6:.2f} MB of {plain[kind] / 1e6:.2f} MB" for kind in sorted(packed)]
    return [*lines, f"in all: {packed.total() / 1e6:.2f} MB of {plain.total() / 1e6:.2f} MB"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Compute, pack, say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=demo.RESULTS, help="where to (default demo/results)")
    parser.add_argument("--cache", type=Path, help="a store to keep; by default a temporary one")
    options = parser.parse_args(arguments)
    start, screen = time.perf_counter(), console()
    names = [f"{demo.PREFIX}{name}" for name in demo.NETWORKS]
    with (
        tempfile.TemporaryDirectory(prefix="demo-results-") as own,
        Store(options.cache or own, shipped=()) as store,
    ):
        for name in names:
            with Progress(screen) as progress:
                compute(store, name, progress)
        with Progress(screen) as progress:
            manifest = ship(
                store, options.out, cargo(names), lambda done, total: progress.tell("packing", done, total)
            )
    for line in sizes(manifest):
        screen.print(line, soft_wrap=True)
    screen.print(f"{options.out} written in {time.perf_counter() - start:.0f} s", soft_wrap=True)


if __name__ == "__main__":
    main()
