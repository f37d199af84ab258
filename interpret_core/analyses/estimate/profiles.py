"""The sample of a profile: three runs of different size, and what a step of each kind takes.

Three passes grow with the images, chance level and assessment with those that are sampled for them (at most
`chance.MAX_IMAGES`). What each adds per image and what is always there is told by runs of two sizes; a run on
a few images comes before them, so that compiling and first touches are in neither.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from interpret_core.analyses.estimate.paces import Measured, Pace, line
from interpret_core.analyses.estimate.profile_sizes import sizes
from interpret_core.analyses.estimate.timeline import TimedStep, Timeline
from interpret_core.analyses.estimate.trials import Observed, Sampling, nbytes
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.survey.request import SurveyRequest
from interpret_core.datasets import Loader

FEW, MOST_BATCHES, MOST_READ = 8, 4, 64
SLICES = 20  # lots of a sample's chance level: two slices for each layer
PASSES = ("thresholds", "IoU", "masks")
LITTLE = 0.1  # of what comes after the passes, at least: the share that grows with the images
PILOT = 0.5  # of a pass on a single batch: what comes before it is a look at fewer images
DECODED = 4  # images that are decoded by themselves


def measure_profile(sampling: Sampling, request: ProfileRequest, layers: tuple[str, ...]) -> Measured:
    """Paces of a profile of some layers.

    Returns:
        Seconds by: an image of each pass, and a shard of each (`thresholds`, `shard of thresholds`, …); a
        permutation of all layers (`lot`) and what each sampled image adds to it (`lot on an image`); the same
        of the assessment and of all the rest; an image that is read once more (`decoding`).
    """
    asked = replace(request, layers=layers)
    few = sampling.spread(FEW)
    sampling.run(_sized(sampling, asked, FEW), few)
    small = sampling.run(_sized(sampling, asked, FEW), few)
    many = sampling.spread(_number(sampling, request.batch_size, small.seconds / small.images))
    large = sampling.run(_sized(sampling, asked, len(many)), many)
    paces: dict[str, Pace] = {}
    for stage in PASSES:
        paces[stage], paces[f"shard of {stage}"] = _pass(stage, small, large)
    paces |= _after(small, large) | {"decoding": _decoding(sampling)}
    return Measured(
        large.images,
        len(sampling.dataset.concepts(request.categories)),
        paces,
        sizes(sampling, request, small, large),
    )


def measure_survey(sampling: Sampling, request: SurveyRequest) -> Measured:
    """Seconds of an image that is read (`reading`), and once; bytes of what is kept, for each."""
    few, many = sampling.spread(FEW), sampling.spread(MOST_READ)
    runs = [sampling.run(request, images) for images in (few, few, many)]
    less, more = ((float(one.images), _whole(one.timeline.steps)) for one in runs[1:])
    once, each = line(less, more)
    kept = sum(sum(nbytes(one).values()) for one in runs[-1].records.values()) / len(many)
    concepts = len(sampling.dataset.concepts(request.categories))
    return Measured(
        len(many), concepts, {"once": once, "reading": each}, {"kept image": kept, "peak": runs[-1].peak}
    )


def _number(sampling: Sampling, batch: int, seconds: float) -> int:
    """Images of the large run: whole batches, as many as there is time for; at least `2 · FEW`."""
    there = sampling.left / max(seconds, 1e-6)
    if there < batch:
        return int(min(batch, max(2 * FEW, there)))
    return batch * min(MOST_BATCHES, int(there // batch))


def _sized(sampling: Sampling, request: ProfileRequest, images: int) -> ProfileRequest:
    """The request for a few images: as large a share of the concepts counts as in the whole data set."""
    rare = request.min_images * images / max(len(sampling.dataset), 1)
    lots = min(request.permutations, SLICES - 1)
    return replace(request, min_images=max(1, round(rare)), permutations=lots)


def _full(steps: Sequence[TimedStep]) -> list[TimedStep]:
    """Without the last step of a few images, which tells little."""
    most = max((step.done for step in steps), default=0)
    return [step for step in steps if 2 * step.done > most]


def _pass(stage: str, small: Observed, large: Observed) -> tuple[Pace, Pace]:
    """Seconds per image of a pass, and once per shard: what comes before its first batch.

    Where counting took several rounds, an image of all of them together.
    """
    rounds = _rounds(large.timeline.of(stage), large.images)
    if len(rounds[0]) < 2:
        less, more = ((float(one.images), _whole(one.timeline.of(stage))) for one in (small, large))
        once, each = line(less, more, PILOT)
        return each, once
    first, *others = rounds[0]
    alone = Pace.of(others)
    each = sum((Pace.of(steps) for steps in rounds[1:]), alone)
    return each, Pace.of([replace(first, done=1)]) - alone.times(first.done)


def _rounds(steps: Sequence[TimedStep], images: int) -> list[list[TimedStep]]:
    """The full batches of each round over so many images; at least one round."""
    found: list[list[TimedStep]] = [[]]
    done = 0
    for step in steps:
        if done // images == len(found):
            found.append([])
        found[-1].append(step)
        done += step.done
    return [_full(one) for one in found]


def _after(small: Observed, large: Observed) -> dict[str, Pace]:
    """What comes after the passes: by name, a step of it and what each sampled image adds."""
    found: dict[str, Pace] = {}
    for name, seconds in (("lot", _lot), ("assessment", _assessment), ("rest", _rest)):
        less, more = ((float(one.images), seconds(one.timeline)) for one in (small, large))
        found[name], found[f"{name} on an image"] = line(less, more, LITTLE)
    return found


def _layers(timeline: Timeline) -> Iterator[list[TimedStep]]:
    """The steps of the chance level, layer by layer."""
    for stage, steps in groupby(timeline.steps, lambda step: step.stage):
        if stage == "chance":
            yield list(steps)


def _lot(timeline: Timeline) -> Pace:
    """One permutation of all layers; the first slice of each is left aside, since it holds what is before."""
    found = Pace()
    for steps in _layers(timeline):
        found += Pace.of(steps[1:] or steps)
    return found


def _assessment(timeline: Timeline) -> Pace:
    """Of all layers."""
    return _whole(timeline.of("assessment"))


def _rest(timeline: Timeline) -> Pace:
    """What comes before each layer's chance level, and at last."""
    found = _whole(timeline.of(""))
    for steps in _layers(timeline):
        if len(steps) > 1:
            found += _whole(steps[:1]) - Pace.of(steps[1:]).times(steps[0].done)
    return found


def _whole(steps: Sequence[TimedStep]) -> Pace:
    """Seconds of some steps together."""
    wall, used = sum(step.wall for step in steps), sum(step.processor for step in steps)
    return Pace(wall, wall, wall, used)


def _decoding(sampling: Sampling) -> Pace:
    """A picture that is read and decoded."""
    loader = Loader(sampling.dataset, memory=0, reduce=sampling.network.preprocessing.reduced)
    steps = []
    for image in sampling.spread(DECODED):
        began = time.perf_counter(), time.process_time()
        loader.read(image)
        steps.append(TimedStep("", 1, time.perf_counter() - began[0], time.process_time() - began[1]))
    return Pace.of(steps)
