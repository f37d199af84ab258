"""What is how often in a data set of scenes, as Markdown: `python -m demo.scenes.counts demo/dataset`.

docs/demo.md holds what this prints; a test compares the two.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets import open_dataset

ENOUGH = 10  # images that a concept must be in, to be worth naming a unit after
MAPS = ("object", "part", "material", "color")


class Counts:
    """The annotations of N pictures, read once.

    Attributes:
        classes: (N,) the folder of each picture.
        settings: (N,) its scene.
    """

    def __init__(self, root: Path) -> None:
        self._dataset = open_dataset(root)
        records, labels = self._dataset.records, self._dataset.labels
        self.classes = [record.image.split("/")[0] for record in records]
        self.settings = [labels[int(record.maps["scene"][0])].name for record in records]
        self._tables = {category: self._dataset.concepts([category]) for category in MAPS}

    @cached_property
    def pixels(self) -> dict[str, NDArray[np.int64]]:
        """Category -> (N, 1 + C) pixels of each concept in each picture, the unlabelled ones first."""
        return {
            category: np.stack(
                [
                    np.bincount(self._dataset.read_annotation(i, table)[0].ravel(), minlength=1 + len(table))
                    for i in range(len(self.classes))
                ]
            )
            for category, table in self._tables.items()
        }

    def names(self, category: str) -> list[str]:
        """Of a category's concepts, in the order of `pixels`."""
        return [concept.name for concept in self._tables[category].concepts]

    def images(self, category: str) -> dict[str, Counter[str]]:
        """Concept -> class -> in how many pictures it is; the most frequent concepts first."""
        held = self.pixels[category][:, 1:] > 0
        found = {
            name: Counter(here for here, there in zip(self.classes, column, strict=True) if there)
            for name, column in zip(self.names(category), held.T, strict=True)
        }
        return dict(sorted(found.items(), key=lambda item: (-item[1].total(), item[0])))

    def main_colour(self) -> list[str]:
        """Of each picture, the colour of most of the target's pixels (first in the alphabet in a tie)."""
        objects, colours = self._tables["object"], self._tables["color"]
        order = sorted(concept.name for concept in colours.concepts)
        number = {concept.name: 1 + at for at, concept in enumerate(objects.concepts)}
        names = np.array(["", *self.names("color")])
        found = []
        for i, name in enumerate(self.classes):
            target = self._dataset.read_annotation(i, objects)[0] == number[name]
            seen = Counter(names[self._dataset.read_annotation(i, colours)[0][target]].tolist())
            found.append(max(order, key=lambda colour: seen[colour]))
        return found


def table(corner: str, rows: dict[str, Counter[str]], columns: Sequence[str]) -> Iterator[str]:
    """Lines of a Markdown table; 0 is left blank, so that gaps are seen."""
    yield f"| {corner} | " + " | ".join((*columns, "all")) + " |"
    yield "|---|" + "--:|" * (len(columns) + 1)
    for name, counts in rows.items():
        cells = [str(counts[column] or "") for column in columns]
        yield f"| {name} | " + " | ".join((*cells, str(counts.total()))) + " |"


def report(root: Path) -> Iterator[str]:
    """Lines of Markdown about a data set."""
    counts = Counts(root)
    classes = sorted(set(counts.classes))
    yield f"### Pictures by setting and class ({len(counts.classes)} in all)\n"
    settings = {
        setting: Counter(
            name for name, here in zip(counts.classes, counts.settings, strict=True) if here == setting
        )
        for setting in sorted(set(counts.settings))
    }
    yield from table("setting", settings, classes)
    yield "\n### Main colour of the target, by class\n"
    main = list(zip(counts.main_colour(), counts.classes, strict=True))
    colours = sorted({colour for colour, _ in main})
    yield from table(
        "colour", {c: Counter(name for colour, name in main if colour == c) for c in colours}, classes
    )
    yield from _labels(counts)
    yield "\n### Pictures that hold an object, by class\n"
    yield from table("object", counts.images("object"), classes)
    for category in ("part", "material", "color"):
        held = ", ".join(f"{name} {by.total()}" for name, by in counts.images(category).items())
        yield f"\n### Pictures that hold a {category}\n\n{held}."


def _labels(counts: Counts) -> Iterator[str]:
    yield f"\n### Labels\n\n| category | labels | in ≥ {ENOUGH} pictures | labelled pixels |"
    yield "|---|--:|--:|--:|"
    for category in MAPS:
        images, pixels = counts.images(category), counts.pixels[category]
        enough = sum(held.total() >= ENOUGH for held in images.values())
        share = 1 - pixels[:, 0].sum() / pixels.sum()
        yield f"| {category} | {len(images)} | {enough} | {share:.1%} |"


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=Path)
    print("\n".join(report(parser.parse_args().dataset)))


if __name__ == "__main__":
    main()
