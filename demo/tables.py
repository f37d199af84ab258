"""Prints the tables of docs/demo.md that are about the networks, as Markdown.

    python -m demo.tables [--cache FOLDER]

How often each network is right, what it takes a picture for, its detectors beside those of its untrained
control, and what silencing units costs each class. What is not in the store is computed; the layers of a
control take a minute or two each.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from interpret_core import config, demo, networks
from interpret_core.analyses.ablation.grid import Grid, run_ablation
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.evaluation.compute import run_evaluation
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.analyses.evaluation.result import Evaluated
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles
from interpret_core.analyses.profile.request import ProfileRequest, Settings
from interpret_core.analyses.profile.summary import LayerSummary, summarise
from interpret_core.cli.terminal import Progress, console
from interpret_core.errors import UserError
from interpret_core.measures.ablation.selection import DIRECTIONS
from interpret_core.measures.ablation.settings import RELEVANCE, Setting
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store

SILENCED = 0.03  # of each layer's units
THINGS = ("object", "part")  # an untrained unit finds colours too


def accuracy(found: dict[str, Evaluated]) -> Iterator[str]:
    """Right answers by class, a column per network."""
    names = list(found)
    classes = found[names[0]].classes
    yield _row("class", "pictures", *names)
    yield _rule(1, 1 + len(names))
    for at, name in enumerate(classes):
        right = [f"{int(found[network].evaluation.right[at])}" for network in names]
        yield _row(name, str(int(found[names[0]].evaluation.images[at])), *right)
    images = int(found[names[0]].evaluation.images.sum())
    yield _row("all", str(images), *(f"{int(one.evaluation.right.sum())}" for one in found.values()))
    shares = (f"{one.evaluation.overall_accuracy:.1%}" for one in found.values())
    yield _row("share", "", *shares)


def confusion(found: Evaluated) -> Iterator[str]:
    """Pictures by true class (row) and answer (column)."""
    yield _row("", *found.classes)
    yield _rule(1, len(found.classes))
    for name, row in zip(found.classes, found.evaluation.confusion.tolist(), strict=True):
        yield _row(name, *(str(count) if count else "" for count in row[: len(found.classes)]))


def detectors(store: Store, names: Sequence[str], progress: Progress) -> Iterator[str]:
    """Significant detectors of objects and parts in the last third of the layers, trained and untrained."""
    yield _row(
        "network", "layers", "units", "trained", "untrained control", "by chance, trained", "untrained"
    )
    yield _rule(2, 5)
    for name in names:
        layers = [_last_third(store, network, progress) for network in (name, f"{name}@random")]
        units = sum(layer.profile.units for layer in layers[0])
        span = f"{layers[0][0].profile.layer} … {layers[0][-1].profile.layer}"
        counts = [sum(int(_things(layer).sum()) for layer in part) for part in layers]
        chance = [sum(layer.expected_by_chance() or 0.0 for layer in part) for part in layers]
        yield _row(name, span, str(units), *map(str, counts), *(f"{value:.1f}" for value in chance))


class Loss(NamedTuple):
    """What a class loses by silencing units ranked for it; random: mean and deviation over the seeds."""

    top: float
    bottom: float
    mean: float
    deviation: float

    @property
    def limit(self) -> float:
        """More than this is more than chance: the random mean and two deviations."""
        return self.mean + 2 * self.deviation


def losses(grid: Grid, name: str, fraction: float) -> tuple[Loss, Loss]:
    """Right pictures that a class loses, and how much of its mean probability over the same pictures."""
    at = grid.plan.number(name)
    intact = grid.evaluation(Setting())
    ranked = [grid.evaluation(Setting(RELEVANCE, name, direction, fraction)) for direction in DIRECTIONS]
    controls = grid.random(fraction)
    if intact is None or not controls or None in ranked:
        raise UserError(f"The ablation of {name} is not there yet: run demo.results first.")

    def loss(what: str) -> Loss:
        lost = [float((getattr(intact, what) - getattr(one, what))[at]) for one in (*ranked, *controls)]
        return Loss(lost[0], lost[1], float(np.mean(lost[2:])), float(np.std(lost[2:], ddof=1)))

    return loss("right"), loss("probability")


def silenced(grid: Grid, fraction: float) -> Iterator[str]:
    """What silencing the top, the bottom and random units costs the class they are ranked for."""
    numbers = ("right", "top", "bottom", "random", "probability, top", "bottom", "random")
    yield _row("class", *numbers, "top beyond chance", "bottom beyond chance")
    yield _rule(1, len(numbers)) + "---|" * 2
    intact = grid.evaluation(Setting())
    for name in grid.classes:
        right, probability = losses(grid, name, fraction)
        at = grid.plan.number(name)
        kinds = {"right": right, "probability": probability}
        top = [kind for kind, lost in kinds.items() if lost.top > lost.limit]
        bottom = [kind for kind, lost in kinds.items() if lost.bottom > lost.limit]
        yield _row(
            name,
            "" if intact is None else f"{intact.right[at]} of {intact.images[at]}",
            *(f"{value:.0f}" for value in (right.top, right.bottom)),
            f"{right.mean:z.1f} ± {right.deviation:.1f}",
            *(f"{value:z.3f}" for value in (probability.top, probability.bottom)),
            f"{probability.mean:z.3f} ± {probability.deviation:.3f}",
            *(" and ".join(found) or "no" for found in (top, bottom)),
        )


def _last_third(store: Store, name: str, progress: Progress) -> list[LayerSummary]:
    names = [layer.name for layer in networks.load(name).layers]
    request = ProfileRequest(name, demo.NAME, tuple(names[-math.ceil(len(names) / 3) :]))
    keys = run_profile(request, store, Execution(device="cpu", tell=progress.tell)).keys
    found = list(find_profiles(keys, store).values())
    return [summarise(one.profile, one.chance, Settings()) for one in found]


def _things(layer: LayerSummary) -> np.ndarray:
    """(U,) detectors that are significant and labelled with an object or a part."""
    categories = np.array([name in THINGS for name in layer.profile.categories])
    kind = categories[layer.profile.concept_category[layer.best_concept]]
    return np.asarray(layer.detector & layer.significant & kind)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(texts: int, numbers: int) -> str:
    return "|" + "---|" * texts + "--:|" * numbers


def main() -> None:
    """Compute what is missing and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cache", type=Path, help="folder of results, instead of INTERPRET_CACHE")
    options = parser.parse_args()
    names = [f"{demo.PREFIX}{name}" for name in demo.NETWORKS]
    with Store(options.cache or config.current().cache) as store, Progress(console()) as progress:
        found = {
            name: run_evaluation(
                EvaluationRequest(name, demo.NAME, "all"), store, Execution(device="cpu", tell=progress.tell)
            )
            for name in names
        }
        lines = ["### Right answers, all 480 pictures", "", *accuracy(found), ""]
        for name, one in found.items():
            lines += [f"### What {name} takes a picture of the row's class for", "", *confusion(one), ""]
        for name in names:
            grid = run_ablation(
                AblationRequest(name, demo.NAME), store, Execution(device="cpu", tell=progress.tell)
            )
            lines += [f"### Losses of {name}, {SILENCED:.0%} of the units silenced", ""]
            lines += [*silenced(grid, SILENCED), ""]
        lines += ["### Detectors, trained and untrained", "", *detectors(store, names, progress)]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
