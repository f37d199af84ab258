"""What anchored and stretched positions make of real networks: detectors and IoU by layer, as a table.

    python -m benchmarks.positions_table --dataset demo demo/alexnet demo/resnet18

Profiles that are not there are computed. Nothing here says which is right: planted geometry does
(tests/analyses/test_positions.py).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from interpret_core import config, networks
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles
from interpret_core.analyses.profile.request import MIN_IMAGES, ProfileRequest, Settings
from interpret_core.analyses.profile.summary import LayerSummary, summarise
from interpret_core.cli.terminal import Progress, console
from interpret_core.positions import Placing
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store

HEAD = (
    "network",
    "layer",
    "grid",
    "centre − stretched",
    "detectors",
    "unique",
    "median best IoU",
    "same label",
)


def summaries(request: ProfileRequest, store: Store, progress: Progress) -> dict[str, LayerSummary]:
    """By layer."""
    outcome = run_profile(request, store, Execution(tell=progress.tell))
    settings = Settings(min_images=request.min_images)
    return {
        name: summarise(one.profile, one.chance, settings)
        for name, one in find_profiles(outcome.keys, store).items()
    }


def rows(
    network: str, dataset: str, min_images: int, store: Store, progress: Progress
) -> Iterator[list[str]]:
    """A row per layer; anchored first."""
    found = [
        summaries(
            ProfileRequest(network, dataset, min_images=min_images, permutations=0, positions=placing),
            store,
            progress,
        )
        for placing in (Placing.ANCHORED, Placing.STRETCHED)
    ]
    layers = {layer.name: layer for layer in networks.load(network).layers}
    for name, anchored in found[0].items():
        stretched, layer = found[1][name], layers[name]
        moved = layer.lines.rows.share(0) - 0.5 / layer.grid[0] if layer.lines else 0.0
        both = [anchored, stretched]
        live = (anchored.best_concept >= 0) & (stretched.best_concept >= 0)
        same = (anchored.best_concept == stretched.best_concept)[live].mean() if live.any() else np.nan
        yield [
            network,
            name,
            "×".join(map(str, layer.grid)),
            f"{100 * moved:+.1f} %",
            *(
                " / ".join(map(str, values))
                for values in (
                    [int(one.detector.sum()) for one in both],
                    [one.unique_detectors() for one in both],
                    [f"{np.median(one.best_iou[one.best_concept >= 0]):.4f}" for one in both],
                )
            ),
            f"{100 * same:.0f} %",
        ]


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--min-images", type=int, default=MIN_IMAGES)
    options = parser.parse_args()
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    with Store(config.current().cache) as store, Progress(console()) as progress:
        for network in options.networks:
            for row in rows(network, options.dataset, options.min_images, store, progress):
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
