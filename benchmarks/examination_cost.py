"""What examining a network costs, beside building it and running it once.

    python -m benchmarks.examination_cost [NAME …] [--rounds N]

"built": module and weights. "run": the three test images, once. "loaded": all that loading does, building and
every trial included. "report": what `networks check` runs besides. Medians of rounds in turn; ratios are to
built and run together, which nobody gets around.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from interpret_core import networks
from interpret_core.networks.examination.probe import probe_images
from interpret_core.networks.examination.report import examination
from interpret_core.networks.registry import make

# Placed by their operations, and one that partly is not.
NAMES = ("torchvision/alexnet@random", "torchvision/resnet18@random", "timm/coatnet_0_rw_224@random")
ROUNDS = 3


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds, and what came of it."""
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def once(name: str) -> tuple[float, float, float, float]:
    """Seconds of each step, of one network."""
    built, made = timed(lambda: make(name, fetch=False))
    module, preprocessing = made.module, made.spec.preprocessing  # type: ignore[attr-defined]
    images = probe_images(preprocessing.size, preprocessing.channels)
    with torch.no_grad():
        run, _ = timed(lambda: module(images))
    loaded, network = timed(lambda: networks.load(name, fetch=False))
    report, _ = timed(lambda: examination(network))  # type: ignore[arg-type]
    return built, run, loaded, report


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("networks", nargs="*", default=NAMES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in options.networks}
    for number in range(1 + options.rounds):
        for name, steps in found.items():
            one = once(name)
            if number:  # the first imports what it needs
                steps.append(one)
    print("| network | built s | run s | loaded s | report s | loaded : built and run | report : loaded |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name, steps in found.items():
        built, run, loaded, report = (statistics.median(column) for column in zip(*steps, strict=True))
        seconds = " | ".join(f"{one:.2f}" for one in (built, run, loaded, report))
        print(f"| {name} | {seconds} | {loaded / (built + run):.1f} | {report / loaded:.2f} |")


if __name__ == "__main__":
    main()
