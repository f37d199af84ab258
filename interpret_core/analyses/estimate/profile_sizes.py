"""Bytes of a profile: memory, what is kept, shards while it runs, what a cluster sends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.estimate.trials import Observed, Sampling, nbytes
from interpret_core.analyses.estimate.witness import WatchedPass
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.measures.dissection.brackets import LEAST_LISTED, LISTED
from interpret_core.measures.dissection.sums import temporary_bytes
from interpret_core.measures.dissection.thresholds import wanted_positions
from interpret_core.store.records import Arrays

PASSES = ("count", "tally", "masks")
NEAR = 16  # bins on each side of a unit's cut
USUAL = 0.95  # of a layer's units
GALLERY, BAND = 30, 60  # masks of a unit that are kept, at most
_CONCEPTS = ("intersection", "concept_pixels", "concept_images", "included")
_GALLERIES = {"mask_runs": ("gallery", GALLERY), "band_mask_runs": ("band", BAND)}
# Bytes per pixel of a sampled image's annotation grid, beside two for each of its maps: colour, shade, the
# number of its label set, its group, and as much again while they are made.
_PIXEL = 20


def sizes(sampling: Sampling, request: ProfileRequest, small: Observed, large: Observed) -> dict[str, float]:
    """By name.

    peak: memory of the run. picture: bytes of an image as it is kept. sampled: of a sampled image in memory.
    kept …: of the results, always, per concept, image, sampled image, permutation, mask of a unit.
    shard of …, image in …: of temporary shards. given to …: what a pass is told.
    rounds of …: how often. bound of …: at most, as a run announces it: a shard, a column of it, all listed.
    units: of all layers; again: (images) the data set's size from which a second round of counting is needed.
    """
    dataset, table = sampling.dataset, sampling.dataset.concepts(request.categories)
    area = float(np.prod(dataset.annotation_size))
    found: dict[str, float] = {
        "peak": large.peak,
        "picture": float(np.mean([_kept_picture(sampling, index) for index in sampling.spread(4)])),
        "sampled": area * (2 * dataset.planes(table) + _PIXEL),
    }
    units = [len(one.arrays["state"]) for key, one in large.records.items() if _is(key, "profile")]
    found |= {
        "units": float(sum(units)),
        "bound of a shard": float(temporary_bytes(units, 0, 1) - temporary_bytes(units, 0, 0)),
        "bound of a column": float(temporary_bytes(units, 1, 1) - temporary_bytes(units, 0, 1)),
        "bound of all listed": float(temporary_bytes(units, 0, 0)),
    }
    found |= _kept(large, len(table))
    for name in PASSES:
        found |= _shards(name, small.witness.all(name), large.witness.all(name), large.images)
    counted = large.witness.all("count")
    rule = (sampling, request.quantile, counted[0], large.images) if counted else None
    found["again"] = np.inf if rule is None else _crowded_from(*rule)
    return found


def _kept_picture(sampling: Sampling, index: int) -> int:
    """Bytes of an image as a run keeps it."""
    return sampling.network.preprocessing.reduced(sampling.dataset.read_image(index)).nbytes


def _is(key: str, kind: str) -> bool:
    return key.partition("/")[0] == kind


def _kept(large: Observed, concepts: int) -> dict[str, float]:
    """Bytes of the results by what they grow with."""
    names = ("always", "concept", "image", "sampled", "permutation", "gallery", "band")
    found = {f"kept {name}": 0.0 for name in names}
    for key, record in large.records.items():
        kind = key.partition("/")[0]
        if kind in ("masks", "largest"):
            found["kept sampled"] += sum(nbytes(record).values()) / large.images
        elif kind == "survey":
            found["kept image"] += sum(nbytes(record).values()) / large.images
        elif kind in ("profile", "chance", "assessment", "thresholds"):
            for name, size in nbytes(record).items():
                grows, by = _grows(name, record.arrays[name].shape, concepts, large.images)
                found[f"kept {grows}"] += size / by
    return found


def _grows(name: str, shape: tuple[int, ...], concepts: int, images: int) -> tuple[str, float]:
    """What an array grows with, and how much of it there is in the sample."""
    if name in _GALLERIES:
        grows, most = _GALLERIES[name]
        return grows, float(min(most, images))
    if name in _CONCEPTS:
        return "concept", float(max(concepts, 1))
    if name == "fires":
        return "image", float(images)
    if name == "null_maximum":
        return "permutation", float(shape[1])
    return "always", 1.0


def _shards(name: str, few: list[WatchedPass], many: list[WatchedPass], images: int) -> dict[str, float]:
    """Bytes of a shard, and what each image adds: an array of one size in both runs grows with no image.

    What is listed is bounded by counting once more; largest responses are kept of sampled images alone.
    A second round is about some units alone; its shards, which are small, count as they are.
    """
    if not few or not many:
        return {}
    less, more = few[0].results[0], many[0].results[0]
    once = sum(size for array, size in more.items() if less[array] == size)
    again = sum(one.bytes for one in many[1:])
    listed, ranked = (
        sum(size for array, size in more.items() if array.startswith(start) and less[array] != size)
        for start in ("listed_", "largest_")
    )
    return {
        f"image in {name}": (more.total() - once - listed - ranked) / images,
        f"listed in {name}": listed / images,
        f"ranked in {name}": ranked / images,
        f"layers of {name}": float(len(many[0].found)),
        f"shard of {name}": float(once + again),
        f"given to {name}": float(sum(one.given for one in many)),
        f"rounds of {name}": float(len(many)),
    }


def _crowded_from(sampling: Sampling, quantile: float, counted: WatchedPass, images: int) -> float:
    """Images from which on many brackets hold too much to be listed (`brackets.locate`), or infinity.

    A bracket is about two bins of a unit's window. How many responses a bin near the cut holds is read off
    the bins around it: a sample has too few to fill each. The largest of thousands of such guesses would be
    the most mistaken one, so it is one unit in twenty of a layer that decides.
    """
    most = 0.0
    for name, arrays in counted.found.items():
        layer = sampling.network.layer(name)
        spread = max(float(np.prod(sampling.dataset.annotation_size) / np.prod(layer.grid)), 1.0)
        room = max(LISTED / layer.units, LEAST_LISTED)
        wanted = wanted_positions(quantile, int(arrays["positions"][0]))
        inside = 2 * _near(arrays, wanted) * spread / room
        most = max(most, float(np.quantile(inside, USUAL)) if len(inside) else 0.0)
    return images / most if most else np.inf


def _near(arrays: Arrays, wanted: int) -> NDArray[np.float64]:
    """(U,) responses in a bin near the `wanted` largest, 0 where these lie outside the window."""
    histogram = arrays["histogram"].astype(np.float64)
    bins = histogram.shape[1]
    passed = arrays["above"][:, None] + np.cumsum(histogram[:, ::-1], 1)
    inside = (passed[:, -1] >= wanted) & (arrays["above"] < wanted)
    place = bins - 1 - np.argmax(passed >= wanted, 1)
    low, high = np.maximum(place - NEAR, 0), np.minimum(place + NEAR + 1, bins)
    below = np.concatenate([np.zeros((len(histogram), 1)), np.cumsum(histogram, 1)], 1)
    rows = np.arange(len(histogram))
    return np.where(inside, (below[rows, high] - below[rows, low]) / (high - low), 0.0)
