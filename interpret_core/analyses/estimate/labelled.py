"""The sample of labels of whole images: a few images run, and chance taken for a few units of all images.

What a permutation takes depends on how many labels all images bear, not on what is in the pictures: so it is
measured on the data set's own labels, with numbers in place of responses.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from interpret_core.analyses.estimate.extents import Extent
from interpret_core.analyses.estimate.paces import Measured, Pace
from interpret_core.analyses.estimate.result import AnalysisCost, Bytes, PartCost, shared
from interpret_core.analyses.estimate.timeline import TimedStep
from interpret_core.analyses.estimate.trials import Sampling
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.classes.image_labels import FEWEST, image_labels
from interpret_core.errors import DatasetError
from interpret_core.measures.image_labels.evidence import ROOM, SLICE, LabelledUnits, label_evidence

RESPONSES = "largest responses"  # what the run calls its pass
MOST_BATCHES, UNITS = 4, 64  # that are measured
COPIES = 3  # of a layer's responses, while they are written
LOOK_BYTES = 8 * 8 * 3 + 1  # of an image: what it looks like, and whether it can be read


def measure_image_labels(
    sampling: Sampling, request: ImageLabelsRequest, layers: tuple[str, ...]
) -> Measured:
    """Paces of some layers.

    Returns:
        Seconds of an image in all layers (`image`), of a unit that is ranked among all images (`unit`), and
        of a permutation for a unit (`permutation`).

    Raises:
        DatasetError: no label tells some images from others.
    """
    request = replace(request, layers=layers)
    units = [sampling.network.layer(name).units for name in layers]
    asked = _labelled(sampling, request, min(UNITS, *units))
    least, batch = 2 * FEWEST, request.batch_size
    first = sampling.run(request, _some(asked, least))
    room = int(sampling.left // max(first.seconds, 1e-6))
    observed = sampling.run(request, _some(asked, max(least, batch * min(MOST_BATCHES, max(1, room)))))
    steps = observed.timeline.of(RESPONSES)
    paces = {"image": Pace.of(steps[1:] or steps)} | _chance(asked)
    sizes = {"peak": observed.peak, "labels": asked.shows.shape[1], "units": sum(units), "widest": max(units)}
    return Measured(observed.images, 0, paces, sizes)


def _labelled(sampling: Sampling, request: ImageLabelsRequest, units: int) -> LabelledUnits:
    """All images and their labels, as a run asks about them, with random numbers in place of responses."""
    labels = image_labels(sampling.dataset, request.columns, FEWEST)
    bearing = np.diff(labels.shows.indptr)
    kept = np.flatnonzero(bearing < labels.known.sum(0)[labels.column])
    if not len(kept):
        raise DatasetError(
            f"Data set {sampling.dataset.name} has no label of whole images that {FEWEST} of them bear and "
            "others do not, expected at least one: label more images."
        )
    responses = np.random.default_rng(0).random((len(labels.group), units), np.float32)
    shows = csr_array(labels.shows[:, kept])
    return LabelledUnits(responses, shows, labels.column[kept], labels.known, labels.group)


def _some(asked: LabelledUnits, images: int) -> list[int]:
    """So many images, half of them with a label that about half bear, as far as that goes."""
    among = asked.known.sum(0)[asked.column]
    bearing = np.asarray(asked.shows.sum(0))
    label = int(np.abs(2 * bearing - among).argmin())
    shows = np.zeros(len(asked.group), np.bool_)
    shows[asked.shows[:, [label]].nonzero()[0]] = True
    known = asked.known[:, asked.column[label]]
    halves = (np.flatnonzero(shows), np.flatnonzero(known & ~shows))
    return sorted(int(one) for half in halves for one in _spread(half, -(-images // 2)))


def _spread(images: NDArray[np.intp], number: int) -> NDArray[np.intp]:
    places = np.linspace(0, len(images) - 1, min(number, len(images))).round().astype(int)
    return images[np.unique(places)]


def _chance(asked: LabelledUnits) -> dict[str, Pace]:
    """Of all images: ranking a unit, and a permutation of its labels."""
    units = asked.responses.shape[1]
    times = [(time.perf_counter(), time.process_time())]
    for permutations in (0, SLICE):
        label_evidence(asked, 0, permutations)
        times.append((time.perf_counter(), time.process_time()))
    (ranked, used), (both, all_used) = (
        (after[0] - before[0], after[1] - before[1]) for before, after in itertools.pairwise(times)
    )
    permuted = TimedStep("", units * SLICE, max(0.0, both - ranked), max(0.0, all_used - used))
    return {"unit": Pace.of([TimedStep("", units, ranked, used)]), "permutation": Pace.of([permuted])}


def image_labels_cost(
    measured: Measured, extent: Extent, request: ImageLabelsRequest, seen: bool
) -> AnalysisCost:
    """Of the layers that were measured: one pass over the images, unless they are seen, and chance."""
    images, sizes, paces = extent.images, measured.sizes, measured.paces
    chance = paces["unit"] + paces["permutation"].times(request.permutations)
    parts = [
        PartCost(
            "image-labels", "responses", Pace() if seen else shared(paces["image"].times(images), extent)
        ),
        PartCost("image-labels", "chance", chance.times(sizes["units"] * extent.share)),
    ]
    passed = 0.0 if seen else images * (4 * sizes["units"] + LOOK_BYTES)
    found = sizes["units"] * (24 * sizes["labels"] + 4 * request.permutations)
    memory = sizes["peak"] + min(COPIES * 4 * images * sizes["widest"], passed * COPIES) + _room(images)
    size = Bytes(memory, passed + found, passed, passed if extent.workers > 1 else 0.0)
    return AnalysisCost.of(parts, size, f"{sizes['units']:,.0f} units on {images:,} images")


def _room(images: int) -> float:
    """Of chance: of few images, so many units never come together."""
    return min(float(ROOM), 12.0 * images * UNITS)
