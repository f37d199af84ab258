"""Files that are the same to the byte."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets.contents import MISSING
from interpret_core.datasets.dataset import Dataset
from interpret_core.datasets.digests import Content
from interpret_core.datasets.inspection.findings import Finding
from interpret_core.tables import many

SHOWN = 3


class Copies:
    """Groups of pictures that are one file.

    Args:
        dataset: whose.
        content: its digests.
    """

    def __init__(self, dataset: Dataset, content: Content) -> None:
        self._dataset, self._content = dataset, content
        self._prefix = f"{dataset.tables.images}/" if dataset.tables.images else ""
        by_digest: dict[bytes, list[int]] = defaultdict(list)
        for index, record in enumerate(dataset.records):
            digest = self._digest(record.image)
            if digest != MISSING:
                by_digest[digest].append(index)
        self.groups = [group for group in by_digest.values() if len(group) > 1]

    def findings(self, split: NDArray[np.str_], class_of: Mapping[int, str]) -> Iterator[Finding]:
        """What is wrong with them.

        Args:
            split: (N,) what each picture is for.
            class_of: index -> class.
        """
        records = self._dataset.records
        leaking = [group for group in self.groups if {"train", "val"} <= {str(split[one]) for one in group}]
        if leaking:
            yield Finding(
                "leakage",
                len(leaking),
                f"{many(len(leaking), 'picture is', 'pictures are')} in train and in val as the same file",
                "Remove them from one of the two, since what ranks units there also tests them.",
                self._named(leaking),
            )
        classes = [
            group for group in self.groups if len({class_of[one] for one in group if one in class_of}) > 1
        ]
        if classes:
            yield Finding(
                "contradictory classes",
                len(classes),
                f"{many(len(classes), 'picture is', 'pictures are')} listed as the same file under "
                "different classes",
                "Decide which class each shows, and remove the other rows.",
                self._named(classes),
            )
        listed = [group for group in self.groups if len({records[one].image for one in group}) == 1]
        if listed:
            yield Finding(
                "listed twice",
                len(listed),
                f"{many(len(listed), 'picture has', 'pictures have')} several rows in the index: each row "
                "counts",
                "Remove the further rows, unless they are meant to count several times.",
                self._named(listed),
            )
        others = [group for group in self.groups if len({records[one].image for one in group}) > 1]
        if others:
            copies = sum(len(group) - 1 for group in others)
            unlike = sum(len({self._masks(one) for one in group}) > 1 for group in others)
            differ = f"; the masks of {unlike:,} of them differ" if unlike else ""
            yield Finding(
                "duplicates",
                copies,
                f"{many(copies, 'picture is a copy', 'pictures are copies')} of another to the byte{differ}",
                "Keep one of each, since copies count as if they were further evidence.",
                self._named(others),
            )

    def of_masks(self, rich: Sequence[tuple[int, str]]) -> Iterator[Finding]:
        """Masks that are one file although their pictures are not.

        Args:
            rich: (index, mask) of masks with several values.
        """
        by_digest: dict[bytes, dict[bytes, str]] = defaultdict(dict)
        for index, name in rich:
            picture = self._digest(self._dataset.records[index].image)
            by_digest[self._digest(name)].setdefault(picture, name)
        groups = [found for digest, found in by_digest.items() if len(found) > 1 and digest != MISSING]
        if groups:
            yield Finding(
                "one mask for several pictures",
                len(groups),
                f"{many(len(groups), 'mask', 'masks')} with several labels: the same file for different "
                "pictures",
                "Look at one of them: a mask may have been copied to the wrong picture.",
                tuple(" = ".join(list(found.values())[:SHOWN]) for found in groups[:SHOWN]),
            )

    def _digest(self, name: str) -> bytes:
        return self._content.of(f"{self._prefix}{name}")

    def _masks(self, index: int) -> tuple[object, ...]:
        maps = sorted(self._dataset.records[index].maps.items())
        return tuple(
            (category, *(self._digest(item) if isinstance(item, str) else item for item in items))
            for category, items in maps
        )

    def _named(self, groups: Sequence[Sequence[int]]) -> tuple[str, ...]:
        images = [[self._dataset.records[one].image for one in group[:SHOWN]] for group in groups[:SHOWN]]
        return tuple(" = ".join(dict.fromkeys(names)) for names in images)
