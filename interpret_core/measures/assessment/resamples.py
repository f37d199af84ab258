"""Folds and resamples of images: what is held out, and what is drawn again, the same for every unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

FOLDS = 5
RESAMPLES = 200
INTERVAL = (2.5, 97.5)  # percentiles of what the resamples give
SEED = 0


@dataclass(frozen=True, eq=False)
class Resamples:
    """How N images are held out and drawn again.

    Attributes:
        scene: (N,) int32, from 0 on; images of one number belong together.
        fold: (N,) int32, 0 to FOLDS − 1; images of one scene are in one fold.
        weights: (N, R) int32, how often each resample has an image: scenes are drawn, as many as there are.
    """

    scene: NDArray[np.int32]
    fold: NDArray[np.int32]
    weights: NDArray[np.int32]

    @property
    def independent(self) -> bool:
        """Whether there are scenes enough to hold some out: two a fold, and none with most of the images."""
        images = np.bincount(self.scene)
        return len(images) >= 2 * FOLDS and 2 * int(images.max()) <= len(self.scene)

    def scenes_of(self, shown: csr_array) -> NDArray[np.int64]:
        """(K,) scenes of each row of (K, N) counts of images: how many have any."""
        one = np.ones(len(self.scene), np.int64)
        of_scene = csr_array((one, (np.arange(len(one)), self.scene)))
        return np.asarray(((shown > 0).astype(np.int64) @ of_scene > 0).sum(1)).ravel().astype(np.int64)


def resamples(scene: NDArray[np.int64], seed: int = SEED, number: int = RESAMPLES) -> Resamples:
    """Draw folds of scenes, as even as they come, and `number` resamples of the images.

    Args:
        scene: (N,) images of one number belong together.
        seed: of both.
        number: R.
    """
    rng = np.random.default_rng(seed)
    scenes, scene_of = np.unique(scene, return_inverse=True)
    place = rng.permutation(len(scenes))
    drawn = rng.integers(0, len(scenes), (number, len(scenes)))
    weights = np.stack([np.bincount(one, minlength=len(scenes)) for one in drawn], 1)[scene_of]
    fold = (place % FOLDS)[scene_of]
    return Resamples(scene_of.astype(np.int32), fold.astype(np.int32), weights.astype(np.int32))
