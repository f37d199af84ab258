"""`bench relevance`: layer integrated gradients against captum's in a loop over the layers.

Ours and captum's run one after the other in every repeat, in one process, on the same images, which are
decoded and preprocessed before the clock starts. Both end with the attributions of every layer and their sum;
what follows (masks, sums per unit) is the same for both and is left out. The part of the speed-up that is
nothing but memory format shows in a second figure, for which captum is given everything in channels_last,
once.

Whether a pair of image and layer is within 5 % is judged by the layer's own endpoints for both: captum's
`convergence_delta` takes F of the baseline, which is wrong beside a residual connection (method §5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.relevance_memory import peaks
from benchmarks.relevance_timing import Bench, Turn, middle
from interpret_core import config, datasets, networks
from interpret_core.analyses.relevance.attribution import Attributing
from interpret_core.analyses.relevance.plan import RelevancePlan, plan_from
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.classes.known import ClassPlan
from interpret_core.errors import Cancelled
from interpret_core.measures.attribution.target import as_target
from interpret_core.options import ALL, Split
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.subjects import identify
from interpret_core.runtime.survey import planned
from interpret_core.store.store import Store

POINTS = 16
STEPS = (16, 32, 64, 128, 256)  # captum is given the smallest that reaches ENOUGH
WITHIN = 0.05
ENOUGH = 0.95
WARM = 2  # images of the first, uncounted turn

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        network, dataset: names.
        class_name: of the data set; None takes the first class that has enough images.
        images: how many of the class, at most.
        repeats: timed runs; the median counts.
        memory_images: how many of them for the peak memory, which is taken once with these and once with
            these listed ten times; 0 leaves it out.
    """

    network: str
    dataset: str
    class_name: str | None
    images: int
    repeats: int
    memory_images: int = 0


def measure(
    plan: Plan, tell: Tell = lambda *_: None, cancelled: Callable[[], bool] = lambda: False
) -> tuple[dict[str, Any], list[str]]:
    """The numbers by name, and sentences on how they came about."""
    chosen = _chosen(plan, Reporter(tell, cancelled))
    bench = _prepared(plan, chosen, cancelled)
    numbers = _report(bench, _timed(bench, plan.repeats, tell))
    if plan.memory_images:
        tell("peak memory", 0, 0)
        numbers |= _memory(plan, chosen)
    tell("done", plan.repeats, plan.repeats)
    return numbers, remarks(plan, bench, numbers)


def prepared(plan: Plan) -> Bench:
    """Everything that is done before the clock starts."""
    return _prepared(plan, _chosen(plan, Reporter()), lambda: False)


def _prepared(plan: Plan, chosen: RelevancePlan, cancelled: Callable[[], bool]) -> Bench:
    (known,) = chosen.classes
    network = networks.load(plan.network)
    attributing = Attributing(
        network, as_target(known.outputs, chosen.request.output, network.head), chosen.request
    )
    pictures = [chosen.dataset.read_image(index) for index in chosen.images[known.name].tolist()]

    def check() -> None:
        if cancelled():
            raise Cancelled("Stopped.")

    return Bench.prepared(known.name, attributing, pictures, check)


def _chosen(plan: Plan, reporter: Reporter) -> RelevancePlan:
    """One class, and its images from every split: those of one split may be few."""
    dataset = datasets.open_dataset(plan.dataset)
    with Store(config.current().cache) as store:
        subject = identify(plan.network, store)
        known = planned(dataset, subject.spec, store, reporter)
    name = plan.class_name or _default(known, plan.images)
    request = RelevanceRequest(
        plan.network,
        plan.dataset,
        (name,),
        split=Split.ALL,
        images=plan.images,
        points=POINTS,
        tolerance=WITHIN,
    )
    return plan_from(request, dataset, subject, known)


def _default(known: ClassPlan, images: int) -> str:
    """The first class with enough images, else the one with the most."""
    classes = known.chosen(ALL)
    enough = [one for one in classes if len(one.images) >= images]
    return (enough[0] if enough else max(classes, key=lambda one: len(one.images))).name


@dataclass(frozen=True)
class _Found:
    """All timed turns, side by side by repeat; shares: captum's by its number of points."""

    ours: list[Turn]
    captum: list[Turn]
    captum_last: list[Turn]
    adaptive: list[Turn]
    captum_enough: list[Turn]
    shares: dict[str, float]


def _timed(bench: Bench, repeats: int, tell: Tell) -> _Found:
    tell("warming up", 0, 0)
    bench.first(WARM).same_points(POINTS)
    bench.first(WARM).captum(POINTS, channels_last=True)
    rounds = _repeated(
        lambda: bench.same_points(POINTS), repeats, lambda done: tell("the same points", done, repeats)
    )
    ours, captum = (list(turns) for turns in zip(*rounds, strict=True))
    tell("the same points, captum in channels_last", 0, 0)
    last = [bench.captum(POINTS, channels_last=True)]
    tried = _searched(bench, captum[-1], tell)
    steps = tried[-1].steps

    def pair() -> tuple[Turn, ...]:
        return bench.captum(steps), bench.adaptive()

    # The search's own last turn is the first repeat: everything is warm by then, and it may take minutes.
    first = (tried[-1], bench.adaptive())
    more = _repeated(pair, repeats - 1, lambda done: tell("until 5 %", done + 1, repeats))
    enough, adaptive = (list(turns) for turns in zip(first, *more, strict=True))
    shares = {str(turn.steps): turn.within(WITHIN) for turn in tried}
    return _Found(ours, captum, last, adaptive, enough, shares)


