"""`bench profile`: thresholds and IoU against a bare forward pass and against a plain implementation.

Each repeat times bare and ours one after the other, so that a busy machine slows both. Decoding, histograms,
masks and chance are timed beside it; peak memory comes from processes of its own (`profile_memory`).
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.profile_memory import RUNS, peaks
from benchmarks.profile_timing import Bench, first
from interpret_core import datasets
from interpret_core.errors import Cancelled, DatasetError, UserError
from interpret_core.measures.dissection.twin.choice import AUTO

REAL_DATA = "INTERPRET_REAL_DATA"
MEMORY_NETWORK, MEMORY_LAYER = "torchvision/vgg11", "conv1"

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        network: name.
        dataset: name or folder; None looks for one.
        images: how many to time.
        batch_size: images per forward pass.
        repeats: timed runs; the median counts.
        memory_images: listed once and ten times; 0 leaves the memory out.
        device: where the network and, if it is no processor, torch's kernels compute.
        tally: whose kernels count, see `kernels_for`.
    """

    network: str
    dataset: str | None
    images: int
    batch_size: int
    repeats: int
    memory_images: int
    device: str = "cpu"
    tally: str = AUTO


def measure(
    plan: Plan, tell: Tell = lambda *_: None, cancelled: Callable[[], bool] = lambda: False
) -> tuple[dict[str, Any], list[str]]:
    """The numbers by name, and sentences on how they came about."""
    dataset = find_dataset(plan.dataset)
    shorter = first(dataset, plan.images)
    bench = Bench.prepared(plan.network, shorter, plan.batch_size, plan.device, plan.tally)
    steps = plan.repeats + 4
    seconds: dict[str, list[float]] = {}
    for turn in range(plan.repeats + 1):  # the first one warms up
        _check(cancelled)
        tell("timing", turn, steps)
        found = bench.once()
        if turn:
            for name, spent in found.items():
                seconds.setdefault(name, []).append(spent)
    _check(cancelled)
    tell("masks and chance", plan.repeats + 1, steps)
    beside = bench.beside()
    _check(cancelled)
    tell("plain implementation", plan.repeats + 2, steps)
    naive = bench.naive()
    tell("memory", plan.repeats + 3, steps)
    memory = _memory(plan, dataset)
    numbers = bench.report(seconds, beside, naive) | memory
    tell("done", steps, steps)
    return numbers, remarks(plan, bench, numbers)


def find_dataset(name: str | None) -> datasets.Dataset:
    """The named data set, else the real photographs of the tests, else the first registered that opens."""
    if name is not None:
        return datasets.open_dataset(name)
    folder = os.environ.get(REAL_DATA)
    if folder and (Path(folder) / "coco_broden").is_dir():
        return datasets.open_dataset(Path(folder) / "coco_broden")
    for known in datasets.known():
        try:
            return datasets.open_dataset(known)
        except UserError:
            continue
    raise DatasetError(
        "No data set to time: none that opens is registered, and "
        f"{REAL_DATA} names no folder with coco_broden in it. Give one with --dataset."
    )


def remarks(plan: Plan, bench: Bench, numbers: dict[str, Any]) -> list[str]:
    """How to read the numbers."""
    network = bench.material.network
    runs = ", ".join(f"{ratio:.2f}" for ratio in numbers["over_forward_runs"])
    lines = [
        f"{network.name} ({network.evidence}), {len(bench.layers)} layers, {numbers['images']} images of "
        f"{bench.material.dataset.name}, batches of {plan.batch_size}, {numbers['threads']} threads, "
        f"median of {plan.repeats} in one process, channels_last.",
        f"Thresholds and IoU {numbers['ours_ms']:.1f} ms an image, bare forward pass "
        f"{numbers['forward_ms']:.1f} ms: {numbers['over_forward']:.2f} times (single runs {runs}).",
        f"Plain implementation {numbers['naive_ms']:.0f} ms an image, timed once on "
        f"{bench.naive_images} of these images and scaled: {numbers['over_naive']:.1f} times ours.",
        "The tally includes shades and colours; decoding, histograms, masks of the strongest images and "
        "chance (timed once) stand beside it in stages_ms.",
    ]
    if numbers["over_numba"] is not None:
        lines.append(
            f"Counted by torch's kernels on {network.device}: thresholds and IoU take "
            f"{numbers['over_numba']:.2f} times what they take with the compiled ones (Numba), turn by turn."
        )
    if plan.memory_images:
        lines.append(
            f"Peak memory of {MEMORY_NETWORK} {MEMORY_LAYER} (annotations, thresholds, IoU, masks), "
            f"median of {RUNS} fresh processes each (they vary by some MB): {plan.memory_images} images "
            f"{numbers['peak_mb']:.1f} MB, listed ten times {numbers['peak_mb_10x']:.1f} MB; "
            f"libraries and weights hold {numbers['held_mb']:.1f} MB of it. "
            "Chance is left out (it holds the annotations of up to 2,000 images)."
        )
    return lines


def _memory(plan: Plan, dataset: datasets.Dataset) -> dict[str, Any]:
    if not plan.memory_images:
        return {"peak_mb": None, "peak_mb_10x": None, "held_mb": None}
    once, ten = peaks(dataset.root, plan.memory_images, MEMORY_NETWORK, MEMORY_LAYER)
    return {
        "peak_mb": statistics.median(one.peak for one in once),
        "peak_mb_10x": statistics.median(one.peak for one in ten),
        "held_mb": statistics.median(one.held for one in once),
        "peak_mb_runs": [one.peak for one in once],
        "peak_mb_10x_runs": [one.peak for one in ten],
    }


def _check(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Cancelled("Stopped.")
