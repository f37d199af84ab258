"""The sample of what silences units: images evaluated under some settings, gradients of all units."""

from __future__ import annotations

import time

import numpy as np

from interpret_core.analyses.effects.plan import STRONGEST
from interpret_core.analyses.effects.request import EffectsRequest
from interpret_core.analyses.estimate.extents import Extent
from interpret_core.analyses.estimate.paces import Measured, Pace
from interpret_core.analyses.estimate.result import AnalysisCost, Bytes, PartCost, shared
from interpret_core.analyses.estimate.timeline import TimedStep, Timeline, watched_memory
from interpret_core.analyses.estimate.trials import Sampling
from interpret_core.measures.ablation.selection import Selection, count, shuffled
from interpret_core.networks.arithmetic import plain_arithmetic
from interpret_core.options import Split
from interpret_core.runtime.evaluated import BATCH, EvaluatedImages
from interpret_core.runtime.silencer import Silencer

SETTINGS, SHARE = 4, 0.05  # that are measured, and the share of each layer's units that they silence
SILENCED = 6  # units whose silence is measured one by one
ESTIMATING, SILENCING = "estimating all units", "silencing units one by one"


def measure_silence(sampling: Sampling, images: EvaluatedImages) -> Measured:
    """Seconds of an image under one setting: read and run whole (`first`), or from what is kept (`kept`).

    The batch before the one that counts takes compiling and first touches.
    """
    number = len(images.images)
    every = np.arange(min(2 * BATCH, number))
    before, rows = every[:BATCH], every[-min(BATCH, number) :]
    silencer = Silencer(images)
    with plain_arithmetic(), watched_memory() as peak:
        silencer.evaluate(before, _random(images, SETTINGS), {})
        sampling.execution.tell("measuring a sample: silencing units", 1, 2)
        silencer = Silencer(images)
        steps, size = [], 0
        for seed in range(1 + SETTINGS):
            began = time.perf_counter(), time.process_time()
            found = silencer.evaluate(rows, _random(images, seed), {})
            wall, used = time.perf_counter() - began[0], time.process_time() - began[1]
            steps.append(TimedStep("", len(rows), wall, used))
            size = sum(values.nbytes for values in found.to_arrays().values())
            if sampling.execution.cancelled() or (sampling.left < 0 and len(steps) > 1):
                break
    sizes = {"answers": size / len(rows), "peak": float(peak.bytes)}
    return Measured(len(rows), 0, {"first": Pace.of(steps[:1]), "kept": Pace.of(steps[1:])}, sizes)


def _random(images: EvaluatedImages, seed: int) -> Selection:
    """Some units of every inner layer, as in a random control."""
    units = {layer.name: layer.units for layer in images.layers if layer.name in images.inner}
    return {
        name: tuple(sorted(shuffled(number, seed, place)[: count(SHARE, number)].tolist()))
        for place, (name, number) in enumerate(units.items())
    }


def measure_effects(sampling: Sampling, request: EffectsRequest, images: list[int]) -> Measured:
    """Seconds of an image: its gradients in all layers (`gradient`), and with one unit `silenced`."""

    def enough(timeline: Timeline) -> bool:
        return len(timeline.of(SILENCING)) >= SILENCED

    asked = EffectsRequest(request.network, request.dataset, Split.ALL)
    observed = sampling.run(asked, images, enough)
    gradients, silenced = observed.timeline.of(ESTIMATING), observed.timeline.of(SILENCING)
    paces = {"gradient": Pace.of(gradients[1:] or gradients), "silenced": Pace.of(silenced)}
    return Measured(observed.images, 0, paces, {"peak": observed.peak})


def ablation_cost(measured: Measured, extent: Extent, settings: int, images: int) -> AnalysisCost:
    """Of so many settings on so many images, all on each batch, behind one run of what lies before."""
    first, kept = (measured.paces[name].times(images) for name in ("first", "kept"))
    pace = first + kept.times(max(0, settings - 1)) if settings else Pace()
    size = Bytes(measured.sizes["peak"], measured.sizes["answers"] * settings * images)
    amount = f"{settings:,} settings on {images:,} images"
    return AnalysisCost.of([PartCost("ablation", "settings", shared(pace, extent))], size, amount)


def effects_cost(measured: Measured, extent: Extent, images: int, units: int, classes: int) -> AnalysisCost:
    """Of all units estimated and the strongest silenced one by one, on so many images."""
    strongest = min(STRONGEST, units)
    parts = [
        PartCost("effects", name, shared(measured.paces[step].times(number), extent))
        for name, step, number in (
            ("estimate", "gradient", images),
            ("silencing", "silenced", (strongest + 1) * images),
        )
    ]
    kept = 4 * units * classes + 2 * 8 * strongest * classes
    size = Bytes(measured.sizes["peak"], kept)
    return AnalysisCost.of(parts, size, f"{units:,} units on {images:,} images")


def evaluation_cost(measured: Measured, extent: Extent, images: int, classes: int) -> AnalysisCost:
    """Of one pass over the images, each read and run whole."""
    part = PartCost("evaluation", "answers", shared(measured.paces["first"].times(images), extent))
    size = Bytes(measured.sizes["peak"], 8 * classes * (classes + 3))
    return AnalysisCost.of([part], size, f"{images:,} images of {classes:,} classes")
