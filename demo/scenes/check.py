"""Renders shipped scenes again and compares: `python -m demo.scenes.check demo/dataset [--scenes 10]`.

The object, part and material maps must be the same in every pixel. Pictures are not: the renderer's own noise
moves them by up to about one level of 255 on average from one run to the next, so that mean is bounded. Exit
status 1 where a scene differs.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.scenes.build import QUALITY
from demo.scenes.compose import compose
from demo.scenes.labels import CATEGORIES, halved, maps
from interpret_core.datasets import Dataset, open_dataset

MOST = 2.0  # levels of 255, mean over a picture
STRIDE = 7  # from one picture of a class to the next that is checked


class Difference(NamedTuple):
    """One scene: its file, map pixels whose name differs, mean difference of the pictures in levels."""

    image: str
    labels: int
    picture: float

    @property
    def small(self) -> bool:
        """Whether the scene counts as reproduced."""
        return self.labels == 0 and self.picture <= MOST


def chosen(images: Sequence[str], number: int) -> list[int]:
    """Indices of images to check, the classes (the folders) in turn and spread over the pictures of each."""
    folders: dict[str, list[int]] = {}
    for i, image in enumerate(images):
        folders.setdefault(image.split("/")[0], []).append(i)
    queues = [places[start % STRIDE :: STRIDE] for start, places in enumerate(folders.values())]
    longest = max(len(queue) for queue in queues)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)][:number]


def compare(
    dataset: Dataset, i: int, picture: NDArray[np.uint8], names: dict[str, NDArray[np.str_]]
) -> Difference:
    """A scene rendered again against what is shipped.

    Args:
        dataset: that holds it.
        i: index of the record.
        picture: (h, w, 3) uint8 as rendered.
        names: category -> (H, W) names as rendered.
    """
    differing = 0
    for category in CATEGORIES:
        table = dataset.concepts([category])
        shipped = np.array(["", *(concept.name for concept in table.concepts)])
        differing += int((shipped[dataset.read_annotation(i, table)[0]] != names[category]).sum())
    # The shipped picture has been through a JPEG encoder; so goes this one, or noise would hide a change.
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=QUALITY["dataset"], optimize=True)
    again = np.asarray(Image.open(file)).astype(float)
    return Difference(
        dataset.records[i].image, differing, float(np.abs(again - dataset.read_image(i)).mean())
    )


def main() -> None:
    """Print a line for each scene."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--scenes", type=int, default=10)
    options = parser.parse_args()
    from demo.scenes.render import Renderer

    dataset, renderer, found = open_dataset(options.dataset), Renderer(), []
    for i in chosen([record.image for record in dataset.records], options.scenes):
        name, seed = dataset.records[i].image.removesuffix(".jpg").split("/")
        scene = compose(name, int(seed))
        picture, index = renderer.render(scene)
        found.append(compare(dataset, i, picture, maps(scene, halved(index))))
        print(f"{found[-1].image}: {found[-1].labels} label pixels differ, picture {found[-1].picture:.3f}")
    same = sum(difference.small for difference in found)
    print(f"{same} of {len(found)} scenes reproduced")
    sys.exit(same < len(found))


if __name__ == "__main__":
    main()
