"""`bench ablation`: what keeping prefixes and answers saves, against evaluating everything anew.

*Naive*: every image of the split is decoded, preprocessed and sent through the whole network with the units
silenced. *Ours*: the engine's `Ablator` once a setting before has filled its prefixes, as behind a slider;
images, batches and arithmetic are the same, so the answers must be equal, which is checked. Every repeat
picks other units by hand, for answers that are kept would come from the store. Naive and ours run one after
the other in every repeat, in one process.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from interpret_core import config, datasets, networks
from interpret_core.analyses.ablation.ablator import Ablator
from interpret_core.analyses.ablation.grid import find_grid
from interpret_core.analyses.ablation.plan import AblationPlan, ablation_plan
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.errors import Cancelled
from interpret_core.measures.ablation.answers import Answers, answer, joined
from interpret_core.measures.ablation.evaluation import tally
from interpret_core.measures.ablation.selection import TOP
from interpret_core.measures.ablation.settings import RANDOM, RELEVANCE, Setting
from interpret_core.networks import Silence
from interpret_core.runtime.evaluated import BATCH
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.survey import planned
from interpret_core.store.store import Store

FRACTION = 0.03
FIRST = 10**6  # seed of the turn that fills the prefixes; repeats count from 0

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        network, dataset: names; the images of split val are evaluated.
        repeats: timed runs; the median counts.
    """

    network: str
    dataset: str
    repeats: int


@dataclass(frozen=True)
class Turn:
    """Seconds of one setting.

    Attributes:
        whole: until all images are done.
        first: until the first estimate.
        images: in that estimate.
        answers: to all images.
    """

    whole: float
    first: float
    images: int
    answers: Answers


def measure(
    plan: Plan, tell: Tell = lambda *_: None, cancelled: Callable[[], bool] = lambda: False
) -> tuple[dict[str, Any], list[str]]:
    """The numbers by name, and sentences on how they came about."""

    def check(stage: str, done: int, total: int) -> None:
        if cancelled():
            raise Cancelled("Stopped.")
        tell(stage, done, total)

    reporter = Reporter(tell, cancelled)
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as empty:
        bench = Bench.prepared(plan, empty, reporter)
        numbers = _report(bench, _timed(bench, plan.repeats, check), _stored(plan, bench, check))
        check("done", plan.repeats, plan.repeats)
        return numbers, remarks(plan, bench, numbers)


@dataclass(frozen=True, eq=False)
class Bench:
    """A plan whose store knows no answer, and what is timed on it."""

    plan: AblationPlan

    @classmethod
    def prepared(cls, plan: Plan, store: Store, reporter: Reporter) -> Bench:
        """Everything that is done before the clock starts.

        Args:
            plan: what to measure.
            store: an empty one.
            reporter: progress and cancellation of the survey, where there has to be one.
        """
        network = networks.load(plan.network)
        dataset = datasets.open_dataset(plan.dataset)
        planned(dataset, network.spec, store, reporter)
        return cls(ablation_plan(AblationRequest(plan.network, plan.dataset), store, network))

    def picked(self, seed: int, layers: Sequence[str]) -> Setting:
        """Units picked by hand: a share of each of these layers, others for every seed."""
        drawn = self.plan.selection(Setting(RANDOM, fraction=FRACTION, seed=seed, layers=tuple(layers)))
        return Setting(units=tuple((layer, unit) for layer, units in drawn.items() for unit in units))

    def naive(self, setting: Setting) -> Turn:
        """Everything anew: decode, preprocess, the whole network."""
        plan = self.plan
        silenced = {name: Silence(units) for name, units in plan.selection(setting).items()}
        found = []
        start = time.perf_counter()
        for at in range(0, len(plan.images), BATCH):
            rows = np.arange(at, min(at + BATCH, len(plan.images)))
            pictures = [plan.dataset.read_image(index) for index in plan.images[rows].tolist()]
            with plan.network.ablating(silenced) as run:
                logits = run(plan.network.preprocessing.batch(pictures)).float().cpu().numpy()
            found.append(answer(logits, plan.labels[rows], plan.outputs, plan.network.head))
        spent = time.perf_counter() - start
        return Turn(spent, spent, len(plan.images), joined(found))

    def ours(self, ablator: Ablator, setting: Setting) -> Turn:
        """As the page does it, whatever the ablator has kept."""
        first, images = 0.0, 0
        start = time.perf_counter()
        for estimate in ablator.estimates(setting):
            if not images:
                first, images = time.perf_counter() - start, len(estimate.rows)
        return Turn(time.perf_counter() - start, first, images, estimate.answers)


@dataclass(frozen=True)
class _Found:
    """All timed turns, side by side by repeat; the cold one once.

    Attributes:
        naive, ours: units of every inner layer.
        late: ours, units of the last inner layer alone.
        cold: ours with nothing kept, units of every inner layer.
    """

    naive: list[Turn]
    ours: list[Turn]
    late: list[Turn]
    cold: Turn


