"""The sample of a relevance: a few images of some classes, and what one image takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from interpret_core.analyses.estimate.extents import Extent
from interpret_core.analyses.estimate.paces import Measured, Pace
from interpret_core.analyses.estimate.result import AnalysisCost, Bytes, PartCost, shared
from interpret_core.analyses.estimate.timeline import TimedStep
from interpret_core.analyses.estimate.trials import Observed, Sampling, nbytes
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.classes.known import KnownClass
from interpret_core.errors import DatasetError
from interpret_core.options import Split

TOGETHER, MOST_CLASSES = 4, 3  # images that a run computes together; classes that are measured


def measure_relevance(
    sampling: Sampling, request: RelevanceRequest, classes: Sequence[KnownClass]
) -> Measured:
    """Seconds of an image in all layers asked for (`image`).

    One image comes before those that count, so that compiling and first touches are in none. Where there
    is no time for more, it is all there is, with a wide interval.

    Raises:
        DatasetError: no class has an image.
    """
    found = {one.name: one.of(request.split)[:TOGETHER].tolist() for one in classes}
    largest = sorted((name for name in found if found[name]), key=lambda name: -len(found[name]))
    if not largest:
        raise DatasetError(f"No class of {sampling.dataset.name} has an image in split {request.split!r}.")
    first = sampling.run(_of(request, largest[:1], 1), found[largest[0]][:1])
    alone = _pace(first, largest[:1])
    room = int(sampling.left // max(TOGETHER * alone.middle, 1e-6))
    if room < 1:
        wide = Pace(alone.middle, 0.5 * alone.middle, 1.3 * alone.middle, alone.processor)
        return _measured(first, wide)
    # What comes before the first step is in the first class's time, which does not count beside others.
    names = (largest[1:] or largest)[: min(room, MOST_CLASSES)]
    images = sorted({index for name in names for index in found[name]})
    measured = sampling.run(_of(request, names, TOGETHER), images)
    ordered = [name for name in measured.timeline.stages if name in names]
    return _measured(measured, _pace(measured, ordered[1:] or ordered))


def _of(request: RelevanceRequest, names: Sequence[str], images: int) -> RelevanceRequest:
    return replace(request, classes=tuple(names), images=images, split=Split.ALL)


def _pace(observed: Observed, names: Sequence[str]) -> Pace:
    """Seconds per image, class by class: steps are images times layers."""
    steps = [_joined(observed.timeline.of(name)) for name in names]
    return Pace.of([step for step in steps if step.done])


def _joined(steps: Sequence[TimedStep]) -> TimedStep:
    """A class's steps as one of its images: every layer tells each of them once."""
    wall, used = sum(step.wall for step in steps), sum(step.processor for step in steps)
    return TimedStep("", max((step.done for step in steps), default=0), wall, used)


def _measured(observed: Observed, pace: Pace) -> Measured:
    found = [one for key, one in observed.records.items() if key.partition("/")[0] == "relevance"]
    images = sum(len(one.arrays["images"]) for one in found)
    kept = sum(sum(nbytes(one).values()) for one in found) / max(images, 1)
    return Measured(observed.images, 0, {"image": pace}, {"peak": observed.peak, "kept image": kept})


def relevance_cost(measured: Measured, extent: Extent, images: int, classes: int) -> AnalysisCost:
    """Of so many images of all missing classes together."""
    size = Bytes(measured.sizes["peak"], measured.sizes["kept image"] * images)
    amount = f"{images:,} images of {classes:,} classes"
    pace = shared(measured.paces["image"].times(images), extent)
    return AnalysisCost.of([PartCost("relevance", "gradients", pace)], size, amount)
