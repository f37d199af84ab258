"""Computes what the demo's pages show, and writes it into demo/results for everybody who clones.

    python -m demo.results [--out FOLDER] [--cache FOLDER]

Runs the default requests of the pages (profile, relevance, accuracy, ablation, effects of single units) for
the demo's networks on the demo's data set into a store of its own. With --cache that store is kept, and an
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
from interpret_core.analyses.ablation.grid import run_ablation
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.effects.compute import run_effects
from interpret_core.analyses.evaluation.compute import EvaluationRequest, run_evaluation
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import LayerKeys, find_layer
from interpret_core.analyses.profile.request import ProfileRequest, Settings
from interpret_core.analyses.profile.summary import summarise
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.cli.terminal import Progress, console
from interpret_core.errors import UserError
from interpret_core.runtime.execution import Execution
from interpret_core.store.bundle.cargo import Cargo, ship
from interpret_core.store.store import Store
from ui.layers import outline_key, outline_of
from ui.view import LayerView

EFFECTS = (
    f"{demo.PREFIX}alexnet"  # whose single units are shipped: those of all three would not fit into 20 MB
)


def compute(store: Store, name: str, progress: Progress) -> None:
    """One network's results with everything a page asks for besides."""
    execution = Execution(device="cpu", tell=progress.tell)
    profiled(store, name, execution)
    run_evaluation(EvaluationRequest(name, demo.NAME), store, execution)
    run_relevance(RelevanceRequest(name, demo.NAME), store, execution)
    run_ablation(AblationRequest(name, demo.NAME), store, execution)
    if name == EFFECTS:
        run_effects(AblationRequest(name, demo.NAME), store, execution)


def profiled(store: Store, name: str, execution: Execution) -> None:
    """A network's profile, and the outline that the layer picker reads."""
    request = ProfileRequest(name, demo.NAME)
    outcome = run_profile(request, store, execution)
    views = {layer: _view(store, outcome.keys, request, layer) for layer in outcome.layers}
    key = outline_key([outcome.keys.profile[layer] for layer in outcome.layers], request.min_images)
    store.compute(key, lambda: outline_of(views))


def _view(store: Store, keys: LayerKeys, request: ProfileRequest, layer: str) -> LayerView:
    found = find_layer(keys, store, layer)
    if found is None or found.chance is None:
        raise UserError(f"The result of {layer} was damaged while it was computed; run the same again.")
    summary = summarise(found.profile, found.chance, Settings(request.min_images))
    return LayerView(keys.profile[layer], summary, request.network, request.dataset)


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
