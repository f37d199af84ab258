"""Peak memory of a survey and of a profile: 2,000 small pictures, and 20,000, on 1,200 concepts.

    python -m benchmarks.wide_memory [--images N] [--times N] [--json FILE]

Each in a process of its own, after a small run of the same kind, so that libraries are loaded and kernels are
compiled. What the network and the libraries hold is part of both peaks.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.profile_memory import Peak, forget_peak, high_water, peak_of
from benchmarks.wide_dataset import CONCEPTS, make_long

NETWORK = "benchmarks.wide_networks:units64"
IMAGES, TIMES, SMALL = 2000, 10, 8
RUNS = ("survey", "profile")


def measured(images: int, times: int) -> dict[str, Any]:
    """Megabytes by kind of run, and how much more the longer data set takes."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["INTERPRET_CACHE"] = f"{folder}/cache"
        sets = {count: Path(folder) / f"of{count}" for count in (SMALL, images, images * times)}
        for count, root in sets.items():
            make_long(root, count)
        found = {
            run: {count: _peak(run, sets[SMALL], sets[count]) for count in (images, images * times)}
            for run in RUNS
        }
    numbers: dict[str, Any] = {"concepts": CONCEPTS, "images": images, "times": times}
    for run, peaks in found.items():
        short, long = (peaks[count].peak for count in (images, images * times))
        numbers[run] = {
            "held_mb": peaks[images].held,
            "peak_mb": short,
            "peak_mb_long": long,
            "over": long / short,
        }
    return numbers


def _peak(run: str, small: Path, large: Path) -> Peak:
    return peak_of("benchmarks.wide_memory", "--measure", run, str(small), str(large))


def _measured(run: str, small: str, large: str) -> Peak:
    """Of the larger run, in this process."""
    from interpret_core.analyses import registry
    from interpret_core.analyses.profile.request import ProfileRequest
    from interpret_core.analyses.survey.request import SurveyRequest
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store

    def once(dataset: str, folder: str) -> None:
        request = (
            SurveyRequest(dataset) if run == "survey" else ProfileRequest(NETWORK, dataset, permutations=10)
        )
        with Store(folder) as store:
            registry.compute(request, store, Execution(device="cpu"))

    with tempfile.TemporaryDirectory() as folder:
        once(small, f"{folder}/small")
        gc.collect()
        forget_peak()
        held = high_water()
        once(large, f"{folder}/large")
    return Peak(held, high_water())


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    if arguments[:1] == ["--measure"]:
        peak = _measured(*arguments[1:4])
        print(peak.held, peak.peak)
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    numbers = measured(chosen.images, chosen.times)
    for run in RUNS:
        one = numbers[run]
        print(
            f"{run}: {one['peak_mb']:.0f} MB for {chosen.images:,} pictures, {one['peak_mb_long']:.0f} MB "
            f"for {chosen.images * chosen.times:,}, {one['over']:.3f} times; {one['held_mb']:.0f} MB before"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(numbers, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
