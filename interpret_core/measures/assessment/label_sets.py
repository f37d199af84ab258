"""Label sets: what a pixel says of concepts is the set of labels it carries, and what its image annotates.

The distinct pairs of both are numbered once for some images; whatever is asked about concepts afterwards is a
sum over them, and no pixel is looked at again. Source: docs/method.md, "Label sets".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LabelSets:
    """The K distinct label sets of some images, in the order in which they are first met.

    Attributes:
        offsets: (K + 1,) int64; set k holds `concepts[offsets[k]:offsets[k + 1]]`.
        concepts: (M,) int32, ascending within a set.
        categories: (K, categories) bool, what the images of the set annotate.
    """

    offsets: NDArray[np.int64]
    concepts: NDArray[np.int32]
    categories: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def members(self) -> list[tuple[int, ...]]:
        """The concepts of each set."""
        bounds = self.offsets.tolist()
        return [tuple(self.concepts[start:end].tolist()) for start, end in pairwise(bounds)]


def label_sets(labels: NDArray[np.uint16], member: NDArray[np.bool_]) -> tuple[LabelSets, NDArray[np.int32]]:
    """Number the label sets of some images.

    Args:
        labels: (L, N, H·W) uint16: 0 unlabelled, else 1 + concept.
        member: (N, categories) bool, categories of which an image has a labelled pixel.
    Returns:
        The sets, and (N, H·W) the set of each pixel.
    """
    _, images, pixels = labels.shape
    of_pixel = np.empty((images, pixels), np.int32)
    known: dict[tuple[bytes, tuple[int, ...]], int] = {}
    for image in range(images):
        planes = np.sort(labels[:, image], axis=0)
        planes[1:][planes[1:] == planes[:-1]] = 0  # a label that two maps give counts once
        code, first = _distinct(planes)
        annotated = member[image].tobytes()
        numbers = [
            known.setdefault((annotated, tuple(sorted({int(one) - 1 for one in column} - {-1}))), len(known))
            for column in planes[:, first].T
        ]
        of_pixel[image] = np.array(numbers, np.int32)[code]
    return _numbered(known, member.shape[1]), of_pixel


def _distinct(planes: NDArray[np.uint16]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the distinct columns of (L, P) planes: number of each (P,), and a place where each is."""
    changes = np.concatenate([[True], (planes[:, 1:] != planes[:, :-1]).any(0)])
    places = np.flatnonzero(changes)  # labels come in runs: a tenth of the pixels, or less
    _, first, code = np.unique(planes[:, places], axis=1, return_index=True, return_inverse=True)
    return code.reshape(-1)[np.cumsum(changes) - 1], places[first]


def _numbered(known: Iterable[tuple[bytes, tuple[int, ...]]], categories: int) -> LabelSets:
    pairs = list(known)
    offsets = np.concatenate([[0], np.cumsum([len(concepts) for _, concepts in pairs])]).astype(np.int64)
    concepts = np.array([one for _, several in pairs for one in several], np.int32)
    rows = b"".join(annotated for annotated, _ in pairs)
    return LabelSets(offsets, concepts, np.frombuffer(rows, np.bool_).reshape(len(pairs), categories))
