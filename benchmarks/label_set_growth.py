"""How many label sets and groups of pixels a large vocabulary gives, and what they cost.

    python -m benchmarks.label_set_growth [--images 500 1000 2000] [--concepts 1197]

Images of overlapping rectangles, five maps each, with labels drawn by Zipf's law; 64 shades in patches. The
profile samples 2,000 images at most, so the last line is the most that a data set of any size costs.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.assessment.label_sets import label_sets
from interpret_core.measures.assessment.pixel_groups import pixel_groups

SIDE, MAPS, PATCHES, SHADES = 112, 5, 25, 64


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


def main() -> None:
    """Print a line per number of images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[500, 1000, 2000])
    parser.add_argument("--concepts", type=int, default=1197)
    options = parser.parse_args()
    print(
        "| images | label sets | groups | label sets, s | groups, s | memory, MB |\n|---|---|---|---|---|---|"
    )
    for images in options.images:
        rng = np.random.default_rng(0)
        labels = np.empty((MAPS, images, SIDE * SIDE), np.uint16)
        shades = np.empty((images, SIDE * SIDE), np.uint8)
        for image in range(images):
            labels[:, image], shades[image] = scene(rng, options.concepts)
        start = time.perf_counter()
        sets, of_pixel = label_sets(labels, labels.any(2).T)
        numbered = time.perf_counter()
        groups = pixel_groups(of_pixel, shades)
        cells = (numbered - start, time.perf_counter() - numbered)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        words = (f"{images:,}", f"{len(sets):,}", f"{len(groups):,}", *(f"{cell:.1f}" for cell in cells))
        print(f"| {' | '.join(words)} | {most:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
