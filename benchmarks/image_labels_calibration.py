"""How often units that know nothing of labels are said to tell one.

    python -m benchmarks.image_labels_calibration --seeds 50
    python -m benchmarks.image_labels_calibration --network demo/alexnet --dataset demo --layer conv5

Without a network, responses are random numbers, in four situations: labels that exclude each other, labels
that come together, frames of films that answer alike and bear one label, and columns that are silent about
some images. With one, the labels of its images are shuffled; its labels have to be stored
(`image-labels`). Printed: the share of p ≤ 0.05 over all units and seeds, and of seeds with any q ≤ 0.05.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from interpret_core import config, datasets
from interpret_core.analyses.image_labels.compute import asked_of
from interpret_core.analyses.image_labels.plan import keys_by_name
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.cli.terminal import console
from interpret_core.measures.image_labels.evidence import LabelEvidence, LabelledUnits, label_evidence
from interpret_core.store.store import Store

IMAGES, UNITS = 90, 30
LEVEL = 0.05


def apart(rng: np.random.Generator) -> LabelledUnits:
    """Three labels, of which every image bears one."""
    shows = np.eye(3, dtype=np.bool_)[rng.choice(3, IMAGES, p=(0.1, 0.3, 0.6))]
    return _asked(rng.normal(size=(IMAGES, UNITS)), shows, np.arange(IMAGES))


def together(rng: np.random.Generator) -> LabelledUnits:
    """Six labels, an image that bears one bearing most of the others as a rule; units that answer alike."""
    hidden = rng.normal(size=(IMAGES, 1))
    shows = hidden + 0.5 * rng.normal(size=(IMAGES, 6)) > 0.7
    common = rng.normal(size=(IMAGES, 1))
    return _asked(0.7 * common + 0.7 * rng.normal(size=(IMAGES, UNITS)), shows, np.arange(IMAGES))


def films(rng: np.random.Generator) -> LabelledUnits:
    """One to eight frames of each of thirty films, hardly different; a film bears one of three labels."""
    length = rng.integers(1, 9, 30)
    group = np.repeat(np.arange(30), length)
    shows = np.eye(3, dtype=np.bool_)[rng.integers(0, 3, 30)[group]]
    responses = rng.normal(size=(30, UNITS))[group] + 0.2 * rng.normal(size=(len(group), UNITS))
    return _asked(responses, shows, group)


def silent(rng: np.random.Generator) -> LabelledUnits:
    """Two columns of two labels, the second of which knows half of the images; answers with many ties."""
    known = np.stack([np.ones(IMAGES, np.bool_), rng.random(IMAGES) < 0.5], 1)
    first, second = rng.random((2, IMAGES)) < 0.3
    shows = np.stack([first, ~first, second & known[:, 1], ~second & known[:, 1]], 1)
    responses = np.maximum(rng.normal(size=(IMAGES, UNITS)), 0)
    column = np.array([0, 0, 1, 1])
    return LabelledUnits(responses.astype(np.float32), shows, column, known, np.arange(IMAGES))


SITUATIONS: dict[str, Callable[[np.random.Generator], LabelledUnits]] = {
    "labels that exclude each other": apart,
    "labels that come together": together,
    "frames of films": films,
    "columns that are silent": silent,
}


def _asked(responses: np.ndarray, shows: np.ndarray, group: np.ndarray) -> LabelledUnits:
    """One column that knows all images."""
    column = np.zeros(shows.shape[1], np.int64)
    return LabelledUnits(
        responses.astype(np.float32), shows, column, np.ones((len(shows), 1), np.bool_), group
    )


def calibration(
    asked: Callable[[np.random.Generator], LabelledUnits], seeds: int, permutations: int
) -> tuple[float, float]:
    """Share of p ≤ 0.05 over units and seeds, and of seeds with any q ≤ 0.05."""
    found: list[LabelEvidence] = [
        label_evidence(asked(np.random.default_rng(seed)), seed, permutations) for seed in range(seeds)
    ]
    p = np.concatenate([one.p_value[~np.isnan(one.p_value)] for one in found])
    any_q = [bool((one.q_value <= LEVEL).any()) for one in found]
    return float((p <= LEVEL).mean()), float(np.mean(any_q))


def shuffled(network: str, dataset: str, layer: str) -> Callable[[np.random.Generator], LabelledUnits]:
    """The responses of a layer, and the images' labels in another order; groups change places as a whole."""
    request = ImageLabelsRequest(network, dataset, (layer,))
    store = Store(config.current().cache)
    keys = keys_by_name(request, store)
    response, images = store.get(keys.maxima[layer]), asked_of(datasets.open_dataset(dataset), request, store)
    if response is None or images is None:
        raise SystemExit(f"No labels of {layer} are stored: run image-labels first.")
    asked = images.of_units(response["response"])

    def moved(rng: np.random.Generator) -> LabelledUnits:
        order = rng.permutation(len(asked.known))
        return replace(asked, shows=asked.shows[order], known=asked.known[order])

    return moved


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network")
    parser.add_argument("--dataset")
    parser.add_argument("--layer")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--permutations", type=int, default=100)
    given = parser.parse_args()
    situations = SITUATIONS
    if given.network:
        situations = {f"{given.layer}, shuffled": shuffled(given.network, given.dataset, given.layer)}
    for name, asked in situations.items():
        p, q = calibration(asked, given.seeds, given.permutations)
        console().print(
            f"{name}: p ≤ {LEVEL:g} in {p:.3%}, any q ≤ {LEVEL:g} in {q:.1%} of {given.seeds} seeds"
        )


if __name__ == "__main__":
    main()
