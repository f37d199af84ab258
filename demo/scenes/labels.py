"""From the piece that each pixel shows to annotations: object, part and material maps on the smaller grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from demo.scenes.scene import Scene
from demo.scenes.thing import Piece

CATEGORIES = ("object", "part", "material")
_NAME = {
    "object": lambda piece: piece.object,
    "part": lambda piece: piece.part,
    "material": lambda piece: piece.texture.material,
}


def halved(index: NDArray[np.int64]) -> NDArray[np.int64]:
    """(2h, 2w) to (h, w): the most frequent value of each block of four, the first one in a tie."""
    height, width = index.shape
    block = (
        index.reshape(height // 2, 2, width // 2, 2).transpose(0, 2, 1, 3).reshape(height // 2, width // 2, 4)
    )
    votes = (block[..., :, None] == block[..., None, :]).sum(-1)
    return np.take_along_axis(block, votes.argmax(-1)[..., None], -1)[..., 0]


def maps(scene: Scene, index: NDArray[np.int64]) -> dict[str, NDArray[np.str_]]:
    """Names per pixel, by category; empty where there is none.

    Args:
        scene: its pieces.
        index: (H, W) into them, −1 for none.
    """
    return {category: _names(scene.pieces, category)[index] for category in CATEGORIES}


def _names(pieces: Sequence[Piece], category: str) -> NDArray[np.str_]:
    """Name of each piece, and an empty one at the end for index −1."""
    return np.array([*(_NAME[category](piece) for piece in pieces), ""])


def shares(scene: Scene, index: NDArray[np.int64]) -> dict[str, float]:
    """Object -> share of the picture's pixels."""
    names, counts = np.unique(_names(scene.pieces, "object")[index], return_counts=True)
    return {str(name): float(count) / index.size for name, count in zip(names, counts, strict=True)}
