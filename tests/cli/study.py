"""A small set in Broden's layout with three of the classes that Broden and ImageNet share."""

from __future__ import annotations

from pathlib import Path

from tests.planted_classes import write_classes
from tests.planted_dataset import Planted, make_planted, rename_labels

CLASSES = ("bench", "refrigerator", "bus")  # of image 0, 1, 2, 3 …: each shows its object
IMAGES = 15  # so that each class has an image in split val


def study_set(root: Path, size: int, annotation: int) -> Planted:
    """Red squares are benches, blue discs refrigerators, panels buses (as an object, and as a part)."""
    planted = make_planted(root, images=IMAGES, size=size, annotation=annotation)
    rename_labels(root, {"red square": "bench", "blue disc": "refrigerator", "panel": "bus"})
    write_classes(root, [(f"planted/{at:05d}.png", CLASSES[at % 3]) for at in range(IMAGES)])
    return planted