def _timed(bench: Bench, repeats: int, tell: Tell) -> _Found:
    inner = bench.plan.inner
    ablator = Ablator(bench.plan)
    tell("warming up", 0, 0)
    bench.naive(bench.picked(FIRST, inner))
    cold = bench.ours(ablator, bench.picked(FIRST, inner))
    naive, ours, late = [], [], []
    for seed in range(repeats):
        tell("naive and ours", seed, repeats)
        setting = bench.picked(seed, inner)
        naive.append(bench.naive(setting))
        ours.append(bench.ours(ablator, setting))
    bench.ours(ablator, bench.picked(FIRST, inner[-1:]))
    for seed in range(repeats):
        tell("the last inner layer", seed, repeats)
        late.append(bench.ours(ablator, bench.picked(seed, inner[-1:])))
    return _Found(naive, ours, late, cold)


def _stored(plan: Plan, bench: Bench, tell: Tell) -> list[float]:
    """Seconds of reading one class's grid, and of counting one point; none where it is not in the cache."""
    ranked = [one.name for one in bench.plan.classes if one.name in bench.plan.ranking.keys]
    if not ranked:
        return []
    request = replace(bench.plan.request, classes=(ranked[0],))
    with Store(config.current().cache) as store:
        asked = replace(bench.plan, request=request, store=store)
        taken = []
        for done in range(plan.repeats):
            tell("grid", done, plan.repeats)
            start = time.perf_counter()
            answers = find_grid(asked).answers(Setting(RELEVANCE, ranked[0], TOP, FRACTION))
            if answers is None:
                return []
            tally(answers, asked.labels, asked.outputs)
            taken.append(time.perf_counter() - start)
    return taken


def _report(bench: Bench, found: _Found, stored: Sequence[float]) -> dict[str, Any]:
    """Ratios first, then what stands beside them; milliseconds are of the whole split.

    p50 and p95 are of a stored grid point's numbers; those of the page are `slider_to_chart`'s.
    """
    naive = _middle(one.whole for one in found.naive)
    whole, first = _middle(one.whole for one in found.ours), _middle(one.first for one in found.ours)
    late = _middle(one.whole for one in found.late)
    grid = _middle(stored) if stored else None
    seconds = {
        "naive": naive, "whole": whole, "first": first, "last_layer": late, "cold_first": found.cold.first,
        "cold_whole": found.cold.whole, "grid": grid,
    }  # fmt: skip
    return {
        "over_naive": naive / whole,
        "first_estimate_ms": 1e3 * first,
        "p50_ms": None if not stored else 1e3 * float(np.percentile(stored, 50)),
        "p95_ms": None if not stored else 1e3 * float(np.percentile(stored, 95)),
        "over_naive_last_layer": naive / late,
        "first_over_whole": first / whole,
        "first_over_naive": naive / first,
        "grid_over_naive": None if grid is None else naive / grid,
        "equal_answers": all(
            map(_equal, [one.answers for one in found.naive], [one.answers for one in found.ours])
        ),
        "first_images": int(statistics.median(one.images for one in found.ours)),
        "ms": {name: None if value is None else 1e3 * value for name, value in seconds.items()},
        "over_naive_runs": [a.whole / b.whole for a, b in zip(found.naive, found.ours, strict=True)],
        "images": len(bench.plan.images),
        "silenced": len(bench.picked(0, bench.plan.inner).units),
        "layers": len(bench.plan.inner),
        "threads": torch.get_num_threads(),
    }


def remarks(plan: Plan, bench: Bench, numbers: dict[str, Any]) -> list[str]:
    """How to read the numbers."""
    network, inner = bench.plan.network, bench.plan.inner
    runs = ", ".join(f"{ratio:.1f}" for ratio in numbers["over_naive_runs"])
    first = numbers["first_images"]
    lines = [
        f"{network.name} ({network.evidence}), {numbers['images']} images of {bench.plan.dataset.name}, "
        f"{numbers['threads']} threads, median of {plan.repeats} in one process; naive: decode, preprocess, "
        "whole network.",
        f"{numbers['silenced']} units by hand in {numbers['layers']} layers from {inner[0]} on, what lies "
        f"before kept: {numbers['over_naive']:.1f} times as fast as naive (single runs {runs}), answers "
        f"{'equal' if numbers['equal_answers'] else 'NOT EQUAL'}; units of {inner[-1]} alone: "
        f"{numbers['over_naive_last_layer']:.1f} times.",
        f"First estimate, on {first} of {numbers['images']} images: after "
        f"{numbers['first_over_whole']:.0%} of the time that all images take, "
        f"{numbers['first_over_naive']:.1f} times as soon as naive.",
    ]
    if numbers["grid_over_naive"] is None:
        lines.append(
            f"No grid of {plan.network} on {plan.dataset} is in the cache, so its answer is not timed: "
            "compute it on the page Ablation."
        )
    else:
        lines.append(f"A grid point out of the store: {numbers['grid_over_naive']:,.0f} times.")
    return lines


def _middle(values: Iterable[float]) -> float:
    return float(statistics.median(values))


def _equal(one: Answers, other: Answers) -> bool:
    pairs = zip(one.to_arrays().values(), other.to_arrays().values(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
