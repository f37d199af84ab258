"""Pictures of rectangles, and units of which it is known what they respond to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from interpret_core.measures.assessment.evidence import Ground, evidence
from interpret_core.measures.assessment.overlaps import Overlaps
from interpret_core.measures.assessment.words import Assessment, Evidence, assessed
from interpret_core.measures.dissection.masks import Runs, runs_of
from interpret_core.measures.dissection.thresholds import State

IMAGES, SIDE, SHADES = 100, 28, 16
CAR, TREE, BUS, WHEEL, RARE, SIGN = range(6)
CONCEPTS = 6
RED = 3
KNOWN = np.zeros(CONCEPTS, np.int64)
NO_COLOURS = np.zeros(CONCEPTS, np.bool_)


@dataclass
class Pictures:
    """Annotation and shades of IMAGES pictures of SIDE × SIDE pixels."""

    labels: NDArray[np.uint16]
    shade: NDArray[np.uint8]
    scene: NDArray[np.int64] = field(default_factory=lambda: np.arange(IMAGES))

    @classmethod
    def of(cls, seed: int) -> Pictures:
        rng = np.random.default_rng(seed)
        labels = np.zeros((2, IMAGES, SIDE, SIDE), np.uint16)
        shade = np.empty((IMAGES, SIDE, SIDE), np.uint8)
        for n in range(IMAGES):
            shade[n] = rng.integers(4, SHADES)
            for _ in range(10):  # things of any colour without a name, red ones among them
                shade[n][patch(rng, 3, 7)] = rng.choice([RED, *range(4, SHADES)], p=[0.2, *[0.8 / 12] * 12])
            for concept in (TREE, CAR, CAR, BUS):
                place = patch(rng, 5, 9)
                labels[0, n][place] = 1 + concept
                shade[n][place] = RED if concept == CAR and rng.random() < 0.4 else rng.integers(4, SHADES)
            place = patch(rng, 4, 7)
            labels[0, n][place], shade[n][place] = 1 + SIGN, 0  # signs have a shade that nothing else has
            if n in (11, 45, 78):
                place = patch(rng, 6, 9)
                labels[0, n][place], shade[n][place] = 1 + RARE, rng.integers(4, SHADES)
        # Wheels are wherever cars are, but for a pixel here and there.
        labels[1][(labels[0] == 1 + CAR) & (rng.random(shade.shape) < 0.97)] = 1 + WHEEL
        return cls(labels.reshape(2, IMAGES, -1), shade.reshape(IMAGES, -1))

    def shows(self, concept: int) -> NDArray[np.bool_]:
        """(N, P) where a concept is."""
        return np.asarray((self.labels == 1 + concept).any(0))

    def ground(self) -> Ground:
        """What the pixels carry."""
        member = self.labels.any((0, 2))[:, None]
        member = np.ones((IMAGES, 1), np.bool_) & member
        return Ground.of(self.labels, member, self.shade, self.scene, (KNOWN, NO_COLOURS))


def patch(rng: np.random.Generator, least: int, most: int) -> tuple[slice, slice]:
    """A rectangle somewhere."""
    height, width = rng.integers(least, most + 1, 2)
    top, left = rng.integers(0, SIDE - height + 1), rng.integers(0, SIDE - width + 1)
    return slice(top, top + height), slice(left, left + width)


def noisy(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """A detector as they are: half of what it should see, and a pixel here and there besides."""
    return np.asarray((mask & (rng.random(mask.shape) < 0.5)) | (rng.random(mask.shape) < 0.002))


def scattered(rng: np.random.Generator) -> NDArray[np.bool_]:
    """Pixels at random."""
    return np.asarray(rng.random((IMAGES, SIDE * SIDE)) < 0.01)


def clumped(rng: np.random.Generator) -> NDArray[np.bool_]:
    """Blobs at random places."""
    smooth = gaussian_filter(rng.normal(size=(IMAGES, SIDE, SIDE)), (0, 2, 2))
    return np.asarray((smooth > np.quantile(smooth, 0.99)).reshape(IMAGES, -1))


def runs(masks: NDArray[np.bool_]) -> Runs:
    """Masks (U, N, P), image by image."""
    found = [runs_of(one) for image in np.moveaxis(masks, 1, 0) for one in image]
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in found])])
    return Runs(offsets, np.concatenate(found).astype(np.int32), np.zeros(0, np.int32))


def labels_of(pictures: Pictures, masks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(U, 2) label and runner-up of units (U, N, P)."""
    iou = np.stack(
        [
            (masks & concept).sum((1, 2)) / np.maximum((masks | concept).sum((1, 2)), 1)
            for concept in map(pictures.shows, range(CONCEPTS))
        ],
        1,
    )
    order = np.argsort(-iou, axis=1, kind="stable")[:, :2]
    return np.where(np.take_along_axis(iou, order, 1) > 0, order, -1)


def weighed(pictures: Pictures, masks: NDArray[np.bool_]) -> tuple[Evidence, Overlaps]:
    """The evidence about units (U, N, P), their labels by IoU."""
    labels = labels_of(pictures, masks)
    return evidence(runs(masks), pictures.ground(), labels, np.ones(CONCEPTS, np.bool_))


def words(pictures: Pictures, masks: NDArray[np.bool_], q_value: float = 0.0) -> list[Assessment]:
    """What is said of live units (U, N, P)."""
    told, _ = weighed(pictures, masks)
    state = np.full(len(masks), State.LIVE, np.uint8)
    return [Assessment(one) for one in assessed(told, state, np.full(len(masks), q_value))]
