"""Labels exchanged among images as a whole, so that labels that come together still do.

Images of one group (frames of a film, copies of a picture) are no evidence beside each other: they get the
labels of another group together, which is what could have been where labels say nothing of responses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray


def joined(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) groups that hold together whatever either of two groupings does, numbered by their first images.

    Args:
        first: (N,) numbers of groups.
        second: (N,) numbers of groups.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    images = np.arange(len(first))
    apart = int(first.max(initial=-1)) + 1
    nodes = apart + int(second.max(initial=-1)) + 1
    # Every image links its group in one with its group in the other.
    links = coo_array((np.ones(len(images)), (first, second + apart)), shape=(nodes, nodes))
    component = connected_components(links, directed=False)[1][first]
    _, place, number = np.unique(component, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(place))[number].astype(np.int64)


def exchanges(
    group: NDArray[np.int64], known: NDArray[np.bool_], seed: int, number: int
) -> Iterator[NDArray[np.int64]]:
    """Where every image takes its labels from, permutation by permutation.

    Groups exchange labels with groups of which the same is known: where a column says nothing of an image, it
    says nothing in any permutation. Of two groups of different sizes, an image takes the labels of the one
    that stands at the same part of the other.

    Args:
        group: (N,) numbers of groups.
        known: (N, columns) bool, whether a column says anything of an image.
        seed: of the permutations.
        number: how many.
    Yields:
        (N,) int64 indices of images.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for image, one in enumerate(group.tolist()):
        members[one].append(image)
    alike: dict[tuple[bytes, ...], list[list[int]]] = defaultdict(list)
    for images in members.values():
        patterns = [known[image].tobytes() for image in images]
        same = len(set(patterns)) == 1
        alike[tuple(patterns[:1] if same else patterns)].append(images)
    kinds = [_Alike.of(groups) for groups in alike.values()]
    rng = np.random.default_rng(seed)
    for _ in range(number):
        source = np.arange(len(group))
        for kind in kinds:
            source[kind.images] = kind.taken(rng.permutation(len(kind.size)))
        yield source


@dataclass(frozen=True, eq=False)
class _Alike:
    """Groups that exchange their labels, end to end: a permutation costs no loop over them.

    Attributes:
        images: (n,) those of the first group, of the second one, and so on.
        group, place: (n,) which group an image is of, and its place there.
        start, size: (groups,) where each group begins in `images`, and how many it has.
    """

    images: NDArray[np.int64]
    group: NDArray[np.int64]
    place: NDArray[np.int64]
    start: NDArray[np.int64]
    size: NDArray[np.int64]

    @classmethod
    def of(cls, groups: list[list[int]]) -> _Alike:
        size = np.array([len(images) for images in groups])
        start = np.cumsum(size) - size
        group = np.repeat(np.arange(len(groups)), size)
        images = np.fromiter(chain.from_iterable(groups), np.int64, int(size.sum()))
        return cls(images, group, np.arange(len(images)) - start[group], start, size)

    def taken(self, other: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) from where each image takes its labels, where each group takes those of another one."""
        out = other[self.group]
        return self.images[self.start[out] + self.place * self.size[out] // self.size[self.group]]