def _searched(bench: Bench, first: Turn, tell: Tell) -> list[Turn]:
    """captum with ever more steps, from a turn with the fewest to the first that reaches ENOUGH."""
    tried = [first]
    for steps in STEPS[1:]:
        if tried[-1].within(WITHIN) >= ENOUGH:
            break
        tell(f"captum with {steps} points", 0, 0)
        tried.append(bench.captum(steps))
    return tried


def _repeated(
    turn: Callable[[], tuple[Turn, ...]], times: int, before: Callable[[int], None]
) -> list[tuple[Turn, ...]]:
    found = []
    for done in range(times):
        before(done)
        found.append(turn())
    return found


def _memory(plan: Plan, chosen: RelevancePlan) -> dict[str, Any]:
    """Megabytes that a whole run needs, whatever the number of images."""
    (known,) = chosen.classes
    names = [chosen.dataset.records[index].image for index in chosen.images[known.name].tolist()]
    some = names[: plan.memory_images]
    once, ten = peaks(chosen.dataset.root, some, plan.network, known.name)
    return {
        "memory_images": len(some),
        "peak_mb": once.peak,
        "peak_mb_10x": ten.peak,
        "held_mb": once.held,
    }


def _report(bench: Bench, found: _Found) -> dict[str, Any]:
    """The contract's numbers first, then what stands beside them; milliseconds are per image."""
    mine, theirs = found.adaptive[-1], found.captum_enough[-1]
    turns = {
        "same_points": found.ours,
        "captum_same_points": found.captum,
        "captum_same_points_channels_last": found.captum_last,
        "to_5pct": found.adaptive,
        "captum_to_5pct": found.captum_enough,
    }
    return {
        "speedup_same_points": middle(found.captum) / middle(found.ours),
        "speedup_to_5pct": middle(found.captum_enough) / middle(found.adaptive),
        "pairs_within_5pct": mine.within(WITHIN),
        "speedup_same_points_channels_last": middle(found.captum_last) / middle(found.ours),
        "captum_points": theirs.steps,
        "captum_reaches_5pct": theirs.within(WITHIN) >= ENOUGH,
        "captum_pairs_within_5pct": found.shares,
        "mean_points": float(mine.points.mean()),
        "deviation": _deviation(found.ours[-1], found.captum[-1]),
        "ms": {name: 1e3 * middle(each) / len(bench.images) for name, each in turns.items()},
        "speedup_same_points_runs": _ratios(found.captum, found.ours),
        "speedup_to_5pct_runs": _ratios(found.captum_enough, found.adaptive),
        "class": bench.class_name,
        "images": len(bench.images),
        "layers": len(bench.layers),
        "threads": bench.threads,
    }


def _ratios(theirs: Sequence[Turn], ours: Sequence[Turn]) -> list[float]:
    return [other.seconds / own.seconds for other, own in zip(theirs, ours, strict=True)]


def _deviation(ours: Turn, theirs: Turn) -> float:
    """The largest difference of Σ G between two turns, relative to ΔF: they should have computed the same."""
    difference: NDArray[np.float64] = np.abs(ours.total - theirs.total) / ours.scale
    return float(difference.max())


def remarks(plan: Plan, bench: Bench, numbers: dict[str, Any]) -> list[str]:
    """How to read the numbers."""
    network, ms, points = bench.network, numbers["ms"], numbers["captum_points"]
    few = f" ({plan.images} asked for)" if numbers["images"] < plan.images else ""
    shares = [f"{share:.1%} with {steps}" for steps, share in numbers["captum_pairs_within_5pct"].items()]
    lines = [
        f"{network.name} ({network.evidence}), {numbers['layers']} layers, {numbers['images']} images of "
        f"class {bench.class_name}{few}, {numbers['threads']} threads, median of {plan.repeats} in one "
        "process; decoding, preprocessing and the sums per unit are left out for both.",
        f"Same rule, {POINTS} points: ours {ms['same_points']:.0f} ms an image, captum "
        f"{ms['captum_same_points']:.0f} ms: {numbers['speedup_same_points']:.2f} times "
        f"({_runs(numbers['speedup_same_points_runs'])}). The sums differ by at most "
        f"{numbers['deviation']:.1e} of the change of F.",
        f"captum with parameters and images in channels_last, as ours, timed once: "
        f"{ms['captum_same_points_channels_last']:.0f} ms, "
        f"{numbers['speedup_same_points_channels_last']:.2f} times; the rest is memory format.",
        f"Until {ENOUGH:.0%} of the pairs are within {WITHIN:.0%}: ours {ms['to_5pct']:.0f} ms an image with "
        f"{numbers['mean_points']:.0f} points on average, captum {ms['captum_to_5pct']:.0f} ms with "
        f"{points}: {numbers['speedup_to_5pct']:.2f} times ({_runs(numbers['speedup_to_5pct_runs'])}).",
        f"Pairs of image and layer within {WITHIN:.0%}: ours {numbers['pairs_within_5pct']:.1%}; "
        f"captum {', '.join(shares)} points.",
    ]
    if not numbers["captum_reaches_5pct"]:
        lines.append(f"captum fails with {points} points too: its time to {WITHIN:.0%} is a lower bound.")
    if numbers["pairs_within_5pct"] < ENOUGH:
        lines.append(f"Ours stays below {ENOUGH:.0%}: the time to {WITHIN:.0%} is that of a run that fails.")
    if "peak_mb" in numbers:
        lines.append(
            f"Peak memory of a run over all layers, a fresh process each: {numbers['memory_images']} images "
            f"{numbers['peak_mb']:.0f} MB, listed ten times {numbers['peak_mb_10x']:.0f} MB; libraries and "
            f"weights hold {numbers['held_mb']:.0f} MB of it."
        )
    return lines


def _runs(ratios: Sequence[float]) -> str:
    return "single runs " + ", ".join(f"{ratio:.2f}" for ratio in ratios)
