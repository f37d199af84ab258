"""How often masks that respond to nothing are called a colour or an object.

    python -m benchmarks.assessment_calibration --network demo/alexnet --dataset demo --layer conv5

Masks at random over the images, of single pixels and of blobs, and those of real units moved to other
images (annotation and colours shuffled), are assessed like units. Printed: the share of each word, over all
seeds. No chance level is taken, which would leave most of them out beforehand. The layer's profile has to be
stored.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from interpret_core import config, datasets
from interpret_core.analyses.profile import artefacts
from interpret_core.analyses.profile.assessment import Assessor
from interpret_core.analyses.profile.chance import Sample, in_image_order
from interpret_core.analyses.profile.material import Material
from interpret_core.analyses.profile.plan import find_layer, layer_keys
from interpret_core.analyses.profile.request import QUANTILE, ProfileRequest
from interpret_core.cli.terminal import Progress, console
from interpret_core.measures.assessment.evidence import evidence
from interpret_core.measures.assessment.words import Assessment, assessed
from interpret_core.measures.dissection.chance import sample_images
from interpret_core.measures.dissection.masks import Runs, runs_of
from interpret_core.networks import load
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.survey import surveyed
from interpret_core.store.store import Store

UNITS = 4  # of each kind and seed
BLOB = 4.0  # pixels, the deviation of the filter

Masks = NDArray[np.bool_]  # (N, P)


def scattered(rng: np.random.Generator, images: int, size: tuple[int, int]) -> Masks:
    """Single pixels."""
    return np.asarray(rng.random((images, size[0] * size[1])) < QUANTILE)


def clumped(rng: np.random.Generator, images: int, size: tuple[int, int]) -> Masks:
    """Blobs."""
    smooth = gaussian_filter(rng.normal(size=(images, *size)).astype(np.float32), (0, BLOB, BLOB))
    return np.asarray((smooth > np.quantile(smooth, 1 - QUANTILE)).reshape(images, -1))


class Moved:
    """Masks of a layer's units, each moved to other images as a whole."""

    def __init__(self, found: Runs, images: int, units: int) -> None:
        self.found, self.images, self.units = found, images, units

    def __call__(self, rng: np.random.Generator, images: int, size: tuple[int, int]) -> Masks:
        unit, mask = int(rng.integers(self.units)), np.zeros((images, size[0] * size[1]), np.bool_)
        for place, image in enumerate(rng.permutation(images)):
            at = image * self.units + unit
            for start, length in self.found.runs[self.found.offsets[at] : self.found.offsets[at + 1]]:
                mask[place, start : start + length] = True
        return mask


def moved(store: Store, request: ProfileRequest, layer: str, images: NDArray[np.int64]) -> Moved:
    """From the stored masks of a layer."""
    keys = layer_keys(request, store)
    profile = find_layer(keys, store, layer)
    threshold = profile.profile.arrays["threshold"] if profile else np.zeros(0)
    key = artefacts.masks_key(keys.profile[layer], request.seed)
    masks = artefacts.find_masks(store, key, threshold)
    if profile is None or masks is None:
        raise SystemExit(f"The masks of {layer} are not stored: profile {request.network} first.")
    return Moved(in_image_order(masks, images), len(images), profile.profile.units)


KINDS: dict[str, Callable[[np.random.Generator, int, tuple[int, int]], Masks]] = {
    "single pixels": scattered,
    "blobs": clumped,
}


def runs(masks: list[Masks]) -> Runs:
    """U masks of N images as the measures take them."""
    found = [runs_of(mask[image]) for image in range(len(masks[0])) for mask in masks]
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in found])])
    return Runs(offsets, np.concatenate(found).astype(np.int32), np.zeros(0, np.int32))


def words(assessor: Assessor, masks: list[Masks]) -> Counter[str]:
    """What is said of them."""
    ground = assessor.ground
    best = np.array([_overlaps(assessor, mask).argsort()[::-1][:2] for mask in masks])
    told, _ = evidence(runs(masks), ground, best, assessor.included)
    found = assessed(told, np.zeros(len(masks), np.uint8), np.full(len(masks), np.nan))
    return Counter(Assessment(int(word)).name.lower().replace("_", " ") for word in found)


def _overlaps(assessor: Assessor, mask: Masks) -> NDArray[np.float64]:
    """(C,) active share inside each concept: what labels noise well enough."""
    groups, sets = assessor.ground.groups, assessor.ground.sets
    inside = np.bincount(groups.of_pixel[mask], minlength=len(groups))
    by_set = np.bincount(groups.label_set, inside, len(sets))
    shown = np.zeros(len(assessor.included))
    np.add.at(shown, sets.concepts, np.repeat(by_set, np.diff(sets.offsets)))
    share = shown / np.maximum(assessor.ground.areas.concept[:, 0], 1)
    return np.asarray(np.where(assessor.included, share, -1.0))


def prepared(request: ProfileRequest, store: Store) -> tuple[Assessor, tuple[int, int]]:
    """What the data set's pixels carry, and the size of its annotations."""
    dataset = datasets.open_dataset(request.dataset)
    table, survey = surveyed(dataset, store, Execution().reporter(), request.categories)
    material = Material(load(request.network), dataset, table, survey, request.batch_size)
    sample = Sample.read(material, sample_images(survey.valid, request.seed), request.min_images)
    return Assessor.prepared(material, request, sample), dataset.annotation_size


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dataset", default="demo")
    parser.add_argument("--network", default="demo/alexnet")
    parser.add_argument("--layer", default="conv5")
    parser.add_argument("--seeds", type=int, default=50)
    options = parser.parse_args()
    with Store(config.current().cache) as store, Progress(console()) as progress:
        request = ProfileRequest(options.network, options.dataset)
        assessor, size = prepared(request, store)
        images = len(assessor.images)
        shuffled = moved(store, request, options.layer, assessor.images)
        kinds: dict[str, Callable[..., Any]] = {
            **KINDS,
            f"units of {options.layer} on other images": shuffled,
        }
        found = {kind: Counter[str]() for kind in kinds}
        for seed in range(options.seeds):
            progress.tell("seeds", seed, options.seeds)
            rng = np.random.default_rng(seed)
            for kind, make in kinds.items():
                found[kind] += words(assessor, [make(rng, images, size) for _ in range(UNITS)])
    said = sorted({word for counts in found.values() for word in counts})
    print(f"| masks | {' | '.join(said)} |\n|{'---|' * (1 + len(said))}")
    for kind, counts in found.items():
        cells = (f"{counts[word] / counts.total():.1%}" for word in said)
        print(f"| {kind}, {counts.total():,} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
