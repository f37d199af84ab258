"""What units of untrained networks are said to respond to, over seeds: the counts where nothing was learned.

    python -m benchmarks.untrained_control --dataset demo --layers conv1 conv5 --seeds 50

AlexNet as a training begins, with weights of its own for each seed, is profiled and assessed in a store that
is thrown away. Printed by layer, mean and deviation over the seeds: live units, those better than chance,
those clearly of a colour and of an object, detectors, and detectors of a colour and of an object;
and in how many seeds any unit is a colour.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from interpret_core import demo
from interpret_core.analyses import registry
from interpret_core.analyses.profile.outcome import Profiled
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.summary import LayerSummary
from interpret_core.measures.assessment.words import Assessment
from interpret_core.networks import NetworkParts, find
from interpret_core.networks.providers.demo import started
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store

SEED = "seed_"
COLUMNS = ("live", "beyond chance", "colour", "object", "detectors", "of a colour", "of an object")


def __getattr__(name: str) -> Callable[[], NetworkParts]:
    """`seed_7`: the factory of a seed, as networks are named."""
    if not name.removeprefix(SEED).isdecimal():
        raise AttributeError(name)
    return partial(untrained, int(name.removeprefix(SEED)))


def untrained(seed: int) -> NetworkParts:
    """The demo's AlexNet before its training."""
    spec = find(f"{demo.PREFIX}alexnet")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = started("alexnet", len(spec.class_names)).eval()
    return NetworkParts(module, spec.preprocessing, spec.class_names, evidence="random weights")


def counts(summary: LayerSummary) -> list[int]:
    """A layer, as COLUMNS."""
    said = [summary.said(unit) for unit in range(summary.profile.units)]
    return [
        int(summary.profile.live.sum()),
        int((summary.significant & summary.profile.live).sum()),
        said.count(Assessment.COLOUR),
        said.count(Assessment.OBJECT),
        int(summary.detector.sum()),
        summary.detectors_assessed(Assessment.COLOUR) or 0,
        summary.detectors_assessed(Assessment.OBJECT) or 0,
    ]


def main() -> None:
    """Print the table, a line per layer."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default=demo.NAME)
    parser.add_argument("--layers", nargs="+", default=["conv1", "conv5"])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    found: dict[str, list[list[int]]] = {}
    with tempfile.TemporaryDirectory() as folder, Store(folder) as store:  # one survey for all seeds
        for seed in range(options.first, options.first + options.seeds):
            name = f"benchmarks.untrained_control:{SEED}{seed}"
            request = ProfileRequest(name, options.dataset, tuple(options.layers))
            profiled = registry.compute(request, store, Execution())
            assert isinstance(profiled, Profiled)
            for summary in profiled.summaries:
                found.setdefault(summary.profile.layer, []).append(counts(summary))
            print(seed, {layer: rows[-1] for layer, rows in found.items()}, flush=True)
    for layer, rows in found.items():
        numbers = np.array(rows)
        told = (
            f"{name} {mean:.1f} ± {deviation:.1f}"
            for name, mean, deviation in zip(COLUMNS, numbers.mean(0), numbers.std(0), strict=True)
        )
        print(f"{layer}: {', '.join(told)}; a colour in {(numbers[:, 2] > 0).mean():.0%} of seeds")


if __name__ == "__main__":
    main()
