"""How many label sets and groups of pixels a large vocabulary gives, and what they and a contest cost.

    python -m benchmarks.label_set_growth [--images 500 1000 2000] [--concepts 1197] [--units 4]

Images of overlapping rectangles, five maps each, with labels drawn by Zipf's law; 64 shades in patches. The
profile samples 2,000 images at most, so the last line is the most that a data set of any size costs. Units
are active in a rectangle of one image in four, 0.5 % of all pixels. Seconds are those of a processor, memory
is the most that the process has held so far: ask for one number of images to know what it takes alone.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.assessment.contest import codes, contest
from interpret_core.measures.assessment.label_sets import label_sets
from interpret_core.measures.assessment.pixel_groups import active_pixels, pixel_groups
from interpret_core.measures.assessment.resamples import resamples
from interpret_core.measures.dissection.masks import Runs

SIDE, MAPS, PATCHES, SHADES = 112, 5, 25, 64
ACTIVE = 16  # pixels a side
COLUMNS = (
    "images",
    "label sets",
    "groups",
    "label sets, s",
    "groups, s",
    "memory, MB",
    "codes, s",
    "a unit, s",
    "memory, MB",
)


def patches(rng: np.random.Generator, names: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    """(side, side) a map of rectangles, 0 where none lies."""
    found = np.zeros((side, side), np.int64)
    for name in names:
        top, left = rng.integers(0, side, 2)
        height, width = rng.integers(side // 16, side // 2, 2)
        found[top : top + height, left : left + width] = name
    return found


def scene(rng: np.random.Generator, concepts: int) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """The maps (MAPS, P) and shades (P,) of an image."""
    labels = [patches(rng, np.minimum(rng.zipf(1.3, PATCHES), concepts), SIDE).ravel() for _ in range(MAPS)]
    shades = patches(rng, rng.integers(0, SHADES, 4 * PATCHES), SIDE)
    return np.array(labels, np.uint16), shades.ravel().astype(np.uint8)


def masks(rng: np.random.Generator, images: int, units: int) -> Runs:
    """A rectangle in a quarter of the images, image by image and unit by unit."""
    there = rng.random((images, units)) < 0.25
    rows = np.arange(ACTIVE) * SIDE
    corners = rng.integers(0, SIDE - ACTIVE, (int(there.sum()), 2))
    starts = (corners @ [SIDE, 1])[:, None] + rows
    runs = np.stack([starts.ravel(), np.full(starts.size, ACTIVE)], 1).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(there.ravel() * ACTIVE)]).astype(np.int64)
    return Runs(offsets, runs, np.zeros(0, np.int32))


def resident() -> float:
    """MB that the process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(images: int, concepts: int, units: int) -> tuple[str, ...]:
    """A line of the table."""
    rng = np.random.default_rng(0)
    labels = np.empty((MAPS, images, SIDE * SIDE), np.uint16)
    shades = np.empty((images, SIDE * SIDE), np.uint8)
    for image in range(images):
        labels[:, image], shades[image] = scene(rng, concepts)
    start = time.process_time()
    sets, of_pixel = label_sets(labels, np.asarray(labels.any(2)).T)
    numbered = time.process_time()
    groups = pixel_groups(of_pixel, shades)
    cells = [f"{numbered - start:.1f}", f"{time.process_time() - numbered:.1f}", f"{resident():,.0f}"]
    drawn = resamples(np.arange(images))
    start = time.process_time()
    found = codes(groups, sets, np.zeros(concepts, np.bool_), drawn)
    weighed = time.process_time()
    active = active_pixels(masks(rng, images, units), groups)
    for _ in range(2):  # the first one is compiled
        begun = time.process_time()
        contest(active, groups, found, drawn)
    cells += [f"{weighed - start:.1f}", f"{(time.process_time() - begun) / units:.2f}", f"{resident():,.0f}"]
    return (f"{images:,}", f"{len(sets):,}", f"{len(groups):,}", *cells)


def main() -> None:
    """Print a line per number of images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[500, 1000, 2000])
    parser.add_argument("--concepts", type=int, default=1197)
    parser.add_argument("--units", type=int, default=4)
    options = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for images in options.images:
        print(f"| {' | '.join(measured(images, options.concepts, options.units))} |", flush=True)


if __name__ == "__main__":
    main()
