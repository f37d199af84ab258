"""Renders scenes: the data set that is shipped, and the pictures that networks are trained on.

    python -m demo.scenes.build dataset FOLDER --images 48
    python -m demo.scenes.build training OTHER --images 400

Each picture is a JPEG in a folder named after its class. For the data set, its annotation maps lie beside it
(.npz), and `demo.scenes.broden` makes Broden's layout of both. Scenes are drawn by class and seed; the seeds
of the two kinds never meet. A scene whose target is hardly seen, or smaller than another of the ten classes,
is passed over.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.scenes.casting import CLASSES
from demo.scenes.compose import compose
from demo.scenes.labels import halved, maps, shares

QUALITY = {"dataset": 88, "training": 92}
FIRST_SEED = {"dataset": 0, "training": 100_000}
LEAST = 0.02  # share of the picture that the target covers
WORKERS = 2


def accepted(
    name: str, first: int
) -> Iterator[tuple[int, NDArray[np.uint8], dict[str, NDArray[np.str_]], str]]:
    """Seed, picture, annotation maps and setting of each scene that shows its target well."""
    from demo.scenes.render import Renderer

    renderer, seed = Renderer(), first
    while True:
        scene = compose(name, seed)
        picture, index = renderer.render(scene)
        seen = shares(scene, index)
        rivals = [share for other, share in seen.items() if other in CLASSES and other != name]
        if seen.get(name, 0.0) >= max(LEAST, *rivals, 0.0) and (index >= 0).all():
            yield seed, picture, maps(scene, halved(index)), scene.setting
        seed += 1


def _class(job: tuple[str, str, Path, int]) -> None:
    kind, name, folder, number = job
    (folder / name).mkdir(parents=True, exist_ok=True)
    for _, (seed, picture, annotation, setting) in zip(
        range(number), accepted(name, FIRST_SEED[kind]), strict=False
    ):
        stem = folder / name / f"{seed:06d}"
        Image.fromarray(picture).save(stem.with_suffix(".jpg"), quality=QUALITY[kind], optimize=True)
        if kind == "dataset":
            arrays: dict[str, Any] = {"setting": setting, **annotation}
            np.savez_compressed(stem.with_suffix(".npz"), **arrays)


def main() -> None:
    """Render class by class, each in its own process: a renderer keeps what it has loaded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=("dataset", "training"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=48, help="per class")
    parser.add_argument("--classes", default=",".join(CLASSES))
    options = parser.parse_args()
    jobs = [(options.kind, name, options.folder, options.images) for name in options.classes.split(",")]
    with multiprocessing.get_context("spawn").Pool(WORKERS, maxtasksperchild=1) as pool:
        pool.map(_class, jobs, chunksize=1)


if __name__ == "__main__":
    main()
